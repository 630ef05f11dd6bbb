"""Lazy clips: a number of frames, each read at full resolution when it is looked at."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import ConfigError, DataError
from .media import ImageSource, Media

FRAME_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif")
"""Files of a folder that are taken for frames, in the order of their names."""

ClipMedia = str | os.PathLike[str] | Sequence[Media] | NDArray[Any]
"""What a `ClipSource` can be made from."""


class ClipSource:
    """The frames of one clip, numbered from 1.

    Attributes:
        name: folder or file, for error messages.

    >>> clip = ClipSource([np.full((2, 2, 3), value, np.uint8) for value in (0, 50, 100, 150)])
    >>> clip.n_frames, clip.sample_numbers(2), clip.frame(2).size
    (4, (1, 3), (2, 2))
    """

    def __init__(self, media: ClipMedia, name: str = "") -> None:
        """Takes what the clip comes from; opens nothing.

        Args:
            media: a folder of frame files, a video file, a sequence of what `ImageSource` takes,
                or an array (frames, height, width, 3) uint8.
            name: shown in error messages; the path by default.

        Raises:
            ConfigError: `media` is none of these, or an empty sequence.
        """
        path = isinstance(media, str | os.PathLike)
        if (not path and not isinstance(media, Sequence | np.ndarray)) or isinstance(media, bytes):
            raise ConfigError(
                "expected a folder, a video file, or a sequence or array of frames, "
                f"got {type(media).__name__}"
            )
        if not path and len(media) == 0:  # type: ignore[arg-type]
            raise ConfigError("expected a clip of at least one frame, got none")
        self._media = media
        self._frames: dict[int, ImageSource] = {}
        self._reader: _Reader | None = None
        self._lock = threading.Lock()
        self.name = name or (os.fspath(media) if path else "<frames>")  # type: ignore[arg-type]

    @property
    def n_frames(self) -> int:
        """How many frames the clip has.

        Raises:
            DataError: the folder or the file can't be read.
        """
        with self._lock:
            return len(self._opened())

    def sample_numbers(self, n: int) -> tuple[int, ...]:
        """Chooses `n` frames spread evenly: the middle of each of `n` equal parts.

        MVBench's rule for a whole clip: frame index int(part / 2 + round(part * i)), from 0,
        where part = (frames - 1) / n.

        Args:
            n: how many, at least 1; a clip with fewer frames gives all of them.

        Returns:
            Frame numbers, from 1, rising.
        """
        total = self.n_frames
        if total <= n:
            return tuple(range(1, total + 1))
        part = (total - 1) / n
        indices = sorted({int(part / 2 + round(part * i)) for i in range(n)})
        spare = (i for i in range(total) if i not in indices)
        while len(indices) < n:  # rounding made two parts meet
            indices.append(next(spare))
        return tuple(index + 1 for index in sorted(indices))

    def frame(self, number: int) -> ImageSource:
        """Returns one frame, to be decoded when it is first looked at.

        Args:
            number: from 1 to `n_frames`.

        Raises:
            DataError: the clip can't be read.
            IndexError: there is no such frame.
        """
        with self._lock:
            reader = self._opened()
            if not 1 <= number <= len(reader):
                raise IndexError(f"expected a frame from 1 to {len(reader)}, got {number}")
            if number not in self._frames:
                self._frames[number] = reader.source(number, f"{self.name}, frame {number}")
            return self._frames[number]

    def __repr__(self) -> str:
        return f"ClipSource({self.name!r})"

    def __getstate__(self) -> dict[str, Any]:
        return {"_media": self._media, "name": self.name}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._frames = {}
        self._reader = None
        self._lock = threading.Lock()

    def _opened(self) -> _Reader:
        """Opens the clip if it isn't open; the caller holds the lock."""
        if self._reader is None:
            media = self._media
            if not isinstance(media, str | os.PathLike):
                self._reader = _FrameList(media)
            elif Path(media).is_dir():
                self._reader = _FrameList(_files_of(Path(media)))
            else:
                self._reader = _VideoFile(Path(media))
        return self._reader


class _FrameList:
    """Frames that are pictures each."""

    def __init__(self, frames: Sequence[Any] | NDArray[Any]) -> None:
        self._list = frames

    def __len__(self) -> int:
        return len(self._list)

    def source(self, number: int, name: str) -> ImageSource:
        return ImageSource(self._list[number - 1], name)


class _VideoFile:
    """Frames of a video file, through decord."""

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise DataError(f"clip {path} can't be read: no such file or folder")
        try:
            import decord
        except ImportError as fault:
            raise ConfigError(
                f"expected decord for the video {path}, and it is not installed; "
                "install pixel-reason[video], or give a folder of frames"
            ) from fault
        try:
            self._video = decord.VideoReader(str(path), num_threads=1)
            self._faults = (RuntimeError, decord.DECORDError)
        except (RuntimeError, decord.DECORDError) as fault:
            raise DataError(f"clip {path} can't be read: not a video file") from fault
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._video)

    def source(self, number: int, name: str) -> ImageSource:
        return ImageSource(lambda: self._read(number), name)

    def _read(self, number: int) -> NDArray[Any]:
        with self._lock:
            try:
                frame: NDArray[Any] = self._video[number - 1].asnumpy()
            except self._faults as fault:
                raise ValueError(str(fault).splitlines()[0]) from fault
            return frame


_Reader = _FrameList | _VideoFile


def _files_of(folder: Path) -> list[Path]:
    """Lists a folder's frame files by name."""
    files = sorted(path for path in folder.iterdir() if path.suffix.lower() in FRAME_SUFFIXES)
    if not files:
        raise DataError(f"clip {folder} can't be read: it holds no frame files")
    return files
