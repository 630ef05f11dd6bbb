"""SyntheticSearch: a procedural twin of V*.

A letter on one of several coloured shapes is asked for. In the overview it is smaller than three
pixels; after a zoom on the right shape it can be read. A share of the questions (which shape, in
which part of the scene) can be answered from the overview.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from pixel_env.media.pictures import ImageSource
from pixel_env.types import Evidence, Grade, Sample

from ...grading import grade_choice, grade_text
from ..endless import Asked, EndlessTask, Split, split_of
from .layout import Difficulty, random_scene
from .scene import SHAPES, Scene, SceneObject, draw

PARTS = ("top left", "top right", "bottom left", "bottom right")


class SyntheticSearch(EndlessTask[Scene]):
    """Endless seeded scenes with one question each; the twin of V* that needs no download.

    A scene belongs to a split by a checksum of what it holds, not by its index: the same scene
    can't occur in both. The question's category is "hard" (the letter on a shape: needs a zoom)
    or "easy" (its shape, or its part of the scene: the overview is enough). The evidence is the
    box of the object asked for. The knobs are the fields of `Difficulty`.

    >>> task = SyntheticSearch(split="test")
    >>> sample = task[0]
    >>> sample == task[0], sample.category in ("easy", "hard"), len(sample.choices)
    (True, True, 0)
    >>> task.grade(sample, sample.answers[0]).score
    1.0
    >>> SyntheticSearch(split="test", options=True)[0].choices
    ('Z', 'O', 'X', 'L')
    """

    name = "SyntheticSearch"
    prefix = "search"
    knobs = Difficulty

    def grade(self, sample: Sample, answer: str) -> Grade:
        """Grades the option's letter or text, or the exact text of a free answer."""
        return grade_choice(sample, answer) if sample.choices else grade_text(sample, answer)

    def scene(self, index: int) -> Scene:
        """Returns the scene behind sample `index`, with every object's name, place and letter."""
        return self.content(index)

    def _random(self, rng: np.random.Generator) -> Scene:
        return random_scene(rng, self.difficulty)

    def _essence(self, content: Scene) -> str:
        return _essence(content)

    def _ask(self, content: Scene, is_easy: bool, rng: np.random.Generator) -> Asked:
        subject = content.objects[0]
        evidence = (Evidence(content.box(subject)),)
        if is_easy:
            question, right, pool = _easy_question(content, subject, rng)
            return Asked(question, (right,), pool, evidence)
        question = f"Which letter is on the {subject.colour} shape?"
        return Asked(question, (subject.mark,), tuple(self.difficulty.marks), evidence)

    def _media(self, content: Scene, name: str) -> tuple[ImageSource]:
        return (ImageSource(partial(draw, content), name=name),)


def belongs_to(scene: Scene) -> Split:
    """Returns the split of a scene, decided by its content alone."""
    return split_of(_essence(scene))


def _essence(scene: Scene) -> str:
    return repr(sorted((o.colour, o.shape, o.mark, o.centre) for o in scene.objects))


def part_of(scene: Scene, subject: SceneObject) -> str:
    """Returns which quarter of the scene an object's centre lies in."""
    x, y = subject.centre
    column, row = x >= scene.side_px / 2, y >= scene.side_px / 2
    return PARTS[2 * row + column]


def _easy_question(
    scene: Scene, subject: SceneObject, rng: np.random.Generator
) -> tuple[str, str, tuple[str, ...]]:
    """Returns a question that the overview answers, its answer, and all possible answers."""
    if rng.random() < 0.5:
        return f"What is the {subject.colour} shape?", subject.shape, SHAPES
    question = f"In which part of the scene is the {subject.colour} shape?"
    return question, part_of(scene, subject), PARTS
