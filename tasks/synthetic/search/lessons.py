"""What a blank model is taught before it meets the task: to name what is in scenes.

Two kinds of supervision come from the same pictures: labels for every token of a picture (what
stands under it), for the vision tower alone; and lessons as chats (a picture, a request, what to
say), for the whole model. No lesson holds a call: zooming is taught later.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pixel_env.media.geometry import Box
from pixel_env.media.pictures import ImageSource
from pixel_env.media.rgb import Image

from ..lessons import BOX_STEP, IGNORED, Lesson, grounded, listed, quiz, square
from ..lessons import written_box as square_on_grid
from .layout import Difficulty, random_scene
from .scene import COLOURS, SHAPES, Scene, SceneObject, draw
from .task import PARTS, belongs_to, part_of

PICTURE_PX, TOKENS = 112, 4
"""A picture of 112 px is 4 x 4 tokens of 28 px."""

CROP_SIDES = (0.1, 0.15, 0.15, 0.15, 0.2, 0.3, 0.4)
LARGEST_READABLE = 0.2
"""In a crop of a larger side (fraction of the scene) the letters are too small to be asked."""

N_STEPS = round(1 / BOX_STEP) + 1
HEADS: dict[str, int] = {
    "colour": len(COLOURS) + 1,
    "shape": len(SHAPES) + 1,
    "mark": 0,
    "x1": N_STEPS,
    "y1": N_STEPS,
    "x2": N_STEPS,
    "y2": N_STEPS,
}
"""Labels of a token and how many classes each has; "mark" has as many as there are letters."""


@dataclass(frozen=True, slots=True)
class Exhibit:
    """One picture and what it is a picture of.

    Attributes:
        picture: (112, 112, 3) uint8 RGB.
        scene: the scene.
        box: the part of it that is shown; the whole for an overview.
        subject: the object that a crop was made for; the first one for an overview.
    """

    picture: Image
    scene: Scene
    box: Box
    subject: SceneObject

    @property
    def is_overview(self) -> bool:
        """Whether the whole scene is shown."""
        return self.box == (0.0, 0.0, 1.0, 1.0)

    @property
    def is_readable(self) -> bool:
        """Whether letters can be read in it."""
        return self.box[2] - self.box[0] <= LARGEST_READABLE + 1e-9


def exhibits(
    rng: np.random.Generator, difficulty: Difficulty, n_crops: int, scene: Scene | None = None
) -> list[Exhibit]:
    """Returns the overview of a scene and some crops of it.

    Args:
        rng: where every choice comes from.
        difficulty: the knobs of the scene.
        n_crops: how many crops, each around one of the objects.
        scene: the scene; None draws one of the training split.
    """
    while scene is None or (belongs_to(scene) != "train"):
        scene = random_scene(rng, difficulty)
    source = ImageSource(draw(scene))
    whole = (0.0, 0.0, 1.0, 1.0)
    shown = [Exhibit(_picture(source, whole), scene, whole, scene.objects[0])]
    for _ in range(n_crops):
        subject = scene.objects[rng.integers(len(scene.objects))]
        side = CROP_SIDES[rng.integers(len(CROP_SIDES))]
        shift = rng.uniform(-side / 4, side / 4, size=2)
        x, y = (centre / scene.side_px for centre in subject.centre)
        box = square(float(x + shift[0]), float(y + shift[1]), side)
        shown.append(Exhibit(_picture(source, box), scene, box, subject))
    return shown


def vocabulary(rng: np.random.Generator, difficulty: Difficulty, n_scenes: int) -> list[str]:
    """Returns requests and messages of lessons, to train a tokenizer on."""
    shown = [thing for _ in range(n_scenes) for thing in exhibits(rng, difficulty, 2)]
    taught = [lesson(rng, thing, difficulty.marks) for thing in shown]
    names = [f"{colour} {shape}" for colour in COLOURS for shape in SHAPES]
    texts = [text for one in taught for text in (one.question, *one.choices, one.response)]
    return texts + names


def token_labels(exhibit: Exhibit, marks: str) -> NDArray[np.int64]:
    """Returns what stands under each token of a picture.

    Args:
        exhibit: the picture.
        marks: the letters in use.

    Returns:
        (16, 7) int64, tokens row by row, labels in the order of `HEADS`; the last class of
        colour and shape is "nothing", and `IGNORED` stands where a label doesn't apply.
    """
    labels = np.full((TOKENS * TOKENS, len(HEADS)), IGNORED, np.int64)
    labels[:, 0], labels[:, 1] = len(COLOURS), len(SHAPES)
    x1, y1, x2, _ = exhibit.box
    scale = TOKENS / (x2 - x1)  # from fractions of the scene to tokens of the picture
    for thing in exhibit.scene.objects:
        side = exhibit.scene.side_px
        centre = ((thing.centre[0] / side - x1) * scale, (thing.centre[1] / side - y1) * scale)
        body = _covered(centre, thing.size_px / side * scale)
        letter = _covered(centre, 6 * thing.dot_px / side * scale)
        labels[body, 0] = list(COLOURS).index(thing.colour)
        labels[body, 1] = SHAPES.index(thing.shape)
        if exhibit.is_overview:
            box = written_box(exhibit.scene, thing)
            labels[body, 3:] = [round(edge / BOX_STEP) for edge in box]
        elif exhibit.is_readable:
            labels[body & letter, 2] = marks.index(thing.mark)
    return labels


def written_box(scene: Scene, thing: SceneObject) -> Box:
    """Returns the square around an object that a policy is taught to write, on the coarse grid."""
    x, y = (centre / scene.side_px for centre in thing.centre)
    return square_on_grid(x, y)


def lesson(
    rng: np.random.Generator, exhibit: Exhibit, marks: str, is_first: bool = False
) -> Lesson:
    """Makes one lesson of a picture; which one is drawn from those that it allows.

    With `is_first` all objects' boxes are asked for where one object's would be: finding what a
    word names is learnt from many such questions on a picture.
    """
    if exhibit.is_overview:
        things = exhibit.scene.objects
        exhibit = replace(exhibit, subject=things[rng.integers(len(things))])
        where = _locate if is_first else _ground
        kinds: tuple[Callable[..., Lesson], ...] = (_describe, _locate, where, where, _part, _shape)
    elif exhibit.is_readable:
        kinds = (_name, _letter, _letter)
    else:
        kinds = (_name, _shape)
    return kinds[rng.integers(len(kinds))](rng, exhibit, marks)


def _describe(_: np.random.Generator, exhibit: Exhibit, __: str) -> Lesson:
    """All cells of an overview, row by row."""
    cells = ["-"] * (TOKENS * TOKENS)
    for thing in exhibit.scene.objects:
        column, row = (int(c * TOKENS / exhibit.scene.side_px) for c in thing.centre)
        cells[row * TOKENS + column] = f"{thing.colour} {thing.shape}"
    return Lesson((exhibit.picture,), "What stands where?", (), ", ".join(cells))


def _locate(rng: np.random.Generator, exhibit: Exhibit, _: str) -> Lesson:
    """The box of every object, asked for in any order: the inverse of a description."""
    things = [exhibit.scene.objects[i] for i in rng.permutation(len(exhibit.scene.objects))]
    asked = ", ".join(thing.colour for thing in things)
    boxes = [f"{thing.colour} [{listed(written_box(exhibit.scene, thing))}]" for thing in things]
    return Lesson((exhibit.picture,), f"Where is {asked}?", (), "\n".join(boxes))


def _ground(_: np.random.Generator, exhibit: Exhibit, __: str) -> Lesson:
    """The box of one object, in the JSON in which Qwen2.5-VL grounds."""
    thing = exhibit.subject
    question = f"Where is the {thing.colour} shape?"
    where = grounded(written_box(exhibit.scene, thing))
    return Lesson((exhibit.picture,), question, (), where)


def _name(_: np.random.Generator, exhibit: Exhibit, __: str) -> Lesson:
    """What a crop shows, with its letter where that can be read."""
    thing = exhibit.subject
    name = f"{thing.colour} {thing.shape}"
    name = f"{name} {thing.mark}" if exhibit.is_readable else name
    return Lesson((exhibit.picture,), "What is this?", (), name)


def _letter(rng: np.random.Generator, exhibit: Exhibit, marks: str) -> Lesson:
    thing = exhibit.subject
    question = f"Which letter is on the {thing.colour} shape?"
    return _quiz(rng, exhibit, question, thing.mark, tuple(marks))


def _shape(rng: np.random.Generator, exhibit: Exhibit, _: str) -> Lesson:
    thing = exhibit.subject
    return _quiz(rng, exhibit, f"What is the {thing.colour} shape?", thing.shape, SHAPES)


def _part(rng: np.random.Generator, exhibit: Exhibit, _: str) -> Lesson:
    thing = exhibit.subject
    question = f"In which part of the scene is the {thing.colour} shape?"
    return _quiz(rng, exhibit, question, part_of(exhibit.scene, thing), PARTS)


def _quiz(
    rng: np.random.Generator, exhibit: Exhibit, question: str, right: str, pool: tuple[str, ...]
) -> Lesson:
    return quiz(rng, (exhibit.picture,), question, right, pool)


def _covered(centre: tuple[float, float], side: float) -> NDArray[np.bool_]:
    """Tells which tokens a square covers: at least 0.3 of the token, or of the square.

    Args:
        centre: (x, y) in tokens.
        side: of the square, in tokens.

    Returns:
        (16,) bool, tokens row by row.
    """
    starts = np.arange(TOKENS)
    overlaps = [
        np.clip(np.minimum(starts + 1, c + side / 2) - np.maximum(starts, c - side / 2), 0, None)
        for c in centre
    ]
    area = overlaps[1][:, None] * overlaps[0][None, :]  # (rows, columns)
    covered: NDArray[np.bool_] = (area > 0.3 * min(1.0, side * side)).ravel()
    return covered


def _picture(source: ImageSource, box: Box) -> Image:
    """Cuts a picture out of a drawn scene as the environment would."""
    return source.region(box, (PICTURE_PX, PICTURE_PX))
