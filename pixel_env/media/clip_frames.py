"""Where a clip's frames come from: pictures of their own, or one video file."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from ..errors import DataError
from .border import foreign_bytes
from .files import checked_inside
from .pictures import ImageSource
from .video import FrameStream, Video

FRAME_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif")
"""Files of a folder that are taken for frames, in the order of the numbers in their names."""


class FrameList:
    """Frames that are pictures each.

    Attributes:
        n_frames: how many.
        first_index: what the first of them counts as when seconds are turned into frames.
        fps: None, as frames have none.
        times_s: None, as frames have none.
    """

    fps: float | None = None
    times_s: tuple[float, ...] | None = None

    def __init__(
        self,
        frames: Sequence[Any] | NDArray[Any],
        first_index: int,
        within: tuple[Path, ...] = (),
    ) -> None:
        """Takes the frames.

        Args:
            frames: what `ImageSource` takes, or one array.
            first_index: what the first counts as.
            within: resolved folders that no file may lead out of; anywhere where there are none.
        """
        self._list = frames
        self._within = within
        self.first_index = first_index
        self.n_frames = len(frames)

    def source(self, number: int, name: str) -> ImageSource:
        """Returns frame `number`, from 1; a file's name is added to `name`.

        Raises:
            DataError: the file leads out of the folders that it may lie in, or to nothing.
        """
        media = self._list[number - 1]
        if not isinstance(media, str | os.PathLike):
            return ImageSource(media, name)
        path = Path(media)
        name = f"{name} ({path.name})"
        if self._within:
            with foreign_bytes(f"clip {name}"):
                checked_inside(path, self._within)
        return ImageSource(path, name)

    def read(self, numbers: Sequence[int]) -> FrameStream:
        """Reads nothing: each frame is decoded alone when it is used."""
        yield from ()


class VideoFrames:
    """Frames of a video file.

    Attributes:
        n_frames: how many.
        first_index: what the first of them counts as when seconds are turned into frames.
        fps: frames a second on average; None where the file has none.
        times_s: when each frame is shown, in seconds; None where the file has none.
    """

    first_index = 0

    def __init__(self, video: Video) -> None:
        self._video = video
        self.n_frames = video.n_frames
        self.fps = video.fps
        self.times_s = video.times_s

    def source(self, number: int, name: str) -> ImageSource:
        """Returns frame `number`, from 1, decoded alone if its pixels are not given to it."""
        return ImageSource(lambda: next(self.read([number]))[1], name)

    def read(self, numbers: Sequence[int]) -> FrameStream:
        """Decodes some frames together; see `Video.read`."""
        if numbers:
            yield from self._video.read(numbers)


ClipReader = FrameList | VideoFrames
"""What gives the frames of a clip."""


def frame_files(folder: Path, name: str) -> list[Path]:
    """Lists a folder's frame files, "2.jpg" before "10.jpg".

    Args:
        folder: the folder.
        name: what error messages call the clip.

    Raises:
        DataError: there are none, or the folder can't be read.
    """
    with foreign_bytes(f"clip {name}"):
        entries = list(folder.iterdir())
    files = [
        path
        for path in entries
        if path.suffix.lower() in FRAME_SUFFIXES and not path.name.startswith(".")
    ]
    if not files:
        raise DataError(f"clip {name} can't be read: the folder holds no frame files")
    return sorted(files, key=_natural)


def _natural(path: Path) -> tuple[list[str | int], str]:
    """Sorts names by the numbers in them."""
    parts = re.split(r"([0-9]+)", path.name)  # text and digits in turn
    return [int(part) if place % 2 else part for place, part in enumerate(parts)], path.name
