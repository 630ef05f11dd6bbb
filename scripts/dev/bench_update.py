"""Measures the gradient of a group of rollouts: packed into one row, against padded rows.

    python scripts/dev/bench_update.py
    python scripts/dev/bench_update.py --device cuda --repeats 9

Each way runs with and without recomputing layers in the backward pass, in turns. Printed are
medians (on a CPU of the processor's time), the most memory above what is in use between two runs,
the tokens that went through the language model, and how much faster packed rows are. The model has
about 30 million random weights.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from pixel_env.agents.bench.comparisons import Way, packed, padded
from pixel_env.agents.bench.random_model import random_model
from pixel_env.agents.model.loading import recompute_layers
from pixel_env.agents.model.packing import SharedRow
from pixel_env.agents.model.settings import ModelSettings
from pixel_env.agents.model.shapes import ModelShape
from pixel_env.agents.tokens.encoder import Encoder
from pixel_env.agents.tokens.trajectory import Piece, TokenTrajectory, TrajectoryBuilder
from pixel_env.agents.training.host_memory import give_back_free_memory
from pixel_env.dialects import get_dialect

MIB = 2**20
SHAPE = ModelShape("qwen2_5_vl", 512, 8, 4, 2, 128, 1408, 4096, True, 4, 256, 512)
CASES = {"picture": (1024, 130, 256), "text": (0, 1100, 128), "unequal": (256, 130, 256)}
"""By name: picture tokens and text tokens of the opening, tokens that each rollout says.

In the last one rollout number n says (n + 1) / G of them.
"""


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line; returns the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--case", choices=(*CASES, "all"), default="all")
    parser.add_argument("--rollouts", type=int, default=8, metavar="G", help="rollouts of a group")
    parser.add_argument("--shorter", type=int, default=1, metavar="N", help="divides all lengths")
    parser.add_argument("--repeats", type=int, default=5, metavar="N")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), metavar="N")
    parser.add_argument("--device", default="cpu")
    given = parser.parse_args(arguments)
    torch.set_num_threads(given.threads)
    settings = ModelSettings(device=given.device, dtype="float32")
    loaded = random_model(SHAPE, settings)
    dialect = get_dialect("pixel-reasoner")
    encoder = Encoder(loaded.tokenizer, loaded.image_processor, dialect, "none")
    n_weights = sum(p.numel() for p in loaded.model.parameters())
    table = Table(
        title=f"{n_weights / 1e6:.0f} million weights, float32, {given.device}, {given.threads} "
        f"of {os.cpu_count()} threads, medians of {given.repeats}"
    )
    for heading in ("case", "layers", "way", "seconds", "memory, MiB", "tokens", "times"):
        table.add_column(heading, justify="right")
    for name in CASES if given.case == "all" else [given.case]:
        rollouts = group(CASES[name], given.rollouts, given.shorter, encoder)
        for row in measured(name, loaded.model, rollouts, encoder, given.repeats):
            table.add_row(*row)
    Console(soft_wrap=True).print(table)
    return 0


def group(
    case: tuple[int, int, int], n_rollouts: int, shorter: int, encoder: Encoder
) -> list[TokenTrajectory]:
    """Returns rollouts with one opening; their tokens are random."""
    rng = np.random.default_rng(0)
    n_picture, n_text, n_said = (n // shorter for n in case)
    side = 28 * max(1, round(n_picture**0.5))
    pictures = encoder.images([rng.integers(0, 255, (side, side, 3), np.uint8)] * bool(n_picture))
    drawn = rng.integers(20, 200, n_text)
    shown = [encoder.image_id] * sum(image.n_tokens for image in pictures)
    piece = Piece(np.array([*shown, *drawn], np.int64), pictures, (0,) * len(pictures))
    made = []
    for number in range(n_rollouts):
        n_own = n_said * (number + 1) // n_rollouts if case == CASES["unequal"] else n_said
        builder = TrajectoryBuilder()
        builder.add_prompt(piece)
        builder.add_response(rng.integers(20, 200, max(n_own, 1)))
        made.append(builder.build())
    return made


def measured(
    name: str, model: Any, rollouts: Sequence[TokenTrajectory], encoder: Encoder, repeats: int
) -> list[tuple[str, ...]]:
    """Runs both ways in turns, without and with recomputed layers; returns rows of the table."""
    ways: dict[str, Way] = {"padded": padded, "packed": packed}
    row = SharedRow()
    for rollout in rollouts:
        row.add(rollout)
    tokens = {"padded": len(rollouts) * max(map(len, rollouts)), "packed": row.length}
    rows: list[tuple[str, ...]] = []
    for is_recomputed in (False, True):
        _recompute(model, is_recomputed)
        seconds: dict[str, list[float]] = {way: [] for way in ways}
        memory: dict[str, list[float]] = {way: [] for way in ways}
        for repeat in range(repeats + 1):
            for way, run in ways.items():
                taken, most = gradient(run, model, rollouts, encoder)
                if repeat:  # the first one warms up
                    seconds[way].append(taken)
                    memory[way].append(most)
        slow, fast = (statistics.median(seconds[way]) for way in ways)
        for way in ways:
            ratio = f"{slow / fast:.2f}" if way == "packed" else ""
            taken, most = statistics.median(seconds[way]), statistics.median(memory[way])
            kind = "recomputed" if is_recomputed else "kept"
            rows.append((name, kind, way, f"{taken:.2f}", f"{most:.0f}", str(tokens[way]), ratio))
    return rows


def gradient(
    way: Way, model: Any, rollouts: Sequence[TokenTrajectory], encoder: Encoder
) -> tuple[float, float]:
    """Returns a gradient's seconds (on a CPU the processor's), and its most memory in MiB."""
    model.zero_grad(set_to_none=False)
    give_back_free_memory()
    before = _memory(reset=True)
    _wait()
    # On a CPU the processor's time, which other work on the machine doesn't change.
    clock = time.perf_counter if torch.cuda.is_available() else time.process_time
    started = clock()
    way(model, rollouts, encoder).backward()  # type: ignore[no-untyped-call]
    _wait()
    return clock() - started, (_memory() - before) / MIB


def _recompute(model: Any, is_on: bool) -> None:
    model.train()
    if is_on:
        recompute_layers(model)


def _wait() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def _memory(reset: bool = False) -> float:
    """Returns the most bytes in use since the last reset; on a CPU as Linux counts them, else 0."""
    if torch.cuda.is_available():
        if reset:
            torch.cuda.reset_peak_memory_stats()
        return float(torch.cuda.max_memory_allocated())
    status, clear = Path("/proc/self/status"), Path("/proc/self/clear_refs")
    if not clear.exists():
        return 0.0
    if reset:
        clear.write_text("5", encoding="ascii")  # sets the peak to what is in use now
    lines = status.read_text(encoding="ascii").splitlines()
    peak = next((line for line in lines if line.startswith("VmHWM:")), "VmHWM: 0 kB")
    return 1024.0 * int(peak.split()[1])


if __name__ == "__main__":
    sys.exit(main())
