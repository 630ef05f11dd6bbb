"""Measures how many rollouts a second an OpenEnv server gives, to several sessions at once.

python scripts/dev/bench_openenv.py                      # 1, 8 and 32 sessions
python scripts/dev/bench_openenv.py --rollouts 64 --encoding jpeg

The server is a process of its own, as a trainer would use it. A rollout is a reset to a new sample,
two zooms and an answer, with every picture on the wire. The same rollouts in this process, without
a server, are the measure. Other work shares the machine, so everything is measured in turn in each
round, and the ratios to the round's own measure are shown: their median, least and most.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import statistics
import subprocess
import sys
import time

from rich.console import Console
from rich.table import Table

from pixel_env.agents.adapters.episode import EnvironmentCopies, begin, respond
from pixel_env.agents.adapters.openenv_client import PixelReasonClient
from pixel_env.agents.adapters.openenv_messages import PixelAction
from pixel_env.chat import AsDataURL, ChatEpisode

ENV_ID = "PixelReason-SyntheticSearch-v0"
ZOOM = '<tool_call>{"name": "zoom_in", "arguments": {"bbox_2d": [0.2, 0.2, 0.7, 0.7]}}</tool_call>'
MESSAGES = (ZOOM, ZOOM, r"\boxed{A}")
console = Console(soft_wrap=True)


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line; returns the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rollouts", type=int, default=32, help="of each (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="(default: %(default)s)")
    parser.add_argument("--sessions", type=int, nargs="+", default=[1, 8, 32])
    parser.add_argument("--encoding", choices=("png", "jpeg"), default="png")
    options = parser.parse_args(arguments)
    counts = (max(options.rollouts, 1), max(options.rounds, 1))
    ratios = measured(options.sessions, *counts, options.encoding)
    table = Table("sessions", "rollouts a second, as a ratio", "least", "most")
    for sessions, found in ratios.items():
        numbers = (statistics.median(found), min(found), max(found))
        table.add_row(str(sessions), *(f"{number:.2f}" for number in numbers))
    console.print(table)
    return 0


def measured(
    sessions: list[int], rollouts: int, rounds: int, encoding: str
) -> dict[int, list[float]]:
    """Returns for each number of sessions its ratio in every round."""
    ratios: dict[int, list[float]] = {n: [] for n in sessions}
    command = [sys.executable, "-m", "pixel_env", "serve-env", "--env", ENV_ID, "--port", "0"]
    command += ["--encoding", encoding, "--max-sessions", str(max(sessions))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            address = _address(server)
            asyncio.run(_play(address, range(2)))  # what is loaded once is no rollout's cost
            for number in range(rounds):
                samples = range(1 + number * rollouts, 1 + (number + 1) * rollouts)
                alone_s = _seconds_here(samples, encoding)
                for n in sessions:
                    ratios[n].append(alone_s / asyncio.run(_seconds_there(address, n, samples)))
        finally:
            server.terminate()
    return ratios


def _address(server: subprocess.Popen[str]) -> str:
    """Reads where the server listens.

    Raises:
        RuntimeError: it ended without a word.
    """
    found = re.search(r"http://\S+", server.stdout.readline() if server.stdout else "")
    if found is None:
        raise RuntimeError("expected the server to print its address")
    return found[0]


def _seconds_here(samples: range, encoding: str) -> float:
    episode = ChatEpisode(ENV_ID, picture=AsDataURL(encoding), make=EnvironmentCopies())
    begin(episode, index=0)
    start = time.perf_counter()
    for index in samples:
        begin(episode, index=index)
        for message in MESSAGES:
            respond(episode, message)
    return time.perf_counter() - start


async def _seconds_there(address: str, sessions: int, samples: range) -> float:
    start = time.perf_counter()
    shares = [samples[first::sessions] for first in range(sessions)]
    await asyncio.gather(*(_play(address, share) for share in shares))
    return time.perf_counter() - start


async def _play(address: str, samples: range) -> None:
    async with PixelReasonClient(address) as client:
        for index in samples:
            await client.reset(index=index)
            for message in MESSAGES:
                await client.step(PixelAction(message=message))


if __name__ == "__main__":
    sys.exit(main())
