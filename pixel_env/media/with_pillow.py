"""Animated WebP files through Pillow, since FFmpeg can't decode them."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from itertools import accumulate

import numpy as np

from ..errors import DataError, PixelEnvError
from .border import foreign_bytes, reason_of
from .picture_files import open_picture
from .rgb import to_rgb
from .video import (
    MAX_DECODE_S,
    Deadline,
    FrameStream,
    VideoMedia,
    check_frame_size,
    open_file,
)

_HEADER = struct.Struct("<4sI4s")
_CHUNK = struct.Struct("<4sI")

_DURATION_AT = 12
"""The byte of a frame's chunk at which its three bytes of milliseconds begin."""


class WebPVideo:
    """A `Video` of an animated WebP; a still one has one frame.

    Frames are decoded from the start in each pass, since each is drawn over those before it.

    Attributes:
        n_frames: how many frames it has.
        fps: frames a second on average; None where all last no time.
        times_s: when each frame is shown, in seconds.
    """

    def __init__(self, media: VideoMedia, name: str, max_decode_s: float = MAX_DECODE_S) -> None:
        """Reads how long each frame lasts; decodes none.

        Args:
            media: the file's path, or its bytes.
            name: what error messages call it.
            max_decode_s: how long each reading may take.

        Raises:
            DataError: it is no WebP, or it is cut short.
        """
        self._media = media
        self._name = name
        self._max_decode_s = max_decode_s
        with foreign_bytes(f"clip {name}"), open_file(media) as file:
            durations_ms = list(_durations_ms(file.read()))
            file.seek(0)
            with open_picture(file) as picture:
                check_frame_size(*picture.size)
                self.n_frames = int(getattr(picture, "n_frames", 1))
        if len(durations_ms) != self.n_frames:  # a still picture has no such chunk
            durations_ms = [0] * self.n_frames
        ends_s = [end / 1000 for end in accumulate(durations_ms)]
        self.times_s: tuple[float, ...] | None = (0.0, *ends_s[:-1]) if ends_s[-1] else None
        self.fps = self.n_frames / ends_s[-1] if ends_s[-1] else None

    def read(self, numbers: Iterable[int]) -> FrameStream:
        """Decodes some frames; see `Video.read`."""
        waiting = list(numbers)
        deadline = Deadline(self._max_decode_s)
        try:
            with open_file(self._media) as file, open_picture(file) as picture:
                for number in range(1, max(waiting, default=0) + 1):
                    deadline.check()
                    picture.seek(number - 1)
                    picture.load()
                    if number in waiting:
                        pixels = np.array(to_rgb(picture))
                        waiting.remove(number)
                        yield number, pixels
        except PixelEnvError:
            raise
        except Exception as fault:  # the border of foreign bytes, which also names the frame
            where = f"frame {min(waiting)}: " if waiting else ""
            raise self._fault(where + reason_of(fault)) from fault

    def _fault(self, reason: str) -> DataError:
        """Builds the error that names this clip."""
        return DataError(f"clip {self._name} can't be read: {reason}")


def _durations_ms(data: bytes) -> Iterator[int]:
    """Yields how long each frame of a WebP is shown.

    Raises:
        ValueError: the file is cut short.
    """
    _, length, _ = _HEADER.unpack_from(data)
    end = _CHUNK.size + length
    if end > len(data):
        raise ValueError(f"the file is cut short: it has {len(data)} bytes of {end}")
    offset = _HEADER.size
    while offset + _CHUNK.size <= end:
        kind, size = _CHUNK.unpack_from(data, offset)
        content = offset + _CHUNK.size
        if kind == b"ANMF":
            at = content + _DURATION_AT
            yield int.from_bytes(data[at : at + 3], "little")
        offset = content + size + size % 2
