r"""Estimates whether a training fits on a GPU, part by part, and how long the RL takes.

    pixel-reason plan --model qwen2.5-vl-7b --gpu a100-80 --n-gpus 8 --sharding true \
        --dtype float32 --compute bfloat16
    pixel-reason plan --model models/mine --gpu-gib 48 --lora-rank 32

Weights, optimizer, gradients, cache and pictures are counted, activations and hours estimated: see
`pixel_env.agents.bench.memory_plan` for the formulas and what they leave out. Leave a tenth of the
GPU free. The exit code is 0 where it fits, 2 where not.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table

from pixel_env.agents.bench.memory_plan import (
    GIB,
    GPUS,
    USABLE,
    Gpu,
    MemoryPlan,
    Workload,
    hours,
    plan,
)
from pixel_env.agents.model.shapes import SHAPES, SHORT, ModelShape, hub_name
from pixel_env.agents.settings.command import Terminal, command
from pixel_env.agents.settings.command_line import Page
from pixel_env.agents.settings.marks import UNPREFIXED, mark
from pixel_env.errors import unknown_name


@dataclass(frozen=True)
class PlanOptions:
    """Which model, and on which GPU."""

    model: str = "qwen2.5-vl-7b"
    """A known size, or a folder."""
    gpu: str = "a100-80"
    """Kind of GPU: a100-40, a100-80, a800-80, h100-80, h200-141, l40s-48 or rtx4090-24."""
    gpu_gib: float | None = None
    """Memory of the GPU, instead of that kind's."""
    load: Workload = field(default_factory=Workload, metadata=mark(UNPREFIXED))
    """What is trained, and how."""

    def __post_init__(self) -> None:
        """Checks the name.

        Raises:
            ConfigError: no such GPU is known.
        """
        if self.gpu not in GPUS:
            raise unknown_name("gpu", self.gpu, GPUS)


PAGE = Page("pixel-reason plan", __doc__)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; returns 0 where it fits, 2 where not, 1 for a wrong argument."""
    return command(_plan, PlanOptions(), PAGE, arguments)


def _plan(options: PlanOptions, terminal: Terminal) -> int:
    gpu = GPUS[options.gpu]
    room = Gpu(options.gpu_gib or gpu.gib, gpu.tflops, gpu.tb_per_second)
    return _show(_shape(options.model), options.load, room, terminal.console)


def _shape(model: str) -> ModelShape:
    name = hub_name(model)
    if name in SHAPES:
        return SHAPES[name]
    if not (Path(model) / "config.json").exists():
        raise unknown_name("model, or a folder with config.json,", model, SHORT)
    from pixel_env.agents.model.pretrained import stored_shape

    return stored_shape(Path(model))


def _show(shape: ModelShape, load: Workload, gpu: Gpu, console: Console) -> int:
    made = plan(shape, load)
    console.print(_table(made))
    room = gpu.gib * USABLE
    fits = made.peak / GIB <= room
    console.print(
        f"{shape.weights / 1e9:.2f} billion weights. Peak of a GPU: {made.peak / GIB:.1f} GiB of "
        f"{gpu.gib:.0f} ({room:.0f} usable): {'fits' if fits else 'does not fit'}."
    )
    time = hours(shape, load, gpu)
    console.print(
        f"RL over {load.queries} queries of {load.group_size} rollouts on {load.n_gpus} GPUs: "
        f"about {time.hours:.0f} hours, {time.generate:.0f} of them sampling; "
        f"{time.hours * load.n_gpus:.0f} GPU-hours."
    )
    return 0 if fits else 2


def _table(made: MemoryPlan) -> Table:
    table = Table("when", "what", "GiB")
    parts = {
        "always": made.always,
        "update": made.update,
        "sampling": made.generate,
        "host, each process": made.host,
    }
    for when, sizes in parts.items():
        for what, n_bytes in sizes.items():
            table.add_row(when, what, f"{n_bytes / GIB:.1f}")
        table.add_section()
    return table


if __name__ == "__main__":
    sys.exit(main())
