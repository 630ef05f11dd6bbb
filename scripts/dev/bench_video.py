"""Compares the readers of video files on what an episode asks of them.

An overview reads frames spread over the clip; a selection then reads a few of those again. Every
time includes opening the file. The readers take turns, so that other work on the machine slows all
of them alike, and the frames that they give are compared.

Examples:
    python scripts/dev/bench_video.py
    python scripts/dev/bench_video.py --size 1920x1080 --seconds 60 --keyframes 24 --repeats 9
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from pixel_env.media.frame_sampling import spread_indices
from pixel_env.media.open_video import open_video

Frames = list[NDArray[Any]]
Reader = Callable[[Path, Sequence[int]], Frames]
"""Reads frames by their numbers, from 1, rising."""

FPS = 30

console = Console(soft_wrap=True)


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line; returns the exit code, 1 where readers give different frames."""
    options = _parser().parse_args(arguments)
    n_frames = options.seconds * FPS
    overview = [index + 1 for index in spread_indices(0, n_frames - 1, options.frames)]
    rng = np.random.default_rng(0)
    selection = sorted(rng.choice(overview, options.selected, replace=False).tolist())
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clip.mp4"
        _encode(path, options.size, n_frames, -(-n_frames // options.keyframes))
        passes = {"overview": overview, "selection": selection}
        try:
            seconds = {
                name: _measure(path, numbers, options.repeats) for name, numbers in passes.items()
            }
        except ValueError as fault:
            console.print(str(fault), style="red", markup=False)
            return 1
    width, height = options.size
    console.print(
        f"{width} x {height}, {options.seconds} s, {n_frames} frames, {options.keyframes} "
        f"keyframes; {len(overview)} frames, then {len(selection)} of them; "
        f"medians of {options.repeats} as multiples of pyav's"
    )
    console.print(_table(seconds))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--size", type=_size, default=(1280, 720), metavar="WxH", help="(default: 1280x720)")
    add("--seconds", type=int, default=30, help="length of the clip (default: %(default)s)")
    add("--keyframes", type=int, default=4, help="how many it has (default: %(default)s)")
    add("--frames", type=int, default=16, help="frames of the overview (default: %(default)s)")
    add("--selected", type=int, default=8, help="frames selected of them (default: %(default)s)")
    add("--repeats", type=int, default=5, help="turns of each reader (default: %(default)s)")
    return parser


def _size(text: str) -> tuple[int, int]:
    """Reads a size such as 1280x720."""
    width, _, height = text.partition("x")
    return int(width), int(height)


def _encode(path: Path, size: tuple[int, int], n_frames: int, keyframe_every: int) -> None:
    """Writes an H.264 clip of coloured blocks that move under noise."""
    width, height = size
    rng = np.random.default_rng(0)
    blocks = rng.integers(0, 236, (height // 16 + 1, width // 16 + 1, 3), dtype=np.uint8)
    scene = blocks.repeat(16, 0).repeat(16, 1)[:height, :width]
    noise = rng.integers(0, 20, (height, width, 1), dtype=np.uint8)
    with av.open(path, "w") as container:
        stream = container.add_stream("libx264", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        keys = f"keyint={keyframe_every}:min-keyint={keyframe_every}:scenecut=0:log-level=none"
        stream.options = {"preset": "veryfast", "x264-params": keys}
        for i in range(n_frames):
            picture = np.roll(scene, (i, 2 * i), (0, 1)) + np.roll(noise, 7 * i, 1)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "rgb24")))
        container.mux(stream.encode())


def _read_by(backend: str) -> Reader:
    """Makes a reader that is the environment's, through a backend."""
    return lambda path, numbers: [
        frame for _, frame in open_video(path, str(path), backend).read(numbers)
    ]


def _read_one_by_one(path: Path, numbers: Sequence[int]) -> Frames:
    """Makes a pass for each frame."""
    video = open_video(path, str(path), "pyav")
    return [frame for number in numbers for _, frame in video.read([number])]


def _read_from_start(path: Path, numbers: Sequence[int]) -> Frames:
    """Decodes every frame up to the last one."""
    wanted, frames = set(numbers), []
    with av.open(str(path)) as container:
        container.streams.video[0].codec_context.thread_count = 1
        for number, frame in enumerate(container.decode(video=0), 1):
            if number in wanted:
                frames.append(frame.to_ndarray(format="rgb24"))
            if number == max(wanted):
                break
    return frames


READERS: dict[str, Reader] = {
    "pyav": _read_by("pyav"),
    "decord": _read_by("decord"),
    "pyav, a pass for each frame": _read_one_by_one,
    "pyav, without seeking": _read_from_start,
}


def _measure(path: Path, numbers: Sequence[int], repeats: int) -> dict[str, float]:
    """Returns each reader's median seconds.

    Raises:
        ValueError: two readers give different frames.
    """
    seconds: dict[str, list[float]] = {name: [] for name in READERS}
    for turn in range(repeats):
        first: Frames | None = None
        for name, read in READERS.items():
            start = time.perf_counter()
            frames = read(path, numbers)
            seconds[name].append(time.perf_counter() - start)
            first = frames if first is None else first
            if turn == 0 and not np.array_equal(first, frames):
                raise ValueError(f"expected the same frames of every reader, {name} gives others")
    return {name: statistics.median(each) for name, each in seconds.items()}


def _table(seconds: dict[str, dict[str, float]]) -> Table:
    """Shows times as multiples of the first reader's."""
    table = Table("reader", *seconds, "both")
    sums = {name: sum(each[name] for each in seconds.values()) for name in READERS}
    columns = [*seconds.values(), sums]
    for name in READERS:
        table.add_row(name, *(f"{each[name] / each['pyav']:.2f}" for each in columns))
    return table


if __name__ == "__main__":
    raise SystemExit(main())
