"""SyntheticSearch: a procedural twin of V*.

A letter on one of several coloured shapes is asked for. In the overview it is smaller than three
pixels; after a zoom on the right shape it can be read. A share of the questions (which shape, in
which part of the scene) can be answered from the overview.
"""

from __future__ import annotations

import zlib
from functools import lru_cache, partial
from typing import Literal

import numpy as np

from ...errors import ConfigError, unknown_name
from ...media import ImageSource
from ...task import Task
from ...types import Evidence, Grade, Sample
from ..grading import grade_choice, grade_text
from .layout import Difficulty, random_scene
from .scene import SHAPES, Scene, SceneObject, draw

N_SAMPLES = 1_000_000
N_OPTIONS = 4
PARTS = ("top left", "top right", "bottom left", "bottom right")
CATEGORIES = ("easy", "hard")
TEST_SHARE = 5
"""One scene in this many belongs to the test split, by its content."""

Split = Literal["train", "test"]


class SyntheticSearch(Task):
    """Endless seeded scenes with one question each; the twin of V* that needs no download.

    A scene belongs to a split by a checksum of what it holds, not by its index: the same scene
    can't occur in both. The question's category is "hard" (the letter on a shape: needs a zoom)
    or "easy" (its shape, or its part of the scene: the overview is enough). The evidence is the
    box of the object asked for.

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

    def __init__(
        self,
        split: Split = "train",
        category: str | None = None,
        *,
        easy_share: float = 0.3,
        options: bool = False,
        seed: int = 0,
        **knobs: int | str,
    ) -> None:
        """Checks and keeps the knobs; no scene is drawn yet.

        Args:
            split: "train" or "test".
            category: "easy" or "hard" alone; None for the mixture.
            easy_share: share of questions that the overview answers, in [0, 1].
            options: whether four options are shown, as V* does; otherwise the answer is free
                text, which can't be guessed as often.
            seed: another seed gives other scenes.
            **knobs: fields of `Difficulty`.

        Raises:
            ConfigError: an argument is unknown or out of its range.
        """
        if split not in ("train", "test"):
            raise unknown_name("split", split, ("train", "test"))
        if category not in (None, *CATEGORIES):
            raise unknown_name("category", category, CATEGORIES)
        if not 0.0 <= easy_share <= 1.0:
            raise ConfigError(f"expected easy_share in [0, 1], got {easy_share}")
        unknown = sorted(set(knobs) - set(Difficulty.__slots__))
        if unknown:
            raise unknown_name("knob of SyntheticSearch", unknown[0], Difficulty.__slots__)
        self.split = split
        self.options = options
        self.easy_share = {"easy": 1.0, "hard": 0.0}.get(category or "", easy_share)
        self.seed = seed
        self.difficulty = Difficulty(**knobs)  # type: ignore[arg-type]
        self._sample = lru_cache(maxsize=256)(self._make)

    def __len__(self) -> int:
        """Returns how many samples a split holds: a million."""
        return N_SAMPLES

    def __getitem__(self, index: int) -> Sample:
        """Returns sample `index`, from 0; recent ones share their drawn picture."""
        if not 0 <= index < N_SAMPLES:
            raise IndexError(f"expected an index from 0 to {N_SAMPLES - 1}, got {index}")
        return self._sample(int(index))

    def grade(self, sample: Sample, answer: str) -> Grade:
        """Grades the option's letter or text, or the exact text of a free answer."""
        return grade_choice(sample, answer) if sample.choices else grade_text(sample, answer)

    def index_of(self, sample_id: str) -> int:
        """Returns the index that is written in the id."""
        head, _, number = sample_id.rpartition("-")
        if head != f"search-{self.split}" or not number.isdecimal() or int(number) >= N_SAMPLES:
            raise ConfigError(f"{self.name} ({self.split}) holds no sample with id {sample_id!r}")
        return int(number)

    def fingerprint(self) -> str:
        """Returns the split, the seed and every knob."""
        return f"{self.name}:{self.split}:{self.seed}:{self.easy_share}:{self.difficulty}"

    def __getstate__(self) -> dict[str, object]:
        """Leaves the cache behind: it can't be sent to another process."""
        return {name: value for name, value in vars(self).items() if name != "_sample"}

    def __setstate__(self, state: dict[str, object]) -> None:
        vars(self).update(state)
        self._sample = lru_cache(maxsize=256)(self._make)

    def scene(self, index: int) -> Scene:
        """Returns the scene behind sample `index`, with every object's name, place and letter."""
        return self._draw_lots(index)[0]

    def _draw_lots(self, index: int) -> tuple[Scene, np.random.Generator]:
        """Draws scenes from the sample's own stream until one belongs to the split."""
        entropy = (self.seed, 0 if self.split == "train" else 1, index)
        rng = np.random.default_rng(entropy)
        while True:
            scene = random_scene(rng, self.difficulty)
            if belongs_to(scene) == self.split:
                return scene, rng

    def _make(self, index: int) -> Sample:
        scene, rng = self._draw_lots(index)
        subject = scene.objects[0]
        if rng.random() < self.easy_share:
            category = "easy"
            question, right, pool = _easy_question(scene, subject, rng)
        else:
            category, pool = "hard", tuple(self.difficulty.marks)
            question, right = f"Which letter is on the {subject.colour} shape?", subject.mark
        choices: tuple[str, ...] = ()
        if self.options:
            wrong = [text for text in pool if text != right]
            chosen = [wrong[i] for i in rng.permutation(len(wrong))[: N_OPTIONS - 1]]
            choices = tuple([right, *chosen][i] for i in rng.permutation(N_OPTIONS))
        name = f"search-{self.split}-{index}"
        return Sample(
            id=name,
            question=question,
            media=(ImageSource(partial(draw, scene), name=name),),
            answers=(right,),
            choices=choices,
            right_choice=choices.index(right) if choices else None,
            category=category,
            evidence=(Evidence(scene.box(subject)),),
            origin=f"{self.name} {self.split} {index}",
        )


def belongs_to(scene: Scene) -> Split:
    """Returns the split of a scene, decided by its content alone."""
    content = repr(sorted((o.colour, o.shape, o.mark, o.centre) for o in scene.objects))
    return "test" if zlib.crc32(content.encode()) % TEST_SHARE == 0 else "train"


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
