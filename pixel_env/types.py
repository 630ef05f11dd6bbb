"""The values that cross a border between two layers: frozen, typed, and free of behaviour."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray

from .media.clips import ClipSource
from .media.geometry import Box
from .media.pictures import ImageSource
from .media.rgb import Image

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
"""The letters that options are shown under, in order."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Where the answer can be seen. Never shown to a policy.

    Attributes:
        box: fractions of the source picture.
        image: which source picture or frame, from 1.
    """

    box: Box
    image: int = 1


@dataclass(frozen=True, slots=True)
class Sample:
    """One question about one or more pictures, or about one clip.

    Attributes:
        id: stable name of the sample, the same in every layout of its data set.
        question: the question alone, without its options and without answer instructions.
        media: what is asked about: one or more image sources, or exactly one clip source.
        answers: accepted answers as text. With `choices`, exactly one: the right option's text.
        choices: options in the order shown, without letters; empty for a free answer.
        right_choice: index (from 0) of the right option in `choices`; None for a free answer.
        category: the task set's own grouping, reported apart ("" where there is none).
        evidence: where the answer is visible, where that is known.
        origin: file and row that the sample comes from, for error messages.
        cycle: which order of the same options this row shows, where a data set asks each question
            once in every order (HR-Bench); its score is the mean over the orders.
    """

    id: str
    question: str
    media: tuple[ImageSource, ...] | tuple[ClipSource]
    answers: tuple[str, ...]
    choices: tuple[str, ...] = ()
    right_choice: int | None = None
    category: str = ""
    evidence: tuple[Evidence, ...] = ()
    origin: str = ""
    cycle: str = ""


@dataclass(frozen=True, slots=True)
class View:
    """One picture that was shown, and which part of which source it is.

    Attributes:
        image: (height, width, 3) uint8 RGB, as shown.
        source: which source picture or frame, from 1; a picture that an operation made is a source
            of its own, with a number after those.
        box: the rectangle of the source that it shows, fractions of the source.
        origin: "overview", or the name of the operation that gave it.
        parent: number of the view that it was made from, from 1; None for an overview.
        made: the source, where an operation made it and this view shows it first.
    """

    image: Image
    source: int
    box: Box
    origin: str
    parent: int | None = None
    made: ImageSource | None = None


@dataclass(frozen=True, slots=True)
class Grade:
    """What an answer is worth.

    Attributes:
        score: in [0, 1]; the task's own metric for this one answer.
        correct: whether the answer counts as right in accuracy.
        parsed: the answer as the grader understood it; None where it could not be read.
        error: the number read minus the true one, where the true answer is a number and one
            could be read; else None.
    """

    score: float
    correct: bool
    parsed: str | None
    error: float | None = None


class Observation(TypedDict):
    """One turn's news. Plain values and fresh arrays: nothing in it is shared or reused.

    `question` and `choices` are repeated every turn. `images` holds only the views that are new
    in this turn; the first of them has number `first_image` (views are numbered from 1 in the
    order shown). `feedback` is "" at reset, else one sentence about the last operation. `n_frames`
    is how many frames of a clip can be selected; 0 where the media are pictures.
    """

    question: str
    choices: tuple[str, ...]
    images: tuple[Image, ...]
    first_image: int
    feedback: str
    turn: int
    turns_left: int
    n_frames: int


class Action(TypedDict):
    """One structured action; fields that an operation doesn't use hold their neutral value.

    `operation`: 0 answer, 1 zoom_in, 2 select_frames, then those that were registered. `text`: the
    answer. `bbox`: (4,) float64, fractions of the target view. `target_image`: view number from 1.
    `frames`: (16,) int8, 1 where the frame (numbered from 1, so entry i is frame i + 1) is chosen.
    Arguments of registered operations have further fields of their names.
    """

    operation: int
    text: str
    bbox: NDArray[np.float64]
    target_image: int
    frames: NDArray[np.int8]


Info = dict[str, Any]
"""Gymnasium's info; the keys are listed in `PixelReasoningEnv`'s docstring."""
