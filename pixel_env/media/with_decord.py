"""Video files through decord; what it would show otherwise than PyAV is refused."""

from __future__ import annotations

import importlib.util
import io
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import decord
from numpy.typing import NDArray

from ..errors import DataError
from .video import FrameStream, VideoMedia, is_cut_short, open_file

if TYPE_CHECKING:
    from .with_pyav import PyAVVideo

_FRAMES_A_BATCH = 8

_SAME_PIXELS = frozenset({"yuv420p", "yuvj420p", "yuv422p", "yuvj422p", "yuv444p", "yuvj444p"})
"""Pixel formats, with even sides, that both backends turn into the same RGB.

Others, and odd sides, go through the part of FFmpeg that interpolates colours; the FFmpeg inside
decord is years older than PyAV's, and interpolates them otherwise.
"""

_CONTAINERS = ((4, b"ftyp"), (0, b"\x1a\x45\xdf\xa3"), (0, b"RIFF"))
"""What mp4, Matroska and AVI files hold at which byte; decord loses frames of others."""

_FAULTS = (RuntimeError, decord.DECORDError, IndexError)
"""What decord raises on broken files."""


class DecordVideo:
    """A `Video` read by decord.

    Where PyAV is installed too, it looks the file over first, so that both find the same frames
    and the same faults. It also tells whether decord may seek: decord numbers keyframes as they
    are stored, and where frames of an earlier time are stored behind one, its seeks give wrong
    frames. Without PyAV to tell, every pass decodes from the start.

    Attributes:
        n_frames: how many frames it has.
        fps: frames a second on average; None where the file doesn't say.
        times_s: when each frame is shown, in seconds.
    """

    def __init__(self, media: VideoMedia, name: str) -> None:
        """Indexes a file.

        Args:
            media: the file's path, or its bytes.
            name: what error messages call it.

        Raises:
            DataError: it is no video file, it has no frames, it is cut short, or decord would
                show other frames or pixels than PyAV.
        """
        self._media = media
        self._name = name
        self._seen = seen = self._looked_over() if importlib.util.find_spec("av") else None
        self._may_seek = seen is not None and seen.is_stored_by_groups
        try:
            with open_file(media) as file:
                head = file.read(8)
        except OSError as fault:
            raise self._fault(str(fault.strerror)) from fault
        if not any(head[at:].startswith(mark) for at, mark in _CONTAINERS):
            raise self._fault(
                "decord reads only mp4, Matroska and AVI files right; use the backend 'pyav'"
            )
        try:
            reader = self._opened()
            self.n_frames = len(reader)
            self.fps: float | None = float(reader.get_avg_fps()) or None
            self.times_s = seen.times_s if seen is not None else _seconds(reader)
        except (*_FAULTS, ZeroDivisionError) as fault:
            raise self._fault("not a video file") from fault
        if not self.n_frames:
            raise self._fault("it holds no frames")
        if seen is not None and self.n_frames != seen.n_frames:
            raise self._fault(
                f"decord counts {self.n_frames} frames where {seen.n_frames} are shown; "
                "use the backend 'pyav'"
            )
        if is_cut_short(media):
            raise self._fault(f"the file is cut short in frame {self.n_frames}")

    def read(self, numbers: Iterable[int]) -> FrameStream:
        """Decodes some frames; see `Video.read`."""
        waiting = list(numbers)
        read = self._read_with_seeks if self._may_seek else self._read_in_order
        try:
            for number, frame in read(list(waiting)):
                waiting.remove(number)
                yield number, frame
        except (*_FAULTS, StopIteration) as fault:
            if self._seen is None:
                reason = (str(fault) or "it can't be decoded").splitlines()[0]
                raise self._fault(f"frame {min(waiting)}: {reason}") from fault
            yield from self._seen.read(waiting)

    def _read_with_seeks(self, numbers: list[int]) -> Iterator[tuple[int, NDArray[Any]]]:
        """Decodes from the keyframes before the frames that are wanted."""
        reader = self._opened()
        for start in range(0, len(numbers), _FRAMES_A_BATCH):
            batch = numbers[start : start + _FRAMES_A_BATCH]
            frames = reader.get_batch([number - 1 for number in batch]).asnumpy()
            for number, frame in zip(batch, frames, strict=True):
                yield number, frame.copy()  # not a view, which would keep the whole batch

    def _read_in_order(self, numbers: list[int]) -> Iterator[tuple[int, NDArray[Any]]]:
        """Decodes everything up to the last frame that is wanted."""
        reader, wanted = self._opened(), set(numbers)
        for number in range(1, max(numbers, default=0) + 1):
            frame = reader.next()
            if number in wanted:
                yield number, frame.asnumpy()

    def _looked_over(self) -> PyAVVideo:
        """Lets PyAV find the file's faults.

        Raises:
            DataError: PyAV can't read the file, or decord would show other pixels.
        """
        from .with_pyav import PyAVVideo

        seen = PyAVVideo(self._media, self._name)
        width, height = seen.size
        if seen.pixel_format not in _SAME_PIXELS or width % 2 or height % 2:
            raise self._fault(
                f"decord shows other colours of {seen.pixel_format}, {width} x {height} pixels; "
                "use the backend 'pyav'"
            )
        return seen

    def _opened(self) -> Any:
        """Opens the file, with a decoder of one thread: lanes already use the others."""
        source = io.BytesIO(self._media) if isinstance(self._media, bytes) else str(self._media)
        return decord.VideoReader(source, num_threads=1)

    def _fault(self, reason: str) -> DataError:
        """Builds the error that names this clip."""
        return DataError(f"clip {self._name} can't be read: {reason}")


def _seconds(reader: Any) -> tuple[float, ...]:
    """Returns when each frame begins, from the first on."""
    begins = [float(begin) for begin, _ in reader.get_frame_timestamp(range(len(reader)))]
    return tuple(begin - begins[0] for begin in begins)
