"""The space of what a model sampled: any sequence of token ids."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from gymnasium.spaces import Space
from numpy.typing import NDArray

from ..reading import whole_number


class TokenIds(Space[NDArray[np.int64]]):
    """Any sequence of at most `max_length` token ids from 0 to `n_ids` - 1, the empty one included.

    >>> TokenIds(8, n_ids=100).contains([3, 99]), TokenIds(8, n_ids=100).contains([100])
    (True, False)
    """

    def __init__(
        self, max_length: int, n_ids: int, seed: int | np.random.Generator | None = None
    ) -> None:
        """Makes the space.

        Args:
            max_length: most ids, at least 1.
            n_ids: how many different ids there are, at least 1.
            seed: seed of `sample`.
        """
        self.max_length = max_length
        self.n_ids = n_ids
        super().__init__(dtype=np.int64, seed=seed)

    @property
    def is_np_flattenable(self) -> bool:
        """Whether elements can be flattened into an array of one length: no."""
        return False

    def sample(self, mask: Any = None, probability: Any = None) -> NDArray[np.int64]:
        """Draws up to 16 ids, (length,) int64; masks don't apply."""
        length = int(self.np_random.integers(0, min(self.max_length, 16) + 1))
        return self.np_random.integers(0, self.n_ids, size=length, dtype=np.int64)

    def contains(self, x: Any) -> bool:
        """Tells whether `x` is a list, a tuple or an array (length,) of such ids."""
        is_array = isinstance(x, np.ndarray) and x.ndim == 1
        if not is_array and not isinstance(x, list | tuple):
            return False
        numbers = [whole_number(entry) for entry in x] if len(x) <= self.max_length else [None]
        return all(number is not None and 0 <= number < self.n_ids for number in numbers)

    def to_jsonable(self, sample_n: Iterable[Any]) -> list[list[int]]:
        """Returns each sequence as a list."""
        return [[int(number) for number in ids] for ids in sample_n]

    def from_jsonable(self, sample_n: list[Any]) -> list[NDArray[np.int64]]:
        """Reads sequences back from `to_jsonable`'s form."""
        return [np.array(ids, dtype=np.int64) for ids in sample_n]

    def __repr__(self) -> str:
        return f"TokenIds({self.max_length}, {self.n_ids})"

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, TokenIds)
            and self.max_length == other.max_length
            and self.n_ids == other.n_ids
        )

    __hash__ = None  # type: ignore[assignment]
