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
work, in bench_gpu.json and bench_gpu.md; docs/performance.md explains each column. A part
that runs out of memory is noted, and the others go on. The exit code is 0 where all parts ran and
all checks hold, else 2, and 1 for a wrong argument.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pixel_env.agents.bench.config import GpuBenchConfig
from pixel_env.agents.settings.command import Terminal, command
from pixel_env.agents.settings.command_line import Page
from pixel_env.agents.settings.marks import UNPREFIXED, mark
from pixel_env.errors import ConfigError


@dataclass(frozen=True)
class BenchOptions:
    """Where the figures go."""

    out: Path = Path("runs/bench_gpu")
    """Folder of the figures."""
    bench: GpuBenchConfig = field(default_factory=GpuBenchConfig, metadata=mark(UNPREFIXED))
    """What is measured."""


PAGE = Page("python scripts/dev/bench_gpu.py", __doc__)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; returns the exit code."""
    return command(_bench, BenchOptions(), PAGE, arguments)


def _bench(options: BenchOptions, terminal: Terminal) -> int:
    from pixel_env.agents.model.device import checked_device

    try:
        checked_device(options.bench.device)
    except ConfigError as error:
        here = "--device cpu --layers 2 --small true"
        raise ConfigError(f"{error}; the same path on this machine: {here}") from error
    return _measure(options.bench, options.out, terminal)


def _measure(config: GpuBenchConfig, folder: Path, terminal: Terminal) -> int:
    """Measures the models one after the other and writes after each."""
    from pixel_env.agents.bench.bench import ModelBench
    from pixel_env.agents.bench.device_meter import Deadline
    from pixel_env.agents.bench.report import page, surroundings, write

    deadline = Deadline(config.budget_minutes)

    def note(model: str, part: str) -> None:
        terminal.say(f"{deadline.seconds:5.0f} s  {model}: {part}")

    reports = []
    for model in config.models:
        reports.append(ModelBench(config, model, deadline, note).run())
        write(config, reports, folder)
    terminal.say(page(surroundings(config), reports))
    terminal.say(f"{deadline.seconds:.0f} seconds. Figures: {folder}")
    return 0 if all(report.holds for report in reports) else 2


if __name__ == "__main__":
    sys.exit(main())
