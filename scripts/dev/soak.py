"""Runs episodes for a long time and watches resident memory: it must become flat.

python scripts/dev/soak.py search                  # 10,000 episodes of SyntheticSearch
python scripts/dev/soak.py clips --episodes 2000   # fewer, of short clips of SyntheticClip
python scripts/dev/soak.py lanes --threads 4       # eight lanes of a vector, in threads

Each episode draws a new sample, asks for some views, and answers. Every 500 episodes resident
memory goes to stderr; the last line is JSON, with by how much it grew after the first thousand.
Linux only.

Threads of glibc would allocate from heaps of their own, and grow for thousands of episodes before
they level off; lanes let them share one (docs/reliability.md).
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector.utils import iterate

from pixel_env.agents.policies.random import RandomPolicy
from pixel_env.registration import NAMESPACE
from pixel_env.vector import PixelReasoningVectorEnv

LANES = 8
EVERY = 500
"""Episodes between two looks at the memory."""
SHORT = {"side_px": 192, "shape_px": 46, "letter_px": 6, "clip_frames": 16, "n_shapes": 2}
"""Clips of 16 small frames: making one of the usual size takes most of the time."""
WARM_EPISODES = 1000
"""By then caches have to be full."""


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line; returns the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("--episodes", type=int, default=10_000, help="default: %(default)s")
    parser.add_argument("--threads", type=int, default=4, help="of lanes (default: %(default)s)")
    options = parser.parse_args(arguments)
    began = time.monotonic()
    levels: list[tuple[int, float]] = []
    for done in KINDS[options.kind](options.episodes, options.threads):
        if done % EVERY == 0 or done == options.episodes:
            levels.append((done, resident_mb()))
            sys.stderr.write(f"{done} episodes: {levels[-1][1]} MB\n")
    found = {
        "kind": options.kind,
        "episodes": options.episodes,
        "seconds": round(time.monotonic() - began),
        "cpu_seconds": round(time.process_time()),
        "resident_mb": levels,
        "grew_mb": growth(levels),
    }
    print(json.dumps(found))
    return 0


def growth(levels: list[tuple[int, float]]) -> float:
    """Returns by how many MB memory rose over its level after `WARM_EPISODES`, at most.

    >>> growth([(500, 90.0), (1000, 100.0), (1500, 104.5), (2000, 103.0)])
    4.5
    """
    later = [mb for done, mb in levels if done >= WARM_EPISODES]
    return round(max(later) - later[0], 1) if later else 0.0


def resident_mb() -> float:
    """Returns the resident memory of this process."""
    n_pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return round(n_pages * os.sysconf("SC_PAGE_SIZE") / 2**20, 1)


def one_env(task: str, n_episodes: int, **knobs: Any) -> Iterator[int]:
    """Runs episodes in one environment; yields how many are done."""
    env: gym.Env[Any, Any] = gym.make(f"{NAMESPACE}-{task}-v0", **knobs)
    policy = RandomPolicy()
    for number in range(n_episodes):
        observation, _ = env.reset(seed=number)
        policy.reset(0, number)
        is_over = False
        while not is_over:
            (action,) = policy.act([observation], [0])
            observation, _, terminated, truncated, _ = env.step(action)
            is_over = terminated or truncated
        yield number + 1


def lanes(n_episodes: int, n_threads: int) -> Iterator[int]:
    """Runs groups of lanes, each group on one sample; yields how many episodes are done."""
    envs = PixelReasoningVectorEnv.from_id(
        f"{NAMESPACE}-SyntheticSearch-v0", LANES, n_threads=n_threads, autoreset_mode="Disabled"
    )
    policy = RandomPolicy()
    for first in range(0, n_episodes, LANES):
        # Every other group has a sample for each lane, as an evaluation does.
        index = [first + lane * (first // LANES % 2) for lane in range(LANES)]
        observations, _ = envs.reset(options={"index": index})
        for lane in range(LANES):
            policy.reset(lane, first + lane)
        is_over = np.zeros(LANES, np.bool_)
        while not is_over.all():
            each = list(iterate(envs.observation_space, observations))
            drawn = policy.act(each, range(LANES))
            actions = [None if is_over[lane] else drawn[lane] for lane in range(LANES)]
            observations, _, terminated, truncated, _ = envs.step(actions)
            is_over |= terminated | truncated
        yield from range(first + 1, min(first + LANES, n_episodes) + 1)
    envs.close()


KINDS: dict[str, Callable[[int, int], Iterator[int]]] = {
    "search": lambda n_episodes, _: one_env("SyntheticSearch", n_episodes),
    "clips": lambda n_episodes, _: one_env("SyntheticClip", n_episodes, **SHORT),
    "lanes": lanes,
}
"""What is run, by name."""


if __name__ == "__main__":
    sys.exit(main())
