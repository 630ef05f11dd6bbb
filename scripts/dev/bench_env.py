"""Measures how fast the procedural twins are: resets, zooms, and groups of lanes.

python scripts/dev/bench_env.py                # every twin
python scripts/dev/bench_env.py --rounds 5     # a quick run
python scripts/dev/bench_env.py --photographs  # groups on a large photograph, and resamplers

A reset draws a new sample; a zoom is one step. A group is eight lanes on one new sample, in
Gymnasium's SyncVectorEnv and in PixelReasoningVectorEnv, whose lanes share what was drawn. Seconds
are the process's own, so that other work on the machine counts less.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import gymnasium as gym
from rich.console import Console
from rich.table import Table

import pixel_env
from pixel_env.registration import NAMESPACE
from pixel_env.resampling.filters import RESAMPLERS
from pixel_env.scripts.dev.photographs import (
    SIZES,
    measured_filters,
    measured_group,
    photograph,
    shown_size,
)
from pixel_env.task_sets import TASKS
from pixel_env.vector import PixelReasoningVectorEnv

GROUP = 8
TWINS = tuple(name for name in TASKS if name.startswith("Synthetic"))
console = Console(soft_wrap=True)


@dataclass(frozen=True, slots=True)
class Speed:
    """What was measured of one environment, in seconds each.

    Attributes:
        reset_s: a reset to a new sample.
        zoom_s: a zoom in one episode.
        sync_s: a reset of a group in `SyncVectorEnv`.
        shared_s: the same in `PixelReasoningVectorEnv`.
    """

    reset_s: float
    zoom_s: float
    sync_s: float
    shared_s: float


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line; returns the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=30, help="of each (default: %(default)s)")
    parser.add_argument("--twin", action="append", choices=TWINS, help="only this one; repeatable")
    parser.add_argument(
        "--photographs", action="store_true", help="measure groups on photographs instead"
    )
    parser.add_argument(
        "--size", action="append", type=size, help="of a photograph, WxH; repeatable"
    )
    options = parser.parse_args(arguments)
    if options.photographs:
        for each in options.size or SIZES:
            measure_photograph(each, max(options.rounds, 1))
        return 0
    table = Table("twin", "resets/s", "zooms/s", "groups/s, Sync", "groups/s, shared", "ratio")
    for name in options.twin or TWINS:
        speed = measured(f"{NAMESPACE}-{name}-v0", max(options.rounds, 1))
        rates = (speed.reset_s, speed.zoom_s, speed.sync_s, speed.shared_s)
        ratio = f"{speed.sync_s / speed.shared_s:.1f}"
        table.add_row(
            name.removeprefix("Synthetic"), *(f"{1 / seconds:.1f}" for seconds in rates), ratio
        )
    console.print(table)
    return 0


def size(text: str) -> tuple[int, int]:
    """Reads a size as WxH."""
    width, _, height = text.partition("x")
    if not (width.isdecimal() and height.isdecimal() and int(width) and int(height)):
        raise argparse.ArgumentTypeError(f"expected WIDTHxHEIGHT, got {text!r}")
    return int(width), int(height)


def measure_photograph(of: tuple[int, int], rounds: int) -> None:
    """Prints what groups on one photograph take, and what each filter does."""
    title = f"{of[0]} x {of[1]}"
    groups = Table(
        "rollouts", "resampler", "plain, ms", "ours, ms", "floor, ms", "times", title=title
    )
    picture = photograph(*of)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "photograph.jpg"
        picture.save(path, quality=90)
        for group in (GROUP, 1):
            for resampler in at_hand():
                took = measured_group(path, group, resampler, rounds)
                row = (took.plain_s, took.ours_s, took.floor_s)
                cells = [f"{1000 * seconds:.0f}" for seconds in row]
                groups.add_row(str(group), resampler, *cells, f"{row[0] / row[1]:.1f}")
    console.print(groups)
    filters = Table("filter", "ms", "mean difference", "largest", title=f"overview of {title}")
    for each in measured_filters(picture, shown_size(picture), rounds):
        levels = f"{each.mean_levels:.2f}", str(each.max_levels)
        filters.add_row(each.name, f"{each.milliseconds:.1f}", *levels)
    console.print(filters)


def at_hand() -> list[str]:
    """Returns the resamplers whose libraries are installed."""
    return [name for name in RESAMPLERS if name != "vips" or find_spec("pyvips")]


def measured(env_id: str, rounds: int) -> Speed:
    """Measures one environment; every reset is to a sample that wasn't drawn before."""
    env = gym.make(env_id, max_turns=rounds + 2, max_views=rounds + 2)
    env.reset(options={"index": 0})  # what is drawn once and kept isn't a sample's cost

    def start(number: int) -> Any:
        return env.reset(options={"index": 1 + number})

    reset_s = seconds_each(start, rounds)
    zoom = pixel_env.zoom_in([0.3, 0.3, 0.6, 0.6])
    env.reset(options={"index": 0})
    zoom_s = seconds_each(lambda _: env.step(zoom), rounds)
    n_groups = max(rounds // 4, 1)
    sync = gym.vector.SyncVectorEnv([lambda: gym.make(env_id)] * GROUP)
    shared = PixelReasoningVectorEnv.from_id(env_id, GROUP)
    return Speed(
        reset_s=reset_s,
        zoom_s=zoom_s,
        sync_s=seconds_each(lambda number: reset_group(sync, 1000 + number), n_groups),
        shared_s=seconds_each(lambda number: reset_group(shared, 2000 + number), n_groups),
    )


def reset_group(envs: gym.vector.VectorEnv[Any, Any, Any], index: int) -> None:
    """Resets every lane to one sample."""
    if isinstance(envs, PixelReasoningVectorEnv):
        envs.reset(options={"index": [index] * GROUP})
    else:
        envs.reset(options={"index": index})


def seconds_each(do: Callable[[int], Any], rounds: int) -> float:
    """Returns the processor seconds that one call takes, as a mean over some."""
    before = time.process_time()
    for number in range(rounds):
        do(number)
    return max(time.process_time() - before, 1e-9) / rounds


if __name__ == "__main__":
    sys.exit(main())
