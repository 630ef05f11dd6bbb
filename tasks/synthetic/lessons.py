"""What the lessons of every twin have in common: pictures, a request, a response, labels.

A blank model is taught from them before it meets a task, as a pretrained model has been. No lesson
contains a call: operations are taught by demonstrations.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pixel_env.media.geometry import Box
from pixel_env.media.rgb import Image
from pixel_env.types import Observation

from .endless import N_OPTIONS

TOKEN_PX = 28
"""Side of what one token of a picture covers."""

BOX_STEP = 0.05
BOX_SIDE = 0.15
"""Boxes are written in this step, and this large, as the demonstrations for this policy are."""

OPTIONS_SHARE = 0.3
"""Share of a task's questions that come with options."""

IGNORED = -100
NOTHING = ""
"""The class of a token under which there is nothing of a kind."""

_CHARACTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789,-%"
_STEPS = tuple(f"{step * BOX_STEP:g}" for step in range(round(1 / BOX_STEP) + 1))
_FEW = ("0", "1", "2")

HEADS: dict[str, tuple[str, ...]] = {
    "colour": (
        *("red", "orange", "yellow", "green", "cyan", "blue", "pink", "white", "black", "purple"),
        NOTHING,
    ),
    "shape": ("circle", "square", "triangle", "cross", "star", "card", NOTHING),
    "letter": tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
    "x1": _STEPS,
    "y1": _STEPS,
    "dots": _FEW,
    "crosses": _FEW,
    "triangles": _FEW,
    "badge": ("no", "yes"),
    "right": _FEW,
    "down": _FEW,
    "first_character": tuple(_CHARACTERS),
    "second_character": tuple(_CHARACTERS),
    "third_character": tuple(_CHARACTERS),
    "topic": tuple("12345678"),
}
"""What is known of a token of a picture, and the classes of each."""

_TELLING = {"card", "digits", "letter", "moment", "print", "still", "there", "title"}
"""Last words that tell kinds of requests apart."""

_PLACES = {name: place for place, name in enumerate(HEADS)}


@dataclass(frozen=True, slots=True)
class Lesson:
    """Pictures, a request about them, and the response to it.

    Attributes:
        pictures: (height, width, 3) uint8 RGB each.
        question: the request.
        choices: options, where it has some.
        response: the message to be learnt.
        n_frames: how many of the pictures, from the first, are frames of a clip.
    """

    pictures: tuple[Image, ...]
    question: str
    choices: tuple[str, ...]
    response: str
    n_frames: int = 0

    @property
    def observation(self) -> Observation:
        """The lesson as the first observation of an episode."""
        return Observation(
            question=self.question,
            choices=self.choices,
            images=self.pictures,
            first_image=1,
            n_frames=self.n_frames,
            feedback="",
            turn=0,
            turns_left=5,
        )

    @property
    def kind(self) -> str:
        """The first two words of the request, and the last where it isn't the name of a thing."""
        words = self.question.rstrip("?").split()
        last = words[-1:] if words[-1] in _TELLING else []
        return " ".join([*words[:2], *last])


class Exhibit(ABC):
    """Pictures that lessons can be made of, and what stands under each of their tokens.

    Attributes:
        pictures: (height, width, 3) uint8 RGB each, sides multiples of `TOKEN_PX`.
        labels: (tokens, heads) int64 for each picture, tokens row by row, labels in the order of
            `HEADS`; `IGNORED` where a label doesn't apply.
    """

    pictures: tuple[Image, ...]
    labels: tuple[NDArray[np.int64], ...]

    @abstractmethod
    def lesson(self, rng: np.random.Generator) -> Lesson:
        """Draws one of the lessons that the pictures allow."""


class TokenLabels:
    """Labels of one picture that are being written.

    Attributes:
        values: (tokens, heads) int64, tokens row by row.
    """

    def __init__(self, size: tuple[int, int], *empty: str) -> None:
        """Starts with nothing known.

        Args:
            size: (width, height) of the picture in pixels.
            *empty: heads that begin with their last class, or "0", or "no": nothing there.
        """
        self._columns, self._rows = size[0] // TOKEN_PX, size[1] // TOKEN_PX
        self.values = np.full((self._columns * self._rows, len(HEADS)), IGNORED, np.int64)
        for head in empty:
            classes = HEADS[head]
            is_last = NOTHING in classes
            self.values[:, _PLACES[head]] = len(classes) - 1 if is_last else 0

    def put(self, where: Box, **classes: str) -> None:
        """Labels the tokens that a rectangle covers.

        Args:
            where: fractions of the picture; what lies outside is left out.
            **classes: a class for each head that is known.
        """
        covered = self._covered(where)
        for head, name in classes.items():
            self.values[covered, _PLACES[head]] = HEADS[head].index(name)

    def count(self, x: float, y: float, head: str) -> None:
        """Counts one more of a kind in the token at a point, fractions of the picture."""
        if 0 <= x < 1 and 0 <= y < 1:
            token = int(y * self._rows) * self._columns + int(x * self._columns)
            value = self.values[token, _PLACES[head]]
            self.values[token, _PLACES[head]] = min(value + 1, len(HEADS[head]) - 1)

    def _covered(self, where: Box) -> NDArray[np.bool_]:
        """Returns which tokens a rectangle covers: 0.3 of the token, or of the rectangle."""
        x1, x2 = where[0] * self._columns, where[2] * self._columns
        y1, y2 = where[1] * self._rows, where[3] * self._rows
        across, along = np.arange(self._columns), np.arange(self._rows)
        width = np.clip(np.minimum(across + 1, x2) - np.maximum(across, x1), 0, None)
        height = np.clip(np.minimum(along + 1, y2) - np.maximum(along, y1), 0, None)
        area = height[:, None] * width[None, :]  # (rows, columns)
        covered: NDArray[np.bool_] = (area > 0.3 * min(1.0, (x2 - x1) * (y2 - y1))).ravel()
        return covered


def quiz(
    rng: np.random.Generator,
    pictures: tuple[Image, ...],
    question: str,
    right: str,
    pool: Sequence[str],
    n_frames: int = 0,
) -> Lesson:
    """Returns a question of the task, answered as the task wants it; some have options."""
    wrong = [text for text in pool if text != right]
    if rng.random() > OPTIONS_SHARE or len(wrong) < N_OPTIONS - 1:
        response = rf"I see {right}. \boxed{{{right}}}"
        return Lesson(pictures, question, (), response, n_frames)
    options = [right, *(wrong[i] for i in rng.permutation(len(wrong))[: N_OPTIONS - 1])]
    choices = tuple(options[i] for i in rng.permutation(len(options)))
    letter = "ABCD"[choices.index(right)]
    response = rf"I see {right}. \boxed{{{letter}}}"
    return Lesson(pictures, question, choices, response, n_frames)


def square(x: float, y: float, side: float) -> Box:
    """Returns the square of a side around a point, moved inside the picture."""
    x1, y1 = (min(max(c - side / 2, 0.0), 1.0 - side) for c in (x, y))
    return (x1, y1, x1 + side, y1 + side)


def written_box(x: float, y: float) -> Box:
    """Returns the square around a point that a policy is taught to write, on the coarse grid."""
    x1, y1, *_ = square(x, y, BOX_SIDE)
    x1, y1 = (round(edge / BOX_STEP) * BOX_STEP for edge in (x1, y1))
    edges = (x1, y1, x1 + BOX_SIDE, y1 + BOX_SIDE)
    return tuple(round(edge, 2) for edge in edges)  # type: ignore[return-value]


def listed(box: Box) -> str:
    """Writes the edges of a box.

    >>> listed((0.05, 0.1, 0.2, 0.25))
    '0.05, 0.1, 0.2, 0.25'
    """
    return ", ".join(f"{edge:g}" for edge in box)


def grounded(box: Box) -> str:
    """Writes where something is, in the JSON in which Qwen2.5-VL grounds."""
    return f'Here: {{"bbox_2d": [{listed(box)}]}}'
