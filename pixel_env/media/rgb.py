"""Any picture as 8-bit RGB: turned upright, flattened, scaled.

Pictures are brought to RGB in strips, so that beside the file's own pixels only those of the
result stand in memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags
from PIL import Image as PillowImage

from .pillow_settings import own_settings

Image = NDArray[np.uint8]
"""A picture as a policy sees it: (height, width, 3) uint8 RGB."""

MAX_PIXELS = 200_000_000
"""A file that promises more pixels than this is refused before any of them is decoded.

Large photographs and long infographics have up to some 180 million; a compressed file of a few
kilobytes can promise a thousand million.
"""

_STRIP_PIXELS = 2**21
"""How many pixels are brought to RGB at once."""

_GREY_STEPS = {"L;2": 85, "L;4": 17}
"""What a PNG's grey of fewer bits is scaled by as it is read, by its layout."""

_UPRIGHT = {
    2: PillowImage.Transpose.FLIP_LEFT_RIGHT,
    3: PillowImage.Transpose.ROTATE_180,
    4: PillowImage.Transpose.FLIP_TOP_BOTTOM,
    5: PillowImage.Transpose.TRANSPOSE,
    6: PillowImage.Transpose.ROTATE_270,
    7: PillowImage.Transpose.TRANSVERSE,
    8: PillowImage.Transpose.ROTATE_90,
}
"""How a picture is brought upright, by EXIF's orientation."""


def cut(picture: PillowImage.Image, pixels: tuple[int, int, int, int]) -> PillowImage.Image:
    """Cuts a rectangle out of a picture.

    Args:
        picture: a loaded picture.
        pixels: (left, top, right, bottom), right and bottom exclusive.
    """
    with own_settings():  # Pillow's limit warns of large cuts of large pictures, too
        return picture.crop(pixels)


def to_rgb(picture: PillowImage.Image) -> PillowImage.Image:
    """Brings any Pillow picture to a new one of mode RGB, turned by its EXIF.

    A colour profile is not applied: models are given the numbers of the file.
    """
    with own_settings():
        return upright(flattened(picture), turn(picture))


def turn(picture: PillowImage.Image) -> PillowImage.Transpose | None:
    """Returns how a loaded picture is brought upright; None where it stands so."""
    return _UPRIGHT.get(picture.getexif().get(ExifTags.Base.Orientation, 1))


def upright(flat: PillowImage.Image, method: PillowImage.Transpose | None) -> PillowImage.Image:
    """Turns a picture, and forgets its texts and profiles: nobody reads them; they can be large."""
    picture = flat if method is None else flat.transpose(method)
    picture.info = {}
    return picture


def _transparent_colour(picture: PillowImage.Image) -> Any:
    """Returns the transparent colour that a picture names, in the numbers that it is read in.

    A PNG stores it at the file's depth, and Pillow brings the pixels to 8 bits, not this colour.
    """
    colour = picture.info.get("transparency")
    layout = next((tile[3] for tile in getattr(picture, "tile", ())), "")
    if layout == "RGB;16B" and isinstance(colour, tuple):
        return tuple(value >> 8 for value in colour)
    if isinstance(layout, str) and layout in _GREY_STEPS and isinstance(colour, int):
        return colour * _GREY_STEPS[layout]
    return colour


def flattened(picture: PillowImage.Image) -> PillowImage.Image:
    """Loads a picture, and returns its pixels as RGB on white, not turned."""
    transparent = _transparent_colour(picture)  # read with the layout, which loading forgets
    picture.load()
    if picture.mode == "RGB" and transparent is None:
        return picture.copy()
    flat = PillowImage.new("RGB", picture.size)
    for box in _strips(*picture.size):
        strip = picture.crop(box)
        if transparent is not None:
            strip.info["transparency"] = transparent
        flat.paste(_flat_strip(strip, transparent), box)
    return flat


def _strips(width: int, height: int) -> Iterator[tuple[int, int, int, int]]:
    """Yields the rectangles of whole rows that a picture is worked through in."""
    rows = max(1, _STRIP_PIXELS // max(width, 1))
    for top in range(0, height, rows):
        yield 0, top, width, min(top + rows, height)


def _flat_strip(strip: PillowImage.Image, transparent: Any) -> PillowImage.Image:
    """Returns a part of a picture as RGB on white."""
    if strip.mode.startswith("I;16"):
        grey = np.asarray(strip).astype(np.uint16)
        if isinstance(transparent, int):
            grey = np.where(grey == transparent, np.uint16(65_535), grey)
        return picture_from_array(grey)
    if strip.mode == "I":  # 32 bits that hold 16, as older PNG readers give them
        return picture_from_array(np.clip(np.asarray(strip), 0, 65_535).astype(np.uint16))
    if strip.mode == "F":
        return picture_from_array(np.asarray(strip))
    if strip.has_transparency_data:
        strip = strip.convert("RGBA")
        white = PillowImage.new("RGBA", strip.size, (255, 255, 255, 255))
        strip = PillowImage.alpha_composite(white, strip)
    return strip if strip.mode == "RGB" else strip.convert("RGB")


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
    picture = PillowImage.fromarray(np.ascontiguousarray(array, dtype=np.uint8))
    return picture if picture.mode == "RGB" else to_rgb(picture)


def _bytes_of_floats(array: NDArray[Any]) -> NDArray[Any]:
    """Scales floats in [0, 1] to 0..255."""
    if not np.isfinite(array).all() or array.min() < 0 or array.max() > 1:
        raise ValueError("expected floats in [0, 1], got values outside")
    scaled: NDArray[Any] = np.rint(array * 255)
    return scaled
