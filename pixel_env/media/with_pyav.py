"""Video files through PyAV: seeks to the keyframe before what is wanted, and decodes from there."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, cast

import av
import numpy as np
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from ..errors import DataError, PixelEnvError
from .border import foreign_bytes, reason_of
from .video import (
    MAX_DECODE_S,
    MAX_FRAME_PIXELS,
    Deadline,
    FrameStream,
    VideoMedia,
    WatchedFile,
    check_frame_size,
    is_cut_short,
    open_file,
)

_SKIPPING = frozenset({"h264"})
"""Codecs that mark the frames which no other frame is predicted from; these needn't be decoded."""

DEMUXERS = (
    *("mov", "matroska", "avi", "mpegts", "mpeg", "mpegvideo", "ogg", "flv", "asf", "ivf", "nut"),
    *("mxf", "dv", "wtv", "h264", "hevc", "av1", "obu", "m4v", "h263", "h261", "vc1", "mjpeg"),
    *("yuv4mpegpipe", "gif", "apng"),
)
"""Formats that are read, by FFmpeg's names: files that hold their frames themselves. Playlists and
lists of files (HLS, DASH, concat, image2, SDP) would lead elsewhere."""


class PyAVVideo:
    """A `Video` read by PyAV.

    Frames are numbered in the order of their times of presentation, whatever the order in which
    they are stored. The file is indexed once, without decoding, and opened again for each pass.

    Attributes:
        n_frames: how many frames it has.
        fps: frames a second on average; None where the file has none.
        times_s: when each frame is shown, in seconds from the file's start; None where frames have
            no times.
        is_indexed: whether frames have times; if not, every pass decodes from the start.
        is_stored_by_groups: whether every frame is stored behind its keyframe, and before the
            next one.
        pixel_format: FFmpeg's name, such as "yuv420p".
        size: (width, height) in pixels as stored, before any turn.
    """

    def __init__(self, media: VideoMedia, name: str, max_decode_s: float = MAX_DECODE_S) -> None:
        """Indexes a file.

        Args:
            media: the file's path, or its bytes.
            name: what error messages call it.
            max_decode_s: how long indexing may take, and each reading.

        Raises:
            DataError: it is no video file, it has no frames, or it is cut short.
        """
        self._media = media
        self._name = name
        self._max_decode_s = max_decode_s
        with foreign_bytes(f"clip {name}"):
            try:
                self._scan()
            except av.error.FFmpegError as fault:
                raise self._fault(f"not a video file ({reason_of(fault)})") from fault
            is_cut = is_cut_short(media)
        if not self.n_frames:
            raise self._fault("it holds no frames")
        if is_cut:
            raise self._fault(f"the file is cut short in frame {self.n_frames}")

    def read(self, numbers: Iterable[int]) -> FrameStream:
        """Decodes some frames; see `Video.read`."""
        waiting = list(numbers)
        try:
            with self._opened() as (container, stream):
                read = self._read_by_time if self.is_indexed else self._read_in_order
                for number, frame in read(container, stream, list(waiting)):
                    pixels = _pixels(frame)
                    waiting.remove(number)
                    yield number, pixels
        except PixelEnvError:
            raise
        except Exception as fault:  # the border of foreign bytes, which also names the frame
            where = f"frame {min(waiting)}: " if waiting else ""
            raise self._fault(where + reason_of(fault)) from fault
        if waiting:
            raise self._fault(f"frame {min(waiting)} can't be decoded")

    def _scan(self) -> None:
        """Finds out what the file holds."""
        with self._opened() as (container, stream):
            context = stream.codec_context
            self.pixel_format: str = context.pix_fmt or ""
            self.size = (context.width, context.height)
            self.fps = float(stream.average_rate) if stream.average_rate else None
            stored, self._keys = _index(container, stream, self._deadline())
            self._times = sorted(stored)
            self.times_s = _seconds(container, stream, self._times)
        keys, places = set(self._keys), zip(stored, self._times, strict=True)
        self.is_stored_by_groups = all(a == b for a, b in places if a in keys)
        self.n_frames = len(self._times)
        self.is_indexed = bool(self._keys)
        if not self.is_indexed:
            with self._opened() as (container, stream):
                frames = _watched(container.decode(stream), self._deadline())
                self.n_frames = sum(1 for _ in frames)

    def _deadline(self) -> Deadline:
        return Deadline(self._max_decode_s)

    def _read_in_order(
        self, container: InputContainer, stream: VideoStream, numbers: list[int]
    ) -> Iterator[tuple[int, VideoFrame]]:
        """Decodes everything up to the last frame that is wanted."""
        wanted, last = set(numbers), max(numbers, default=0)
        frames = _watched(container.decode(stream), self._deadline())
        for number, frame in enumerate(frames, 1):
            if number in wanted:
                yield number, frame
            if number >= last:
                return

    def _read_by_time(
        self, container: InputContainer, stream: VideoStream, numbers: list[int]
    ) -> Iterator[tuple[int, VideoFrame]]:
        """Decodes from the keyframes before the frames that are wanted; each keyframe once."""
        deadline = self._deadline()
        groups: dict[int, dict[int, int]] = {}
        for number in numbers:
            time = self._times[number - 1]
            place = max(bisect_right(self._keys, time) - 1, 0)
            groups.setdefault(place, {})[time] = number
        for place, wanted in groups.items():
            # A seek may land behind its keyframe, where keyframes stand close; some formats can't
            # seek to their beginning at all.
            for start in (place, max(place - 1, 0)):
                if wanted and _is_moved(container, stream, self._keys[start]):
                    yield from _decode(container, stream, wanted, deadline)
            if wanted:
                with self._opened() as (unmoved, its_stream):
                    yield from _decode(unmoved, its_stream, wanted, deadline)

    @contextmanager
    def _opened(self) -> Iterator[tuple[InputContainer, VideoStream]]:
        """Opens the file, with a decoder in this thread: lanes already use the others."""
        with open_file(self._media) as file:
            watched = WatchedFile(file, self._deadline())
            with av.open(watched, "r", **_OPTIONS) as container:
                stream = cast("VideoStream | None", container.streams.best("video"))
                if stream is None:
                    raise self._fault("it holds no video, only other streams")
                if stream.codec_context is None:
                    raise self._fault("its video is of an unknown codec")
                check_frame_size(stream.codec_context.width, stream.codec_context.height)
                stream.codec_context.thread_count = 1
                yield container, stream

    def _fault(self, reason: str) -> DataError:
        """Builds the error that names this clip."""
        return DataError(f"clip {self._name} can't be read: {reason}")


_OPTIONS: dict[str, Any] = {
    "metadata_errors": "replace",
    "buffer_size": 2**18,
    "options": {"max_pixels": str(MAX_FRAME_PIXELS)},
    # a demuxer that is allowed can still name other files (`mov` does); none of them is opened
    "container_options": {"format_whitelist": ",".join(DEMUXERS), "protocol_whitelist": "none"},
}
"""What every file is opened with."""


def _watched(frames: Iterable[VideoFrame], deadline: Deadline) -> Iterator[VideoFrame]:
    """Passes frames on as long as there is time."""
    for frame in frames:
        deadline.check()
        yield frame


def _index(
    container: InputContainer, stream: VideoStream, deadline: Deadline
) -> tuple[list[int], list[int]]:
    """Lists the times of frames as they are stored, and those of keyframes, rising.

    Both lists are empty where frames have no times of their own.
    """
    times: list[int] = []
    keys: list[int] = []
    for packet in container.demux(stream):
        deadline.check()
        if not packet.size:
            continue
        if packet.pts is None:
            return [], []
        if packet.is_keyframe:
            keys.append(packet.pts)
        if not packet.is_discard:  # it lies before the beginning of a trimmed file
            times.append(packet.pts)
    if len(set(times)) < len(times) or not keys:
        return [], []
    return times, sorted(keys)


def _seconds(
    container: InputContainer, stream: VideoStream, times: list[int]
) -> tuple[float, ...] | None:
    """Brings times to seconds from the file's start, which needn't be 0 (a cut of a broadcast)."""
    if not times or stream.time_base is None:
        return None
    unit = float(stream.time_base)
    start = container.start_time
    first = times[0] * unit if start is None else start / av.time_base
    return tuple(time * unit - first for time in times)


def _is_moved(container: InputContainer, stream: VideoStream, time: int) -> bool:
    """Seeks to a keyframe; tells whether the format allows it."""
    try:
        container.seek(time, stream=stream)
    except av.error.FFmpegError:
        return False
    return True


def _decode(
    container: InputContainer, stream: VideoStream, wanted: dict[int, int], deadline: Deadline
) -> Iterator[tuple[int, VideoFrame]]:
    """Decodes on from where the file stands until every wanted frame came, or can't come any more.

    Args:
        container: the open file.
        stream: its video stream.
        wanted: number by time; frames that came are taken out.
        deadline: when to give up.
    """
    context = stream.codec_context
    skips = context.name in _SKIPPING
    last = max(wanted)
    for packet in container.demux(stream):
        deadline.check()
        if skips:
            is_needed = packet.pts in wanted or not packet.size  # the empty one drains the decoder
            context.skip_frame = "DEFAULT" if is_needed else "NONREF"
        for frame in packet.decode():
            if frame.pts in wanted:
                yield wanted.pop(frame.pts), frame
            if not wanted or (frame.pts is not None and frame.pts > last):
                return


def _pixels(frame: VideoFrame) -> NDArray[Any]:
    """Converts a frame to (height, width, 3) uint8 RGB, turned by the file's metadata."""
    check_frame_size(frame.width, frame.height)  # which may differ from frame to frame
    pixels: NDArray[Any] = frame.to_ndarray(format="rgb24")
    return np.rot90(pixels, round(frame.rotation / 90))
