"""Any picture as 8-bit RGB: opened under one explicit limit, turned upright, flattened, scaled."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage
from PIL import ImageOps, UnidentifiedImageError

Image = NDArray[np.uint8]
"""A picture as a policy sees it: (height, width, 3) uint8 RGB."""

MAX_PIXELS = 200_000_000
"""A file that promises more pixels than this is refused before any of them is decoded.

Large photographs and long infographics have up to some 180 million; a compressed file of a few
kilobytes can promise a thousand million.
"""

_LIMIT_LOCK = threading.Lock()


def open_picture(file: str | os.PathLike[str] | IO[bytes]) -> PillowImage.Image:
    """Opens a picture file without decoding it.

    Args:
        file: a path, or an open file.

    Raises:
        ValueError: it is no picture, or has more than `MAX_PIXELS` pixels.
        OSError: it can't be opened.
    """
    try:
        with _without_pillows_limit():
            picture = PillowImage.open(file)
    except UnidentifiedImageError as fault:
        raise ValueError("it is no picture of a known format") from fault
    width, height = picture.size
    if width * height > MAX_PIXELS:
        picture.close()
        raise ValueError(
            f"it has {width} x {height} pixels, and over {MAX_PIXELS:,} are taken for a "
            "decompression bomb"
        )
    return picture


def cut(picture: PillowImage.Image, pixels: tuple[int, int, int, int]) -> PillowImage.Image:
    """Cuts a rectangle out of a picture.

    Args:
        picture: a loaded picture.
        pixels: (left, top, right, bottom), right and bottom exclusive.
    """
    with _without_pillows_limit():  # which warns of large cuts of large pictures, too
        return picture.crop(pixels)


@contextmanager
def _without_pillows_limit() -> Iterator[None]:
    """Puts Pillow's own limit aside, which is one for the whole process, for a moment.

    It warns from 89 million pixels and refuses from 179 million. The user's setting is put back.
    """
    with _LIMIT_LOCK:
        before = PillowImage.MAX_IMAGE_PIXELS
        PillowImage.MAX_IMAGE_PIXELS = None
        try:
            yield
        finally:
            PillowImage.MAX_IMAGE_PIXELS = before


def to_rgb(picture: PillowImage.Image) -> PillowImage.Image:
    """Brings any Pillow picture to a loaded one of mode RGB, turned as its EXIF says.

    A colour profile is not applied: models are given the numbers of the file.
    """
    picture = ImageOps.exif_transpose(picture)  # loads, and copies in any case
    if picture.mode.startswith("I;16"):
        return picture_from_array(np.asarray(picture).astype(np.uint16))
    if picture.mode == "I":  # 32 bits that hold 16, as older PNG readers give them
        return picture_from_array(np.clip(np.asarray(picture), 0, 65_535).astype(np.uint16))
    if picture.mode == "F":
        return picture_from_array(np.asarray(picture))
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        white = PillowImage.new("RGBA", picture.size, (255, 255, 255, 255))
        picture = PillowImage.alpha_composite(white, picture)
    if picture.mode != "RGB":
        return picture.convert("RGB")
    return picture


def picture_from_array(array: NDArray[Any]) -> PillowImage.Image:
    """Brings an array of any accepted layout to a Pillow picture of mode RGB.

    Raises:
        ValueError: the shape or the dtype is none that `ImageSource` takes.
    """
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    layout = array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (3, 4))
    if not layout or 0 in array.shape:
        raise ValueError(f"expected an array (H, W), (H, W, 3) or (H, W, 4), got {array.shape}")
    if array.dtype == np.uint16:
        array = (array.astype(np.uint32) + 128) // 257
    elif array.dtype == np.bool_:
        array = array.astype(np.uint8) * 255
    elif np.issubdtype(array.dtype, np.floating):
        array = _bytes_of_floats(array)
    elif array.dtype != np.uint8:
        raise ValueError(f"expected bool, uint8, uint16 or float, got {array.dtype}")
    return to_rgb(PillowImage.fromarray(np.ascontiguousarray(array, dtype=np.uint8)))


def _bytes_of_floats(array: NDArray[Any]) -> NDArray[Any]:
    """Scales floats in [0, 1] to 0..255."""
    if not np.isfinite(array).all() or array.min() < 0 or array.max() > 1:
        raise ValueError("expected floats in [0, 1], got values outside")
    scaled: NDArray[Any] = np.rint(array * 255)
    return scaled
