"""Lazy clips: a number of frames, each read at full resolution at its first use."""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..errors import ConfigError, DataError
from .clip_frames import ClipReader, FrameList, VideoFrames, frame_files
from .clip_reading import ClipReading
from .frame_sampling import bounded_indices, spread_indices, timed_indices
from .heaps import clip_opened
from .open_video import check_backend, open_video
from .pictures import ImageSource, Media

ClipRenderer = Callable[[], bytes]
"""Makes the bytes of a video file when they are first needed, the same ones at every call."""

ClipMedia = str | os.PathLike[str] | bytes | ClipRenderer | Sequence[Media] | NDArray[Any]
"""What a `ClipSource` can be made from."""

T = TypeVar("T")


class ClipSource:
    """The frames of one clip, numbered from 1, and the part of it that a question is about.

    Holds no file open between two uses. Safe to use from several threads; pickles as its media
    do.

    Attributes:
        name: folder or file, for error messages.
        backend: what decodes a video file.

    >>> clip = ClipSource([np.full((2, 2, 3), value, np.uint8) for value in (0, 50, 100, 150)])
    >>> clip.n_frames, clip.sample_numbers(2), clip.frame(2).size
    (4, (1, 3), (2, 2))
    """

    def __init__(
        self,
        media: ClipMedia,
        name: str = "",
        start_s: float | None = None,
        end_s: float | None = None,
        fps: float | None = None,
        backend: str = "auto",
        reading: ClipReading | None = None,
    ) -> None:
        """Takes what the clip comes from; opens nothing.

        Args:
            media: a folder of frame files, a video file, its bytes, a function that makes those,
                a sequence of what `ImageSource` takes, or an array (frames, height, width, 3)
                uint8.
            name: shown in error messages; the path by default.
            start_s: where the part in question begins, in seconds; None: with the clip.
            end_s: where it ends; None: with the clip.
            fps: frames a second, which bounds of anything but a video file need; a video file's
                own average by default.
            backend: what decodes a video file: "pyav", "decord", or "auto" for the faster one
                that is installed. The pixels are the same.
            reading: what bounds mean, how long decoding may take, and where frames may lie.

        Raises:
            ConfigError: an argument is of another kind, or `media` is an empty sequence.
            DataError: the bounds are no finite numbers, or the end doesn't come after the start.
        """
        check_backend(backend)
        _check_media(media)
        self._media = media
        self.backend = backend
        self.name = name or _default_name(media)
        self._bounds = _checked_bounds(self.name, start_s, end_s)
        self._fps = _checked_fps(fps)
        self._reading = reading or ClipReading()
        self._forget()

    @property
    def n_frames(self) -> int:
        """How many frames the whole clip has, whatever its bounds.

        Raises:
            DataError: the folder or the file can't be read.
        """
        return self._opened().n_frames

    def sample_numbers(self, n: int) -> tuple[int, ...]:
        """Chooses `n` frames spread evenly between the bounds, by MVBench's rule.

        See `frame_sampling` for the rule. Frames lie between the bounds by their own times, where
        the clip is a video file whose frames have some. Elsewhere, where `fps` was given, and with
        `ClipReading.constant_rate`, seconds are turned into frames at a constant rate.

        Args:
            n: how many, at least 1; where there are fewer, all of them are taken.

        Returns:
            Frame numbers of the whole clip, from 1, rising.

        Raises:
            DataError: the clip can't be read, or has no frame between its bounds.
            ConfigError: there are bounds and no `fps`.
        """
        reader = self._opened()
        start, end = self._part(reader)
        if start > end:
            raise DataError(
                f"clip {self.name} has no frame between {self._bounds[0]} and {self._bounds[1]} "
                f"seconds: {self._where_frames_are(reader, start)}"
            )
        return tuple(index + 1 for index in spread_indices(start, end, n))

    def frame(self, number: int) -> ImageSource:
        """Returns one frame, to be decoded at its first use.

        Args:
            number: from 1 to `n_frames`.

        Raises:
            DataError: the clip can't be read.
            IndexError: there is no such frame.
        """
        reader = self._opened()
        if not 1 <= number <= reader.n_frames:
            raise IndexError(f"expected a frame from 1 to {reader.n_frames}, got {number}")
        with self._lock:
            if number not in self._frames:
                self._frames[number] = reader.source(number, f"{self.name}, frame {number}")
            return self._frames[number]

    def each_frame(
        self, numbers: Sequence[int], use: Callable[[int, ImageSource], T]
    ) -> tuple[T, ...]:
        """Uses some frames, decoding those of a video file in one pass over it.

        A frame is used as soon as it is decoded, so that a long list of large frames needs
        no more memory than one of them. Several threads that want the same decode it once.

        Args:
            numbers: from 1 to `n_frames`.
            use: called with each number and its frame, in this order.

        Returns:
            What `use` returned.

        Raises:
            DataError: the clip, or one of these frames, can't be read.
            IndexError: there is no such frame.
        """
        frames = {number: self.frame(number) for number in numbers}
        seen: list[T] = []
        with self._pass_lock:
            waiting = {number for number, frame in frames.items() if not frame.is_decoded}
            with closing(self._opened().read(sorted(waiting))) as arriving:
                for number in numbers:
                    while number in waiting and (arrived := next(arriving, None)):
                        frames[arrived[0]].fill(arrived[1])
                        waiting.discard(arrived[0])
                    seen.append(use(number, frames[number]))
        return tuple(seen)

    def __repr__(self) -> str:
        return f"ClipSource({self.name!r})"

    def __getstate__(self) -> dict[str, Any]:
        kept = ("_media", "backend", "name", "_bounds", "_fps", "_reading")
        return {attribute: self.__dict__[attribute] for attribute in kept}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._forget()

    def _forget(self) -> None:
        """Begins without anything read."""
        self._frames: dict[int, ImageSource] = {}
        self._reader: ClipReader | None = None
        self._lock = threading.Lock()
        self._pass_lock = threading.Lock()

    def _opened(self) -> ClipReader:
        """Finds out what the clip holds, once."""
        with self._lock:
            if self._reader is None:
                self._reader = self._open()
            return self._reader

    def _open(self) -> ClipReader:
        """Finds out what the clip holds."""
        media = self._media
        if isinstance(media, str | os.PathLike) and os.path.isdir(media):  # which never raises
            files = frame_files(Path(media), self.name)
            return FrameList(files, first_index=1, within=self._reading.within)
        if isinstance(media, Sequence | np.ndarray) and not isinstance(media, str | bytes):
            return FrameList(media, first_index=0)
        if callable(media):
            media = media()
        clip_opened()
        file = media if isinstance(media, bytes) else Path(media)
        video = open_video(file, self.name, self.backend, self._reading.max_decode_s)
        return VideoFrames(video)

    def _part(self, reader: ClipReader) -> tuple[int, int]:
        """Returns the first and last index between the bounds, from 0; reversed where none lies."""
        if self._bounds == (None, None):
            return 0, reader.n_frames - 1
        times_s = self._times(reader)
        if times_s is not None:
            return timed_indices(times_s, *self._bounds)
        first, last = reader.first_index, reader.first_index + reader.n_frames - 1
        start, end = bounded_indices(first, last, self._rate(reader), *self._bounds)
        return start - first, end - first

    def _times(self, reader: ClipReader) -> tuple[float, ...] | None:
        """Returns the frames' own times, where bounds go by them."""
        constant = self._reading.constant_rate or self._fps is not None
        return None if constant else reader.times_s

    def _where_frames_are(self, reader: ClipReader, start: int) -> str:
        """Describes where the frames lie that are next to a part without any."""
        times_s = self._times(reader)
        if times_s is None:
            return f"it ends after {reader.n_frames / self._rate(reader):.2f}"
        near = [f"{time:.2f}" for time in times_s[max(start - 1, 0) : start + 1]]
        return f"the nearest {'is' if len(near) == 1 else 'are'} at {' and '.join(near)}"

    def _rate(self, reader: ClipReader) -> float:
        """Returns the frames a second."""
        rate = self._fps or reader.fps
        if rate is None and isinstance(reader, VideoFrames):
            raise DataError(f"clip {self.name} has no frames a second, which bounds need")
        if rate is None:
            raise ConfigError(f"expected fps for the bounds of the clip {self.name}, got None")
        return rate


def _check_media(media: object) -> None:
    """Refuses what no clip can be made from."""
    listed = isinstance(media, Sequence | np.ndarray) and not isinstance(media, str | bytes)
    if not listed and not isinstance(media, str | os.PathLike | bytes) and not callable(media):
        raise ConfigError(
            "expected a folder, a video file, its bytes or a function that makes them, or a "
            f"sequence or array of frames, got {type(media).__name__}"
        )
    if listed and len(media) == 0:  # type: ignore[arg-type]
        raise ConfigError("expected a clip of at least one frame, got none")


def _default_name(media: object) -> str:
    """Names a clip after its file, or after what kind of thing it is."""
    if isinstance(media, str | os.PathLike):
        return os.fspath(media)
    return "<video>" if isinstance(media, bytes) or callable(media) else "<frames>"


def _checked_bounds(
    name: str, start_s: float | None, end_s: float | None
) -> tuple[float | None, float | None]:
    """Checks bounds: their kind is a developer's concern, their values are the data's."""
    for what, bound in (("start_s", start_s), ("end_s", end_s)):
        if bound is not None and (isinstance(bound, bool) or not isinstance(bound, int | float)):
            raise ConfigError(f"expected {what} to be seconds, got {bound!r}")
        if bound is not None and not math.isfinite(bound):
            raise DataError(f"clip {name} has a bound that is no finite number of seconds: {bound}")
    if start_s is not None and end_s is not None and start_s >= end_s:
        raise DataError(f"clip {name} ends at {end_s} seconds, not after its start at {start_s}")
    return start_s, end_s


def _checked_fps(fps: float | None) -> float | None:
    """Checks frames a second."""
    if fps is None:
        return None
    if isinstance(fps, bool) or not isinstance(fps, int | float) or not 0 < fps < math.inf:
        raise ConfigError(f"expected fps to be a number over 0, got {fps!r}")
    return float(fps)
