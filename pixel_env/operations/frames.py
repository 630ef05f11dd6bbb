"""Which frames of a clip an operation is given: multi-binary in an action, numbers in a call."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from gymnasium import spaces
from gymnasium.spaces import Space

from ..config import EnvConfig
from ..errors import OperationError
from ..history import History
from ..reading import described, json_whole_number, quoted, whole_number
from .arguments import Argument
from .terms import CallTerms

N_FRAMES = 16
"""Length of `frames` in an action where nothing else is known, the default `n_frames`."""

_MOST_ENTRIES = 4096
"""A longer `frames` is refused unread."""


@dataclass(frozen=True)
class FramesArgument(Argument):
    """Some of a clip's sampled frames: multi-binary, entry i is frame i + 1."""

    name: str = "frames"
    column: ClassVar[str] = "frame"

    def space(self, config: EnvConfig) -> Space[Any]:
        """Returns one entry of 0 or 1 for each sampled frame."""
        return spaces.MultiBinary(config.n_frames)

    def neutral(self) -> Any:
        """Returns no frame."""
        return np.zeros(N_FRAMES, np.int8)

    def built(self, value: Any, n_frames: int = N_FRAMES) -> Any:
        """Turns numbers from 1 into the vector; where one doesn't fit, into their set."""
        if isinstance(value, np.ndarray):
            return value
        numbers = frozenset(value)
        chosen = np.zeros(n_frames, dtype=np.int8)
        for number in numbers:
            whole = isinstance(number, int | np.integer) and not isinstance(number, bool)
            if not whole or not 1 <= number <= n_frames:
                return numbers
            chosen[number - 1] = 1
        return chosen

    def check(self, value: Any, history: History) -> list[int]:
        """Returns the numbers of the chosen frames, from 1, rising."""
        n_frames = history.n_frames
        if isinstance(value, set | frozenset):
            chosen = [whole_number(number) for number in value]
        else:
            chosen = [index + 1 for index in _chosen_entries(value, n_frames, self.name)]
        numbers = sorted(number for number in chosen if number is not None)
        wrong = [number for number in numbers if not 1 <= number <= n_frames]
        if wrong or len(numbers) < len(chosen):
            got = described(wrong[0]) if wrong else "something else"
            raise OperationError(
                "bad_frames", f"Frames are whole numbers from 1 to {n_frames}, got {got}."
            )
        return numbers

    def schema(self, terms: CallTerms) -> dict[str, Any]:
        """Returns a list of frame numbers, counted as the dialect counts."""
        return {
            "type": "array",
            "items": {"type": "integer", "minimum": terms.first},
            "minItems": 1,
            "uniqueItems": True,
            "description": "numbers of the frames to see larger",
        }

    def read(self, given: Mapping[str, Any], keys: Sequence[str], terms: CallTerms) -> Any:
        """Reads a list of numbers; a frame named twice is refused."""
        key, first = keys[0], terms.first
        listed = given.get(key)
        if not isinstance(listed, list) or not listed:
            raise OperationError(
                "bad_frames", f"{key} must be a list of frame numbers, from {first}."
            )
        n_frames = terms.n_frames or N_FRAMES
        chosen = []
        for value in listed:
            number = json_whole_number(value)
            if number is None or not first <= number < first + n_frames:
                raise OperationError(
                    "bad_frames",
                    f"{key} must be numbers from {first} to {first + n_frames - 1}, "
                    f"got {quoted(value)}.",
                )
            chosen.append(number - first + 1)
        if len(set(chosen)) != len(chosen):
            raise OperationError("bad_frames", f"{key} must name each frame once.")
        return self.built(chosen, max(n_frames, N_FRAMES))

    def write(self, value: Any, terms: CallTerms) -> str:
        """Writes the numbers of the chosen frames."""
        return json.dumps([int(index) + terms.first for index in np.flatnonzero(value)])


def _chosen_entries(frames: object, n_frames: int, name: str) -> list[int]:
    """Returns the places, from 0, at which a multi-binary vector is 1."""
    allowed = f"{name} must be {n_frames} entries of 0 or 1, one a frame"
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
