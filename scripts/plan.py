"""Estimates whether a training fits on a GPU, part by part, and how long the RL takes.

    python scripts/plan.py --model qwen2.5-vl-7b --gpu a100-80 --n-gpus 8 --sharding true \
        --dtype float32 --compute bfloat16
    python scripts/plan.py --model models/mine --gpu-gib 48 --lora-rank 32

Weights, optimizer, gradients, cache and pictures are counted, activations and hours estimated: see
agents/bench/memory_plan.py for the formulas and what they leave out. Leave a tenth of the GPU free.
"""

from __future__ import annotations

import argparse
import sys
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
from pixel_env.agents.model.shapes import SHAPES, SHORT, ModelShape, hub_name, shape_of
from pixel_env.agents.settings.command_line import add_options, read_options
from pixel_env.errors import ConfigError, PixelEnvError, unknown_name

console = Console(soft_wrap=True, highlight=False)


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line; returns 0 where it fits, 2 where not, 1 for a wrong argument."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--model", default="qwen2.5-vl-7b", metavar="NAME", help="a known size, or a folder"
    )
    parser.add_argument("--gpu", default="a100-80", metavar="NAME", help=", ".join(GPUS))
    parser.add_argument("--gpu-gib", type=float, metavar="X", help="instead of that GPU's memory")
    add_options(parser, Workload())
    given = vars(parser.parse_args(arguments))
    try:
        load = read_options(given, Workload())
        shape = _shape(given["model"])
        if given["gpu"] not in GPUS:
            raise unknown_name("gpu", given["gpu"], GPUS)
    except PixelEnvError as error:
        console.print(str(error), style="red", markup=False)
        return 1
    gpu = GPUS[given["gpu"]]
    return _show(shape, load, Gpu(given["gpu_gib"] or gpu.gib, gpu.tflops, gpu.tb_per_second))


def _shape(model: str) -> ModelShape:
    name = hub_name(model)
    if name in SHAPES:
        return SHAPES[name]
    if not (Path(model) / "config.json").is_file():
        raise unknown_name("model, or a folder with config.json,", model, SHORT)
    from transformers import AutoConfig

    try:
        return shape_of(AutoConfig.from_pretrained(model))
    except (OSError, ValueError) as fault:
        raise ConfigError(f"can't read {model}: {fault}") from fault


def _show(shape: ModelShape, load: Workload, gpu: Gpu) -> int:
    made = plan(shape, load)
    _print(made)
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


def _print(made: MemoryPlan) -> None:
    table = Table("when", "what", "GiB")
    parts = {
        "always": made.held,
        "update": made.update,
        "sampling": made.generate,
        "host, each process": made.host,
    }
    for when, held in parts.items():
        for what, n_bytes in held.items():
            table.add_row(when, what, f"{n_bytes / GIB:.1f}")
        table.add_section()
    console.print(table)


if __name__ == "__main__":
    sys.exit(main())
