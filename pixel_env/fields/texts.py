"""The spaces of any text, and of one of a few values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from gymnasium.spaces import Space

_SAMPLED_RANGES = ((0x20, 0x7F), (0xC0, 0x250), (0x4E00, 0x4F00), (0x1F600, 0x1F640))
"""Code points that samples are drawn from: ASCII, accented Latin, Han, and one astral block."""


class UnicodeText(Space[str]):
    """Any text of at most `max_length` characters, the empty text included.

    Gymnasium's `Text` takes a fixed charset, without space or punctuation by default.

    >>> UnicodeText(8).contains("Où? 猫")
    True
    """

    def __init__(self, max_length: int, seed: int | np.random.Generator | None = None) -> None:
        """Makes the space.

        Args:
            max_length: most characters, at least 1.
            seed: seed of `sample`.
        """
        self.max_length = max_length
        super().__init__(dtype=str, seed=seed)

    @property
    def is_np_flattenable(self) -> bool:
        """Whether elements can be flattened into an array: no."""
        return False

    def sample(self, mask: Any = None, probability: Any = None) -> str:
        """Draws a text of up to 16 characters; masks don't apply."""
        length = int(self.np_random.integers(0, min(self.max_length, 16) + 1))
        blocks = self.np_random.integers(0, len(_SAMPLED_RANGES), size=length)
        return "".join(chr(int(self.np_random.integers(*_SAMPLED_RANGES[i]))) for i in blocks)

    def contains(self, x: Any) -> bool:
        """Tells whether `x` is a str of at most `max_length` characters."""
        return isinstance(x, str) and len(x) <= self.max_length

    def to_jsonable(self, sample_n: Iterable[str]) -> list[str]:
        """Returns the texts as they are."""
        return list(sample_n)

    def from_jsonable(self, sample_n: list[Any]) -> list[str]:
        """Returns the texts as they are."""
        return [str(text) for text in sample_n]

    def __repr__(self) -> str:
        return f"UnicodeText({self.max_length})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, UnicodeText) and self.max_length == other.max_length

    __hash__ = None  # type: ignore[assignment]


class Choice(Space[Any]):
    """One of a few whole numbers, or one of a few texts.

    >>> Choice((90, 180, 270)).contains(180), Choice((90, 180, 270)).contains(100)
    (True, False)
    """

    def __init__(
        self, values: Sequence[int | str], seed: int | np.random.Generator | None = None
    ) -> None:
        """Makes the space.

        Args:
            values: the values, at least one, all whole numbers or all texts.
            seed: seed of `sample`.
        """
        self.values = tuple(values)
        super().__init__(seed=seed)

    @property
    def is_np_flattenable(self) -> bool:
        """Whether elements can be flattened into an array: no."""
        return False

    def sample(self, mask: Any = None, probability: Any = None) -> int | str:
        """Draws a value; masks don't apply."""
        return self.values[int(self.np_random.integers(len(self.values)))]

    def contains(self, x: Any) -> bool:
        """Tells whether `x` is one of the values."""
        return isinstance(x, int | np.integer | str) and x in self.values

    def to_jsonable(self, sample_n: Iterable[Any]) -> list[Any]:
        """Returns the values as they are."""
        return list(sample_n)

    def from_jsonable(self, sample_n: list[Any]) -> list[Any]:
        """Returns the values as they are."""
        return list(sample_n)

    def __repr__(self) -> str:
        return f"Choice({self.values})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Choice) and self.values == other.values

    __hash__ = None  # type: ignore[assignment]
