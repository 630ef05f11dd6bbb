"""Video files, through PyAV or decord: how many frames there are, and some of them as pixels."""

from __future__ import annotations

import io
import time
from collections.abc import Generator, Iterable
from pathlib import Path
from typing import IO, Any, Protocol

from numpy.typing import NDArray

from . import rgb
from .files import open_regular

MAX_FRAME_PIXELS = 8192 * 8192
"""A clip whose frames have more pixels is refused; a decoder keeps up to 16 of them at once."""

MAX_DECODE_S = 60.0
"""How many seconds a picture, or one pass over a clip, may take, if nothing else is set."""

VideoMedia = Path | bytes
"""A video file: where it is, or what it holds."""

FrameStream = Generator[tuple[int, NDArray[Any]], None, None]
"""Frames as they are decoded, each with its number; closing it closes the file."""


class Video(Protocol):
    """A video file. It holds no file open, so that any number may exist; safe to use in threads.

    Attributes:
        n_frames: how many frames it has.
        fps: frames a second on average; None where the file has none.
        times_s: when each frame is shown, in seconds from the file's start, rising; None where the
            file gives frames no times.
    """

    n_frames: int
    fps: float | None
    times_s: tuple[float, ...] | None

    def read(self, numbers: Iterable[int]) -> FrameStream:
        """Decodes some frames in one pass over the file, which is open meanwhile.

        Args:
            numbers: from 1 to `n_frames`, each once, rising.

        Yields:
            Each number, with its frame: (height, width, 3) uint8 RGB at the file's resolution,
            turned by the file's metadata.

        Raises:
            DataError: a frame can't be decoded.
        """


def is_cut_short(media: VideoMedia) -> bool:
    """Tells whether an mp4's frames are promised to go on beyond the end of the file.

    Decoders play such a file as far as it goes, and then differ. In other formats nothing is
    promised: the frames before the cut are the clip.
    """
    with open_file(media) as file:
        size = file.seek(0, io.SEEK_END)
        offset, kind = 0, b""
        while offset + 8 <= size:
            file.seek(offset)
            head = file.read(16)
            length, kind = int.from_bytes(head[:4], "big"), head[4:8]
            if offset == 0 and kind != b"ftyp":
                return False
            if length == 1:  # a length of 64 bits follows
                length = int.from_bytes(head[8:16], "big")
            if length < 8:  # 0: to the end of the file
                return False
            offset += length
        return kind == b"mdat" and offset > size


def open_file(media: VideoMedia) -> IO[bytes]:
    """Opens a video file for reading, to be closed by the caller.

    Raises:
        OSError: it can't be opened, or is no regular file.
    """
    return io.BytesIO(media) if isinstance(media, bytes) else open_regular(media)


class Deadline:
    """How long one pass over a clip may take.

    >>> Deadline(60).check()
    """

    def __init__(self, seconds: float) -> None:
        """Starts to count.

        Args:
            seconds: how long the pass may take.
        """
        self._seconds = seconds
        self._end = time.monotonic() + seconds

    def check(self) -> None:
        """Ends a pass that took too long.

        Raises:
            TimeoutError: the time is up.
        """
        if time.monotonic() > self._end:
            raise TimeoutError(f"decoding took longer than {self._seconds:g} seconds")


class WatchedFile:
    """An open file for a decoder: it has no name that could be followed, and reading it can end."""

    def __init__(self, file: IO[bytes], deadline: Deadline) -> None:
        """Wraps a file; the caller closes it."""
        self._file = file
        self._deadline = deadline

    def read(self, size: int = -1) -> bytes:
        """Reads on, as long as there is time."""
        self._deadline.check()
        return self._file.read(size)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Moves to another place."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """Returns the place."""
        return self._file.tell()


def check_frame_size(width: int, height: int) -> None:
    """Refuses frames of more pixels than a picture may have, or than decoders can keep some of.

    Raises:
        ValueError: it has too many.
    """
    most = min(rgb.MAX_PIXELS, MAX_FRAME_PIXELS)
    if width * height > most:
        raise ValueError(
            f"its frames have {width} x {height} pixels, and over {most:,} are refused"
        )
