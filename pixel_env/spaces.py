"""The spaces of observations and actions, with those that Gymnasium lacks: ids, pictures."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Iterable
from typing import Any

import numpy as np
from gymnasium import spaces
from gymnasium.spaces import Space
from numpy.typing import NDArray

from .config import EnvConfig
from .media.rgb import Image
from .operations import OperationSet, operations
from .operations.fields import UnicodeText
from .operations.registry import CODE
from .reading import whole_number

__all__ = ["RGBImage", "TokenIds", "UnicodeText", "action_space", "observation_space"]


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


class RGBImage(Space[Image]):
    """One (height, width, 3) uint8 RGB picture whose sides are multiples of `multiple`.

    >>> RGBImage(max_pixels=12_544, multiple=28).contains(np.zeros((56, 112, 3), np.uint8))
    True
    """

    def __init__(
        self, max_pixels: int, multiple: int = 1, seed: int | np.random.Generator | None = None
    ) -> None:
        """Makes the space.

        Args:
            max_pixels: most pixels, height times width.
            multiple: what both sides are multiples of.
            seed: seed of `sample`.
        """
        self.max_pixels = max_pixels
        self.multiple = multiple
        super().__init__(shape=None, dtype=np.uint8, seed=seed)

    @property
    def is_np_flattenable(self) -> bool:
        """Whether elements can be flattened into an array of one length: no."""
        return False

    def sample(self, mask: Any = None, probability: Any = None) -> Image:
        """Draws a small noise picture; masks don't apply."""
        most = max(1, self.max_pixels // self.multiple**2)
        rows = int(self.np_random.integers(1, min(most, 4) + 1))
        columns = int(self.np_random.integers(1, min(most // rows, 4) + 1))
        shape = (rows * self.multiple, columns * self.multiple, 3)
        return self.np_random.integers(0, 256, size=shape, dtype=np.uint8)

    def contains(self, x: Any) -> bool:
        """Tells whether `x` is a picture of this space."""
        if not isinstance(x, np.ndarray) or x.dtype != np.uint8 or x.ndim != 3 or x.shape[2] != 3:
            return False
        height, width = x.shape[:2]
        if not 0 < height * width <= self.max_pixels:
            return False
        return bool(height % self.multiple == 0 and width % self.multiple == 0)

    def to_jsonable(self, sample_n: Iterable[Image]) -> list[dict[str, Any]]:
        """Returns each picture as its shape and its compressed bytes in base64."""
        return [
            {
                "shape": list(image.shape),
                "zlib": base64.b64encode(zlib.compress(image.tobytes())).decode("ascii"),
            }
            for image in sample_n
        ]

    def from_jsonable(self, sample_n: list[Any]) -> list[Image]:
        """Reads pictures back from `to_jsonable`'s form."""
        return [_picture(entry) for entry in sample_n]

    def __repr__(self) -> str:
        return f"RGBImage(max_pixels={self.max_pixels}, multiple={self.multiple})"

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, RGBImage)
            and self.max_pixels == other.max_pixels
            and self.multiple == other.multiple
        )

    __hash__ = None  # type: ignore[assignment]


def _picture(entry: dict[str, Any]) -> NDArray[np.uint8]:
    """Rebuilds one picture from its shape and bytes."""
    data = zlib.decompress(base64.b64decode(entry["zlib"]))
    return np.frombuffer(data, dtype=np.uint8).reshape(entry["shape"]).copy()


MAX_TEXT_CHARS = 1_000_000
"""The longest text in an observation."""


def observation_space(config: EnvConfig) -> spaces.Dict:
    """Builds the space of `Observation`."""
    return spaces.Dict(
        {
            "question": UnicodeText(MAX_TEXT_CHARS),
            "choices": spaces.Sequence(UnicodeText(MAX_TEXT_CHARS)),
            "images": spaces.Sequence(RGBImage(config.max_px, config.side_multiple)),
            "first_image": spaces.Discrete(config.max_view_number + 1, start=1),
            "feedback": UnicodeText(MAX_TEXT_CHARS),
            "turn": spaces.Discrete(config.max_turns + 1),
            "turns_left": spaces.Discrete(config.max_turns + 1),
            "n_frames": spaces.Discrete(config.n_frames + 1),
        }
    )


def action_space(config: EnvConfig, known: OperationSet | None = None) -> spaces.Dict:
    """Builds the space of `Action`.

    Args:
        config: the settings of the environment.
        known: the operations; by default those that are registered now.
    """
    known = known or operations()
    fields = {name: argument.space(config) for name, argument in known.arguments.items()}
    return spaces.Dict({CODE: spaces.Discrete(len(known)), **fields})
