"""The filters that shrink pictures, by name; whatever shrinks, Pillow's bicubic enlarges."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage

from ..errors import ConfigError, unknown_name

_OF_PILLOW = {
    "lanczos": PillowImage.Resampling.LANCZOS,
    "bicubic": PillowImage.Resampling.BICUBIC,
}

RESAMPLERS = (*_OF_PILLOW, "vips")
"""Names of filters: Pillow's Lanczos, which keeps fine print sharpest; Pillow's bicubic, which
takes two thirds of its time and is what image processors of models use; libvips's Lanczos, which
takes a third and is the same within a grey level, but for single pixels."""

_REDUCING_GAP = 3.0
"""Pillow first shrinks by whole factors, down to this many times the size wanted."""


def check_resampler(name: object) -> None:
    """Checks the name of a filter, and that what it needs is installed.

    Raises:
        ConfigError: there is no such filter, or pyvips can't be imported.
    """
    if name not in RESAMPLERS:
        raise unknown_name("resampler", name, RESAMPLERS)
    if name == "vips":
        try:
            from . import with_vips  # noqa: F401
        except (ImportError, OSError) as fault:  # OSError: pyvips is there, its library isn't
            raise ConfigError(
                f"expected pyvips for resampler='vips': pip install 'pixel-reason[vips]' ({fault})"
            ) from fault


def resized(picture: PillowImage.Image, size: tuple[int, int], resampler: str) -> NDArray[np.uint8]:
    """Brings a picture to a size.

    Args:
        picture: mode RGB.
        size: (width, height) wanted.
        resampler: a name in `RESAMPLERS`.

    Returns:
        A fresh (height, width, 3) uint8 RGB array.

    >>> resized(PillowImage.new("RGB", (4, 2), "white"), (2, 1), "bicubic").tolist()
    [[[255, 255, 255], [255, 255, 255]]]
    """
    if picture.size == size:
        return np.array(picture, dtype=np.uint8)
    shrinks = size[0] < picture.width or size[1] < picture.height
    if shrinks and resampler == "vips":
        from .with_vips import shrunk

        return shrunk(np.asarray(picture), size)
    by = _OF_PILLOW[resampler] if shrinks else PillowImage.Resampling.BICUBIC
    return np.array(picture.resize(size, by, reducing_gap=_REDUCING_GAP), dtype=np.uint8)
