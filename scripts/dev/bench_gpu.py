"""Measures a training's parts on a GPU: models of public shapes, random weights, no download.

    python scripts/dev/bench_gpu.py                    # 3B and 7B, under 9 minutes
    python scripts/dev/bench_gpu.py --models qwen2.5-vl-3b --train all
    python scripts/dev/bench_gpu.py --device cpu --layers 2 --small true   # the same path, anywhere

For each model: a warm-start step on demonstrations, a rollout with zooms, an RL update, and whether
log-probabilities recorded while generating are those of one pass over the whole, in the model's own
dtype and, for a few layers, in float32. A model with random weights calls nothing, so the lanes
carry out a script: the model samples every token of its messages itself, none is forced, and is
shown what scripted zooms show.

Seconds, tokens a second and peak memory stand beside what scripts/plan.py estimates for the same
work, in bench_gpu.json and bench_gpu.md; docs/performance.md says what each column means. A part
that runs out of memory is told, and the others go on. The exit code is 0 where all parts ran and
all checks hold, else 2, and 1 for a wrong argument.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import torch
from rich.console import Console

from pixel_env.agents.bench.bench import ModelBench
from pixel_env.agents.bench.config import GpuBenchConfig
from pixel_env.agents.bench.device_meter import Deadline
from pixel_env.agents.bench.report import page, surroundings, write
from pixel_env.agents.settings.command_line import add_options, read_options
from pixel_env.errors import ConfigError, PixelEnvError

console = Console(soft_wrap=True, highlight=False)


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line; returns the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("runs/bench_gpu"),
        metavar="DIR",
        help="folder of the figures (default: %(default)s)",
    )
    add_options(parser, GpuBenchConfig())
    given = vars(parser.parse_args(arguments))
    try:
        config = read_options(given, GpuBenchConfig())
        _check_device(config.device)
        return _measure(config, given["out"])
    except PixelEnvError as error:
        console.print(str(error), style="red", markup=False)
        return 1


def _check_device(device: str) -> None:
    try:
        kind = torch.device(device).type
    except RuntimeError as fault:
        raise ConfigError(f"expected a torch device, got {device!r}") from fault
    if kind == "cuda" and not torch.cuda.is_available():
        raise ConfigError(
            "expected a GPU, got none; the same path on this machine: "
            "--device cpu --layers 2 --small true"
        )


def _measure(config: GpuBenchConfig, folder: Path) -> int:
    """Measures the models one after the other and writes after each."""
    deadline = Deadline(config.budget_minutes)

    def note(model: str, part: str) -> None:
        console.print(f"{deadline.seconds:5.0f} s  {model}: {part}", markup=False)

    reports = []
    for model in config.models:
        reports.append(ModelBench(config, model, deadline, note).run())
        write(config, reports, folder)
    console.print(page(surroundings(config), reports), markup=False)
    console.print(f"{deadline.seconds:.0f} seconds. Figures: {folder}", markup=False)
    return 0 if all(report.holds for report in reports) else 2


if __name__ == "__main__":
    sys.exit(main())
