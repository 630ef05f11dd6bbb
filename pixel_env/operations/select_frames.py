"""Selecting frames: some of a clip's sampled frames, read anew at a resolution of their own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from ..errors import OperationError
from ..history import History
from ..reading import GivenAction, described, field_of, whole_number
from .base import Operation, Outcome

_MOST_ENTRIES = 4096
"""A longer `frames` is refused unread."""


class SelectFrames(Operation):
    """Shows sampled frames of the clip larger. Reads `frames`.

    `frames` is multi-binary over the sampled frames (entry i is frame i + 1), or, where numbers
    can't be written so, a set of numbers from 1. The feedback names the new views' numbers.

    >>> import numpy as np
    >>> from pixel_env import ClipSource, EnvConfig, Sample
    >>> from pixel_env.actions import select_frames
    >>> clip = ClipSource(np.zeros((20, 60, 80, 3), np.uint8))
    >>> history = History(Sample("1", "What happens?", (clip,), ("nothing",)), EnvConfig())
    >>> SelectFrames().execute(select_frames([3, 7]), history).feedback
    'Images 17 and 18 are frames 3 and 7.'
    """

    name: ClassVar[str] = "select_frames"
    code: ClassVar[int] = 2

    def execute(self, action: GivenAction, history: History) -> Outcome:
        """Reads the frames; see `Operation.execute`."""
        if not history.n_frames:
            raise OperationError(
                "bad_frames", "There is no clip to select frames of; zoom in or answer instead."
            )
        numbers = _numbers(field_of(action, "frames"), history.n_frames)
        most = history.config.max_selected
        if not numbers:
            raise OperationError(
                "bad_frames",
                f"Select at least one frame, by numbers from 1 to {history.n_frames}.",
            )
        if len(numbers) > most:
            raise OperationError(
                "bad_frames", f"Select at most {most} frames at once, got {len(numbers)}."
            )
        history.check_room(len(numbers))
        views = history.selected(numbers)
        first = len(history.views) + 1
        shown = list(range(first, first + len(views)))
        return Outcome(told_frames(shown, numbers), views=views, frames=tuple(numbers))


def told_frames(images: Sequence[int], frames: Sequence[int]) -> str:
    """Says which views show which frames; both in rising order.

    >>> told_frames([17, 18, 19], [2, 3, 4])
    'Images 17 to 19 are frames 2 to 4.'
    """
    verb = "is" if len(images) == 1 else "are"
    return f"{_counted('Image', images)} {verb} {_counted('frame', frames)}."


def _numbers(frames: object, n_frames: int) -> list[int]:
    """Reads the numbers of the chosen frames, from 1, rising."""
    if isinstance(frames, set | frozenset):
        chosen = [whole_number(number) for number in frames]
    else:
        chosen = [index + 1 for index in _chosen_entries(frames, n_frames)]
    numbers = sorted(number for number in chosen if number is not None)
    wrong = [number for number in numbers if not 1 <= number <= n_frames]
    if wrong or len(numbers) < len(chosen):
        got = described(wrong[0]) if wrong else "something else"
        raise OperationError(
            "bad_frames", f"Frames are whole numbers from 1 to {n_frames}, got {got}."
        )
    return numbers


def _chosen_entries(frames: object, n_frames: int) -> list[int]:
    """Returns the places, from 0, at which a multi-binary vector is 1."""
    allowed = f"frames must be {n_frames} entries of 0 or 1, one a frame"
    if not isinstance(frames, list | tuple | np.ndarray):
        raise OperationError("bad_frames", f"{allowed}, got {described(frames)}.")
    if isinstance(frames, np.ndarray) and frames.ndim != 1:
        raise OperationError("bad_frames", f"{allowed}, got {described(frames)}.")
    if len(frames) > _MOST_ENTRIES:
        raise OperationError("bad_frames", f"{allowed}, got {len(frames)} entries.")
    for entry in frames:
        number = isinstance(entry, int | float | np.number | np.bool_)
        if not number or entry not in (0, 1):
            raise OperationError("bad_frames", f"{allowed}, got the entry {described(entry)}.")
    return [index for index, entry in enumerate(frames) if entry == 1]


def _counted(noun: str, numbers: Sequence[int]) -> str:
    """Writes "frame 3", "frames 3 and 7", "frames 3, 7 and 9", or "frames 3 to 7" for a run."""
    if len(numbers) == 1:
        return f"{noun} {numbers[0]}"
    if len(numbers) > 2 and numbers[-1] - numbers[0] == len(numbers) - 1:
        return f"{noun}s {numbers[0]} to {numbers[-1]}"
    head = ", ".join(str(number) for number in numbers[:-1])
    return f"{noun}s {head} and {numbers[-1]}"
