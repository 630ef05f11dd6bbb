"""Measures how fast a group of rollouts samples its turns: plain `generate`, our engine, vLLM.

    python scripts/dev/bench_generation.py
    python scripts/dev/bench_generation.py --device cuda --rollouts 64

The ways run in turns, on one model of about 30 million random weights: transformers' `generate`,
which reads the whole conversation anew each turn; our engine, which keeps it; vLLM, where it is
installed (docs/engines.md). Printed are medians: seconds (on a CPU also the processor's, by which
ways are compared), sampled tokens a second, and how many times the floor that is. The floor is the
least that must be computed, each token once and a group's opening once, at the rates of a matrix
product and of a read that are measured here.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from pixel_env.agents.bench.operations import vision_operations
from pixel_env.agents.bench.random_model import random_model
from pixel_env.agents.engines.settings import VllmSettings
from pixel_env.agents.engines.vllm_model import VllmModel
from pixel_env.agents.engines.vllm_session import VllmSession
from pixel_env.agents.engines.weights import named_weights
from pixel_env.agents.generation.config import GenerationConfig
from pixel_env.agents.generation.engine import Engine
from pixel_env.agents.generation.session import Session
from pixel_env.agents.generation.speaker import Speaker
from pixel_env.agents.model.loading import LoadedModel, export
from pixel_env.agents.model.settings import ModelSettings
from pixel_env.agents.model.shapes import ModelShape
from pixel_env.agents.tokens.encoder import Encoder
from pixel_env.agents.tokens.trajectory import Ids, TokenTrajectory
from pixel_env.dialects import get_dialect
from pixel_env.scripts.dev.plain_generation import Anew
from pixel_env.types import Observation

SHAPE = ModelShape("qwen2_5_vl", 512, 8, 4, 2, 128, 1408, 4096, True, 4, 256, 512)
WAYS = ("generate", "ours", "vllm")
SIDE = 28
"""Pixels along a side of an image token."""
QUESTION = "How many of the small discs in the picture are as red as the one at the top? " * 3
MATRIX = 1024
READ = 2**25


class Endless(Encoder):
    """An encoder whose messages don't end by themselves, so that every way samples as much."""

    def forbidden_ids(self, vocab_size: int) -> Ids:
        """Returns the ids that are never sampled, the closing one among them."""
        return np.sort(np.append(super().forbidden_ids(vocab_size), self.end_id))


@dataclass(frozen=True, slots=True)
class Case:
    """A group of rollouts: how many, their turns, and what each turn shows and samples."""

    rollouts: int
    turns: int
    sampled: int
    picture: int
    crop: int

    def observations(self) -> list[list[Observation]]:
        """Returns what each turn shows each rollout: one picture to all first, then one of its own.

        Pictures are square, with about so many tokens.
        """
        rng = np.random.default_rng(0)

        def shown(turn: int) -> Observation:
            side = SIDE * max(1, round((self.crop if turn else self.picture) ** 0.5))
            return Observation(
                question=QUESTION,
                choices=(),
                images=(rng.integers(0, 256, (side, side, 3), np.uint8),),
                first_image=1 + turn,
                feedback="",
                turn=turn,
                turns_left=self.turns - turn,
                n_frames=0,
            )

        first = [shown(0)] * self.rollouts
        later = range(1, self.turns)
        return [first, *([shown(turn) for _ in first] for turn in later)]

    @property
    def n_sampled(self) -> int:
        """Tokens that all rollouts sample together."""
        return self.rollouts * self.turns * self.sampled


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line; returns the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rollouts", type=int, default=8, metavar="G", help="rollouts of a group")
    parser.add_argument("--turns", type=int, default=3, metavar="N")
    parser.add_argument("--sampled", type=int, default=64, metavar="N", help="tokens of a message")
    parser.add_argument("--picture", type=int, default=1024, metavar="N", help="tokens of it")
    parser.add_argument("--crop", type=int, default=256, metavar="N", help="tokens of a zoom")
    parser.add_argument("--repeats", type=int, default=5, metavar="N")
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=WAYS)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), metavar="N")
    parser.add_argument("--device", default="cpu")
    given = parser.parse_args(arguments)
    torch.set_num_threads(given.threads)
    case = Case(given.rollouts, given.turns, given.sampled, given.picture, given.crop)
    loaded = random_model(SHAPE, ModelSettings(device=given.device))
    with tempfile.TemporaryDirectory() as folder:
        ways = speakers(given.ways, loaded, case, Path(folder))
        seconds, rollouts = measured(ways, case, given.repeats)
    n_weights = sum(p.numel() for p in loaded.model.parameters())
    table = Table(
        title=f"{n_weights / 1e6:.0f} million weights, float32, {given.device}, {given.threads} of "
        f"{os.cpu_count()} threads, {case.rollouts} rollouts of {case.turns} turns, "
        f"{len(rollouts[0])} tokens each, {case.sampled} sampled a turn, medians of {given.repeats}"
    )
    for row in rows(seconds, case, floor_s(loaded.model.device, rollouts)):
        if not table.columns:
            for heading in row:
                table.add_column(heading, justify="right")
        table.add_row(*row.values())
    Console(soft_wrap=True).print(table)
    return 0


def speakers(
    names: Sequence[str], loaded: LoadedModel, case: Case, folder: Path
) -> dict[str, Speaker | Anew]:
    """Returns what is measured, by its name; vLLM only where it is installed."""
    dialect = get_dialect("pixel-reasoner")
    encoder = Endless(loaded.tokenizer, loaded.image_processor, dialect, "none")
    config = GenerationConfig(case.sampled, lanes_at_once=case.rollouts)
    model = loaded.model
    ways: dict[str, Speaker | Anew] = {}
    if "generate" in names:
        ways["generate"] = Anew(model, encoder, config)
    if "ours" in names:
        ways["ours"] = Session(Engine(model, encoder, config))
    if "vllm" in names and importlib.util.find_spec("vllm"):
        export(loaded, folder / "model")
        on_gpu = model.device.type == "cuda"
        vllm = VllmModel.open(folder / "model", encoder, config, VllmSettings(), on_gpu=on_gpu)
        ways["vllm"] = VllmSession(vllm, encoder, config, lambda: named_weights(model))
    return ways


def measured(
    ways: dict[str, Speaker | Anew], case: Case, repeats: int
) -> tuple[dict[str, list[tuple[float, float]]], list[TokenTrajectory]]:
    """Runs all ways in turns; returns each one's seconds, and the rollouts of the last."""
    seconds: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    shown = case.observations()
    rollouts: list[TokenTrajectory] = []
    for repeat in range(repeats + 1):
        for name, speaker in ways.items():
            speaker.update_weights()  # nothing is left of the repeat before, as in a training
            taken, rollouts = group(speaker, shown, repeat)
            assert sum(each.n_trainable for each in rollouts) == case.n_sampled
            if repeat:  # the first one warms up
                seconds[name].append(taken)
    return seconds, rollouts


def group(
    speaker: Speaker | Anew, shown: Sequence[Sequence[Observation]], seed: int
) -> tuple[tuple[float, float], list[TokenTrajectory]]:
    """Runs a group; returns its seconds (of the clock, of the processor) and its rollouts."""
    lanes = range(len(shown[0]))
    _wait()
    started = time.perf_counter(), time.process_time()
    for lane in lanes:
        speaker.begin(lane, [seed, lane])
    for observations in shown:
        speaker.hear(observations, lanes)
        speaker.speak(lanes)
    _wait()
    taken = time.perf_counter() - started[0], time.process_time() - started[1]
    ended = [speaker.end(lane) for lane in lanes]
    return taken, [each.build() for each in ended if each]


def rows(
    seconds: dict[str, list[tuple[float, float]]], case: Case, floor: float
) -> list[dict[str, str]]:
    """Returns the table's rows; ways are compared with the first one."""
    of_processor = not torch.cuda.is_available()
    medians = {
        name: [statistics.median(column) for column in zip(*taken, strict=True)]
        for name, taken in seconds.items()
    }
    first = next(iter(medians.values()))[of_processor]
    return [
        {
            "way": name,
            "seconds": f"{clock:.2f}",
            "of the processor": f"{processor:.2f}",
            "tokens a second": f"{case.n_sampled / clock:.0f}",
            "times the floor": f"{(clock, processor)[of_processor] / floor:.1f}",
            "times as fast": f"{first / (clock, processor)[of_processor]:.2f}",
        }
        for name, (clock, processor) in medians.items()
    ]


def floor_s(device: torch.device, rollouts: Sequence[TokenTrajectory]) -> float:
    """Returns the least seconds that sampling these rollouts takes here.

    Each prompt token counts once, what the group begins with once for all, a picture that all of it
    sees too; a step of decoding takes its operations or the reading of all weights, whichever is
    longer. What a token costs to attend to those before it is left out.
    """
    language, head = SHAPE.layers * SHAPE.layer_weights, SHAPE.hidden * SHAPE.vocab
    first, n = rollouts[0], len(rollouts)
    opening, sampled = first.turns[0].stop, first.n_trainable
    read = opening + n * (len(first) - opening - sampled)
    seen = {id(image): image for each in rollouts for image in each.images}
    pictures = sum(vision_operations(SHAPE, image) for image in seen.values())
    flops, byte_rate = rates(device)
    step = max(2.0 * n * (language + head) / flops, 4.0 * (language + head) / byte_rate)
    return (2.0 * language * read + pictures) / flops + sampled * step


def rates(device: torch.device) -> tuple[float, float]:
    """Returns operations a second of a float32 matrix product, and bytes a second of a read."""
    matrix = torch.randn(MATRIX, MATRIX, device=device)
    numbers = torch.ones(READ, device=device)
    product = fastest(lambda: matrix @ matrix)
    reading = fastest(numbers.sum)
    return 2.0 * MATRIX**3 / product, 4.0 * READ / reading


def fastest(work: Callable[[], Any], repeats: int = 5) -> float:
    """Returns the least seconds that something takes (on a CPU the processor's)."""
    clock = time.perf_counter if torch.cuda.is_available() else time.process_time
    taken = []
    for _ in range(repeats):
        _wait()
        started = clock()
        work()
        _wait()
        taken.append(clock() - started)
    return min(taken)


def _wait() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()


if __name__ == "__main__":
    sys.exit(main())
