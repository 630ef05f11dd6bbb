"""Video files through decord; what it would show otherwise than PyAV is refused."""

from __future__ import annotations

import importlib.util
import io
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import decord
from numpy.typing import NDArray

from ..errors import DataError, PixelEnvError
from .border import foreign_bytes, reason_of
from .video import MAX_DECODE_S, Deadline, FrameStream, VideoMedia, is_cut_short, open_file

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

MAX_FILE_BYTES = 256 * 2**20
"""A larger file is refused: decord is handed bytes, which it copies, for it would follow a name."""


class DecordVideo:
    """A `Video` read by decord.

    Where PyAV is installed too, it scans the file first, so that both find the same frames
    and the same faults. It also tells whether decord may seek: decord numbers keyframes as they
    are stored, and where frames of an earlier time are stored behind one, its seeks give wrong
    frames. Without PyAV to tell, every pass decodes from the start.

    Attributes:
        n_frames: how many frames it has.
        fps: frames a second on average; None where the file has none.
        times_s: when each frame is shown, in seconds.
    """

    def __init__(self, media: VideoMedia, name: str, max_decode_s: float = MAX_DECODE_S) -> None:
        """Indexes a file.

        Args:
            media: the file's path, or its bytes.
            name: what error messages call it.
            max_decode_s: how long each reading may take.

        Raises:
            DataError: it is no video file, it has no frames, it is cut short, or decord would
                show other frames or pixels than PyAV.
        """
        self._media = media
        self._name = name
        self._max_decode_s = max_decode_s
        self._seen = seen = self._scanned() if importlib.util.find_spec("av") else None
        self._may_seek = seen is not None and seen.is_stored_by_groups
        with foreign_bytes(f"clip {name}"):
            self._check_container()
            try:
                reader = self._opened()
                self.n_frames = len(reader)
                self.fps: float | None = float(reader.get_avg_fps()) or None
                self.times_s = seen.times_s if seen is not None else _seconds(reader)
            except (RuntimeError, decord.DECORDError, ZeroDivisionError) as fault:
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
        except (PixelEnvError, TimeoutError) as fault:
            raise self._fault(reason_of(fault)) from fault
        except Exception as fault:  # the border of foreign bytes, which also names the frame
            if self._seen is None:
                reason = (str(fault) or "it can't be decoded").splitlines()[0]
                raise self._fault(f"frame {min(waiting, default=0)}: {reason}") from fault
            yield from self._seen.read(waiting)

    def _read_with_seeks(self, numbers: list[int]) -> Iterator[tuple[int, NDArray[Any]]]:
        """Decodes from the keyframes before the frames that are wanted."""
        reader, deadline = self._opened(), Deadline(self._max_decode_s)
        for start in range(0, len(numbers), _FRAMES_A_BATCH):
            batch = numbers[start : start + _FRAMES_A_BATCH]
            deadline.check()
            frames = reader.get_batch([number - 1 for number in batch]).asnumpy()
            for number, frame in zip(batch, frames, strict=True):
                yield number, frame.copy()  # not a view, which would keep the whole batch

    def _read_in_order(self, numbers: list[int]) -> Iterator[tuple[int, NDArray[Any]]]:
        """Decodes everything up to the last frame that is wanted."""
        reader, wanted = self._opened(), set(numbers)
        deadline = Deadline(self._max_decode_s)
        for number in range(1, max(numbers, default=0) + 1):
            deadline.check()
            frame = reader.next()
            if number in wanted:
                yield number, frame.asnumpy()

    def _scanned(self) -> PyAVVideo:
        """Lets PyAV find the file's faults.

        Raises:
            DataError: PyAV can't read the file, or decord would show other pixels.
        """
        from .with_pyav import PyAVVideo

        seen = PyAVVideo(self._media, self._name, self._max_decode_s)
        width, height = seen.size
        if seen.pixel_format not in _SAME_PIXELS or width % 2 or height % 2:
            raise self._fault(
                f"decord shows other colours of {seen.pixel_format}, {width} x {height} pixels; "
                "use the backend 'pyav'"
            )
        return seen

    def _check_container(self) -> None:
        """Refuses a file that decord reads wrongly, or is too large to be handed over."""
        with open_file(self._media) as file:
            head = file.read(8)
            size = file.seek(0, io.SEEK_END)
        if not any(head[at:].startswith(mark) for at, mark in _CONTAINERS):
            raise self._fault(
                "decord reads only mp4, Matroska and AVI files right; use the backend 'pyav'"
            )
        if size > MAX_FILE_BYTES:
            raise self._fault(
                f"it has {size:,} bytes, and decord is handed {MAX_FILE_BYTES:,} at most; "
                "use the backend 'pyav'"
            )

    def _opened(self) -> Any:
        """Opens the file's bytes, with a decoder of one thread: lanes already use the others."""
        with open_file(self._media) as file:
            return decord.VideoReader(file, num_threads=1)

    def _fault(self, reason: str) -> DataError:
        """Builds the error that names this clip."""
        return DataError(f"clip {self._name} can't be read: {reason}")


def _seconds(reader: Any) -> tuple[float, ...]:
    """Returns when each frame begins, from the first on."""
    begins = [float(begin) for begin, _ in reader.get_frame_timestamp(range(len(reader)))]
    return tuple(begin - begins[0] for begin in begins)
