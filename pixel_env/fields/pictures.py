"""The space of one picture of any size up to a number of pixels."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Iterable
from typing import Any

import numpy as np
from gymnasium.spaces import Space
from numpy.typing import NDArray

from ..media.rgb import Image


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
