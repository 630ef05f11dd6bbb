"""Lazy pictures: opened at first use, decoded once, read at the original resolution."""

from __future__ import annotations

import io
import os
import threading
import weakref
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage

from ..errors import ConfigError, DataError
from ..resampling.filters import resized
from .border import foreign_bytes, reason_of
from .geometry import FULL, Box, box_to_pixels
from .picture_files import open_picture, read_picture
from .rgb import Image, cut, picture_from_array, to_rgb
from .video import MAX_DECODE_S

Renderer = Callable[[], "Picture | str | os.PathLike[str] | bytes"]
"""Makes a picture, or finds its file, when it is first needed; the same one at every call."""

Picture = PillowImage.Image | NDArray[Any]
"""A decoded picture, of any mode or array layout that `ImageSource` can bring to RGB."""

Media = str | os.PathLike[str] | bytes | PillowImage.Image | NDArray[Any] | Renderer
"""What an `ImageSource` can be made from."""

_FILE_FAULTS = (OSError, ValueError, EOFError, SyntaxError)
"""What a caller's function raises where a file that it reads is broken."""

_BYTES_A_PIXEL = 4
"""Pillow pads the three bytes of a pixel to four."""


class ImageSource:
    """One picture, decoded when first needed and then kept while memory allows.

    Everything a policy is shown of it is cut from the original pixels. The picture comes out as
    8-bit RGB: turned by its EXIF, transparency on white, 16 bits scaled to 8, the first
    frame of an animation. Safe to use from several threads.

    Attributes:
        name: file, or file and row, for error messages.

    >>> source = ImageSource(np.arange(12, dtype=np.uint8).reshape(2, 2, 3))
    >>> source.size, source.region((0.0, 0.5, 0.5, 1.0), (1, 1)).tolist()
    ((2, 2), [[[6, 7, 8]]])
    """

    def __init__(self, media: Media, name: str = "", *, max_decode_s: float = MAX_DECODE_S) -> None:
        """Takes what the picture comes from; opens nothing.

        Args:
            media: a path, the bytes of a file, a Pillow picture, an array ((H, W), (H, W, 1),
                (H, W, 3) or (H, W, 4); bool, uint8, uint16, or float in [0, 1]), or a function
                that returns one of these.
            name: shown in error messages; the path by default.
            max_decode_s: how many seconds a file may take to decode.

        Raises:
            ConfigError: `media` is none of these, or `max_decode_s` isn't over 0.
        """
        kinds = (str, os.PathLike, bytes, PillowImage.Image, np.ndarray)
        if not isinstance(media, kinds) and not callable(media):
            raise ConfigError(
                "expected a path, bytes, a Pillow picture, an array or a function, "
                f"got {type(media).__name__}"
            )
        if not max_decode_s > 0:
            raise ConfigError(f"expected max_decode_s to be a number over 0, got {max_decode_s!r}")
        self._media = media
        self._max_decode_s = max_decode_s
        self._decoded: PillowImage.Image | None = None
        self._overview: tuple[str, Image] | None = None
        self._lock = threading.Lock()
        self.name = name or _default_name(media)

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the original in pixels; decodes it.

        Raises:
            DataError: the picture can't be read.
        """
        width, height = self._picture().size
        return width, height

    def region(self, box: Box, size: tuple[int, int], resampler: str = "lanczos") -> Image:
        """Reads a rectangle of the original pixels at a given size.

        Args:
            box: fractions of the picture; rounded outwards to whole pixels.
            size: (width, height) wanted.
            resampler: what shrinks, a name in `RESAMPLERS`.

        Returns:
            A fresh (height, width, 3) uint8 RGB array.

        Raises:
            DataError: the picture can't be read.
        """
        picture = self._picture()
        return resample(picture, box_to_pixels(box, *picture.size), size, resampler)

    def overview(self, size: tuple[int, int], resampler: str = "lanczos") -> Image:
        """Reads the whole picture at a given (width, height); as `region` does.

        The last one is kept as long as the decoded pixels are: a group's lanes all begin with it.
        """
        kept = self._overview
        if kept is None or kept[0] != resampler or kept[1].shape[1::-1] != size:
            kept = self._overview = (resampler, self.region(FULL, size, resampler))
        return kept[1].copy()

    @property
    def is_decoded(self) -> bool:
        """Whether the next use needs no decoding."""
        return self._decoded is not None

    def fill(self, pixels: NDArray[Any]) -> None:
        """Takes pixels that were decoded elsewhere, those that the next use would decode.

        Args:
            pixels: (height, width, 3) uint8 RGB.
        """
        with self._lock:
            self._decoded, self._overview = picture_from_array(pixels), None
        self._picture()  # counts as a use

    def header_size(self) -> tuple[int, int]:
        """(width, height) of the original in pixels, not turned upright; decodes no file.

        Raises:
            DataError: the picture can't be opened.
        """
        media = self._given()
        with foreign_bytes(f"picture {self.name}"):
            if isinstance(media, np.ndarray):
                return media.shape[1], media.shape[0]
            if isinstance(media, PillowImage.Image):
                return media.size
            with open_picture(media) as opened:
                return opened.size

    def release(self) -> None:
        """Forgets the decoded pixels; the next use decodes again."""
        self._decoded = self._overview = None

    def __repr__(self) -> str:
        return f"ImageSource({self.name!r})"

    def __getstate__(self) -> dict[str, Any]:
        return {
            "_media": self._media,
            "name": self.name,
            "_max_decode_s": self._max_decode_s,
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._decoded = self._overview = None
        self._lock = threading.Lock()

    def _picture(self) -> PillowImage.Image:
        """Returns the decoded picture, and marks it as just used."""
        with self._lock:
            picture = self._decoded
            if picture is None:
                picture = self._decoded = self._decode()
        _RECENT.use(self, picture.width * picture.height * _BYTES_A_PIXEL)
        return picture

    def _decode(self) -> PillowImage.Image:
        """Reads the picture from wherever it comes."""
        media = self._given()
        with foreign_bytes(f"picture {self.name}"):
            if isinstance(media, np.ndarray):
                return picture_from_array(media)
            if isinstance(media, PillowImage.Image):
                return to_rgb(media)
            return read_picture(media, self._max_decode_s)

    def _given(self) -> Picture | str | os.PathLike[str] | io.BytesIO:
        """Returns a picture, or the file that one can be opened from."""
        media = self._media
        if callable(media) and not isinstance(media, PillowImage.Image):
            try:
                media = media()
            except _FILE_FAULTS as fault:  # what else a caller's function raises is its own mistake
                raise DataError(f"picture {self.name} can't be read: {reason_of(fault)}") from fault
        return io.BytesIO(media) if isinstance(media, bytes) else media


class RecentPictures:
    """Which sources hold decoded pixels; the longest unused forget theirs first.

    It keeps no source alive. Of a stream of samples nobody comes back to most, and pixels that
    nobody can reach any more would fill the memory up to the limit, in pieces that lie between all
    others.

    Attributes:
        max_bytes: most bytes of decoded pixels kept in this process; the last one used always is.
    """

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self._recent: OrderedDict[int, tuple[weakref.ref[ImageSource], int]] = OrderedDict()
        self._gone: deque[int] = deque()
        self._n_bytes = 0
        self._lock = threading.Lock()

    def use(self, source: ImageSource, n_bytes: int) -> None:
        """Notes that `source` was just used, and releases others while there is too much."""
        with self._lock:
            self._forget_gone()  # first: a new source may have the id of one that is gone
            key = id(source)
            if key in self._recent:
                self._recent.move_to_end(key)
                return
            # A source can go at any moment, in this thread and within this lock: its end is noted
            # without a lock, and counted at the next use.
            alive = weakref.ref(source, lambda _: self._gone.append(key))
            self._recent[key] = (alive, n_bytes)
            self._n_bytes += n_bytes
            while self._n_bytes > self.max_bytes and len(self._recent) > 1:
                _, (oldest, freed) = self._recent.popitem(last=False)
                self._n_bytes -= freed
                if (released := oldest()) is not None:
                    released.release()

    def _forget_gone(self) -> None:
        """Stops counting the sources that are gone."""
        while self._gone:
            _, freed = self._recent.pop(self._gone.popleft(), (None, 0))
            self._n_bytes -= freed


_RECENT = RecentPictures(max_bytes=256 * 2**20)


def resample(
    picture: PillowImage.Image,
    pixels: tuple[int, int, int, int],
    size: tuple[int, int],
    resampler: str = "lanczos",
) -> Image:
    """Cuts a rectangle and brings it to a size.

    Args:
        picture: mode RGB.
        pixels: (left, top, right, bottom), right and bottom exclusive.
        size: (width, height) wanted.
        resampler: a name in `RESAMPLERS`, for shrinking.

    Returns:
        A fresh (height, width, 3) uint8 RGB array.
    """
    if pixels != (0, 0, *picture.size):
        picture = cut(picture, pixels)  # not `resize(box=...)`, whose filter reads past the box
    return resized(picture, size, resampler)


def _default_name(media: Media) -> str:
    """Names a source after its file, or after what kind of thing it is."""
    if isinstance(media, str | os.PathLike):
        return os.fspath(media)
    return f"<{type(media).__name__}>"
