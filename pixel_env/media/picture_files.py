"""Picture files: opened under explicit limits of pixels, memory and work, and decoded."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from functools import cache
from typing import IO, Any

from PIL import Image as PillowImage
from PIL import UnidentifiedImageError

from . import rgb
from .files import open_regular
from .pillow_settings import own_settings
from .timed_file import TimedFile
from .video import MAX_DECODE_S

MAX_BYTES = 2_000_000_000
"""A picture that takes more memory than this while it is decoded is refused beforehand."""

MAX_SCANS = 100
"""A JPEG that goes over its pixels more often than this is refused; encoders write about ten."""

FORMATS = (
    *("AVIF", "BMP", "DIB", "GIF", "JPEG", "JPEG2000", "MPO", "PCX", "PNG", "PPM", "TGA", "TIFF"),
    "WEBP",
)
"""Formats that are read, by Pillow's names. Others have decoders that run other programs (EPS), or
that fill in what a cut file lacks, pixel by pixel (DDS)."""

_JPEGS = ("JPEG", "MPO")

_RGB_BYTES = 4
"""What a pixel of a picture takes in Pillow, which pads the three bytes of RGB."""

_DECODER_BYTES = {"WEBP": 12, "AVIF": 12, "JPEG2000": 20, "TIFF": 4, "GIF": 5}
"""What decoders keep of each pixel, beside the picture itself."""


@contextmanager
def open_picture(file: str | os.PathLike[str] | IO[bytes]) -> Iterator[PillowImage.Image]:
    """Opens a picture file without decoding it, and closes it in the end.

    Args:
        file: a path, or an open file, which the caller closes.

    Raises:
        ValueError: it is no picture, or has more than `rgb.MAX_PIXELS` pixels, or decoding it would
            take more than `MAX_BYTES` of memory.
        OSError: it can't be opened, or is no regular file.
        Exception: whatever a decoder meets in a broken one.
    """
    opening = open_regular(file) if isinstance(file, str | os.PathLike) else nullcontext(file)
    with opening as opened:
        try:
            with own_settings():
                picture = PillowImage.open(opened, formats=_formats())
        except UnidentifiedImageError as fault:
            raise ValueError("it is no picture of a known format") from fault
        try:
            _check_size(picture)
            _check_scans(picture, opened)
            yield picture
        finally:
            picture.close()


def read_picture(
    file: str | os.PathLike[str] | IO[bytes], max_decode_s: float = MAX_DECODE_S
) -> PillowImage.Image:
    """Decodes a picture file.

    Args:
        file: a path, or an open file, which the caller closes.
        max_decode_s: how many seconds decoding may take; looked at whenever the decoder reads on.

    Returns:
        A picture of mode RGB, as `to_rgb` gives it.

    Raises:
        ValueError: as `open_picture`.
        OSError: as `open_picture`, or it takes too long.
        Exception: whatever a decoder meets in a broken one.
    """
    is_path = isinstance(file, str | os.PathLike)
    with open_regular(file) if is_path else nullcontext(file) as bytes_of:  # type: ignore[arg-type]
        timed: Any = TimedFile(bytes_of, max_decode_s)  # type: ignore[arg-type]
        with open_picture(timed) as opened, own_settings():
            flat, method = rgb.flattened(opened), rgb.turn(opened)
    return rgb.upright(flat, method)  # the file's own pixels are gone by now


@cache
def _formats() -> list[str]:
    """The formats of `FORMATS` that this Pillow was built with."""
    PillowImage.init()
    return [name for name in FORMATS if name in PillowImage.OPEN]


def _check_size(picture: PillowImage.Image) -> None:
    """Refuses a picture that is too large to be decoded."""
    width, height = picture.size
    size = f"{width} x {height} pixels"
    if width * height > rgb.MAX_PIXELS:
        raise ValueError(
            f"it has {size}, and over {rgb.MAX_PIXELS:,} are taken for a decompression bomb"
        )
    n_bytes = width * height * _bytes_a_pixel(picture)
    if n_bytes > MAX_BYTES:
        raise ValueError(
            f"it has {size} in {picture.format}, which take {n_bytes // 10**6:,} MB to decode, "
            f"and over {MAX_BYTES // 10**6:,} are refused"
        )


def _bytes_a_pixel(picture: PillowImage.Image) -> int:
    """Returns how much memory a pixel takes at most while a picture is decoded."""
    own = {"1": 1, "L": 1, "P": 1}.get(picture.mode, 2 if picture.mode.startswith("I;16") else 4)
    decoder = _DECODER_BYTES.get(picture.format or "", 0)
    if picture.format in _JPEGS and _is_progressive(picture):
        decoder = 2 * len(picture.getbands())  # the coefficients of all pixels
    return max(own + decoder, own + _RGB_BYTES, 2 * _RGB_BYTES)


def _check_scans(picture: PillowImage.Image, file: IO[bytes]) -> None:
    """Refuses a JPEG that goes over all its pixels again and again."""
    if picture.format not in _JPEGS or not _is_progressive(picture):
        return
    before, n_scans = file.tell(), 0
    file.seek(0)
    while chunk := file.read(2**20):
        n_scans += chunk.count(b"\xff\xda")
    file.seek(before)
    if n_scans > MAX_SCANS:
        raise ValueError(f"it is a JPEG of {n_scans} scans, and over {MAX_SCANS} are refused")


def _is_progressive(picture: PillowImage.Image) -> bool:
    return "progressive" in picture.info or "progression" in picture.info
