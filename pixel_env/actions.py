"""Builders of actions: `zoom_in`, `select_frames`, `answer`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from .media.geometry import FULL
from .types import Action

N_FRAMES = 16
"""Length of `frames` in the actions built here, the environment's default `n_frames`."""


def zoom_in(bbox: Sequence[float] | NDArray[Any], target_image: int = 1) -> Action:
    """Builds a zoom.

    Args:
        bbox: (x1, y1, x2, y2), fractions of the target view's width and height in [0, 1]. What is
            no such box is passed on as it is: the environment tells the policy.
        target_image: number of the view looked into, from 1.

    >>> zoom_in([0.25, 0, 0.5, 1], target_image=2)["bbox"].tolist()
    [0.25, 0.0, 0.5, 1.0]
    """
    box: Any = bbox
    if isinstance(bbox, list | tuple) and all(isinstance(x, int | float) for x in bbox):
        box = np.array([_float(x) for x in bbox], dtype=np.float64)
    return _action(1, bbox=box, target_image=target_image)


def select_frames(frames: Iterable[int], n_frames: int = N_FRAMES) -> Action:
    """Builds a selection of frames.

    Args:
        frames: numbers of the sampled frames, from 1. Numbers outside 1 to `n_frames` can't be
            written as a multi-binary vector; then the set of them is passed on, so that the
            environment can tell the policy.
        n_frames: length of the vector.

    >>> select_frames([1, 4])["frames"].tolist()[:5]
    [1, 0, 0, 1, 0]
    """
    numbers = frozenset(frames)
    chosen: Any = np.zeros(n_frames, dtype=np.int8)
    for number in numbers:
        whole = isinstance(number, int | np.integer) and not isinstance(number, bool)
        if not whole or not 1 <= number <= n_frames:
            return _action(2, frames=numbers)
        chosen[number - 1] = 1
    return _action(2, frames=chosen)


def answer(text: str) -> Action:
    """Builds an answer, which ends the episode.

    >>> answer("B")["operation"], answer("B")["text"]
    (0, 'B')
    """
    return _action(0, text=text)


def _action(
    operation: int,
    text: str = "",
    bbox: Any = None,
    target_image: int = 1,
    frames: Any = None,
) -> Action:
    """Fills the fields that an operation doesn't use with their neutral values."""
    return Action(
        operation=operation,
        text=text,
        bbox=np.array(FULL) if bbox is None else bbox,
        target_image=target_image,
        frames=cast(NDArray[np.int8], np.zeros(N_FRAMES, np.int8) if frames is None else frames),
    )


def _float(value: float) -> float:
    """Converts a number; an int beyond all floats becomes infinite."""
    try:
        return float(value)
    except OverflowError:
        return float("inf")
