"""Encoded clips for the tests: moving patterns of every codec, and mp4 files with faults."""

import struct
from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np


def moving_pictures(n: int, width: int, height: int) -> list[np.ndarray]:
    """Makes coloured blocks that move, so that no two frames are equal."""
    rng = np.random.default_rng(0)
    shape = (height // 8 + 2, width // 8 + 2, 3)
    blocks = rng.integers(0, 256, shape, dtype=np.uint8).repeat(8, 0).repeat(8, 1)
    return [np.roll(blocks, (3 * i, 5 * i), (0, 1))[:height, :width].copy() for i in range(n)]


def grey_pictures(values: Iterable[int], width: int = 64, height: int = 48) -> list[np.ndarray]:
    """Makes one grey picture a value."""
    return [np.full((height, width, 3), value, np.uint8) for value in values]


def write_video(
    file: Path | Any,
    pictures: Sequence[np.ndarray],
    *,
    codec: str = "libx264",
    pixel_format: str = "yuv420p",
    keyframe_every: int = 12,
    b_frames: int = 2,
    fps: int = 10,
    times_ms: Sequence[int] | None = None,
    options: dict[str, str] | None = None,
    container_options: dict[str, str] | None = None,
    container_format: str | None = None,
) -> None:
    """Encodes pictures; `times_ms` gives each its own time, for a variable frame rate."""
    with av.open(file, "w", format=container_format, options=container_options or {}) as container:
        stream = container.add_stream(codec, rate=fps)
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = pixel_format
        context = stream.codec_context
        context.gop_size, context.max_b_frames = keyframe_every, b_frames
        stream.options = {"x264-params": "scenecut=0:log-level=none", **(options or {})}
        if codec != "libx264":
            stream.options = options or {}
        if times_ms is not None:
            context.time_base = Fraction(1, 1000)
        for i, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, "rgb24")
            if times_ms is not None:
                frame.pts, frame.time_base = times_ms[i], Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def write_audio(path: Path) -> None:
    """Writes an mp4 that holds silence and no video."""
    with av.open(path, "w") as container:
        stream = container.add_stream("aac", rate=44_100)
        for i in range(8):
            silence = np.zeros((1, 1024), np.float32)
            frame = av.AudioFrame.from_ndarray(silence, format="fltp", layout="mono")
            frame.rate, frame.pts = 44_100, i * 1024
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def turn_mp4(data: bytes, quarters: int) -> bytes:
    """Patches an mp4 so that players turn it by quarters clockwise, as phones do."""
    a, b, c, d = {1: (0, 1, -1, 0), 2: (-1, 0, 0, -1), 3: (0, -1, 1, 0)}[quarters]
    one = 1 << 16
    matrix = struct.pack(">9i", a * one, b * one, 0, c * one, d * one, 0, 0, 0, 1 << 30)
    header = data.index(b"tkhd") + 4
    start = header + (52 if data[header] else 40)  # after times, layer and volume
    return data[:start] + matrix + data[start + 36 :]


def trim_mp4(path: Path, to: Path, n: int) -> None:
    """Copies an mp4 so that players leave out its first `n` frames, which it still holds."""
    with av.open(path) as source, av.open(to, "w", options={"use_editlist": "1"}) as target:
        read = source.streams.video[0]
        written = target.add_stream_from_template(read)
        shift = int(n / read.average_rate / read.time_base)
        for packet in source.demux(read):
            if packet.size:
                packet.pts, packet.dts = packet.pts - shift, packet.dts - shift
                packet.stream = written
                target.mux(packet)


def decoded(path: Path) -> list[np.ndarray]:
    """Decodes every frame of a file from its start, by PyAV alone."""
    with av.open(path) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
