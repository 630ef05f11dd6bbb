"""Writes the policy of a run's checkpoint as a plain folder, adapters merged into the weights.

    python scripts/export.py --run runs/mine --best --out models/mine
    python scripts/evaluate.py --policy vlm:models/mine ...

A finished run holds its last policy in `model/` already. This takes the newest whole checkpoint of
a run that goes on or was stopped, or the best one by its evaluation.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from rich.console import Console
from transformers.utils.logging import disable_progress_bar

from pixel_env.agents.model.loading import export, load
from pixel_env.agents.run.config import RunConfig
from pixel_env.agents.settings.command_line import with_values
from pixel_env.agents.training.checkpoints.checkpointer import Checkpointer
from pixel_env.agents.training.checkpoints.weights import load_weights
from pixel_env.errors import ConfigError, PixelEnvError

console = Console(soft_wrap=True)


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line; returns the exit code, 1 where the run can't be read."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--run", type=Path, required=True, metavar="DIR", help="the run's folder")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="gets the model")
    parser.add_argument(
        "--stage", choices=("on_policy", "imitation"), default="on_policy", help="whose checkpoint"
    )
    parser.add_argument("--best", action="store_true", help="the best one by its evaluation")
    given = parser.parse_args(arguments)
    disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        checkpoint = _checkpoint(given.run / given.stage / "checkpoints", given.best)
        config = _config(given.run / "config.json")
        parts = load(config.model, config.model_settings())
        load_weights(checkpoint, parts.model)
        export(parts, given.out)
    except PixelEnvError as error:
        console.print(str(error), style="red", markup=False)
        return 1
    console.print(f"{given.out} holds the policy of {checkpoint}", markup=False)
    return 0


def _config(path: Path) -> RunConfig:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as fault:
        raise ConfigError(f"expected the settings of a run in {path}: {fault}") from fault
    config = with_values(RunConfig(), values)
    return with_values(config, {"loading": {"device": "cpu"}})


def _checkpoint(folder: Path, best: bool) -> Path:
    checkpoints = Checkpointer(folder)
    found = (checkpoints.best if best else checkpoints).latest()
    if found is None:
        raise ConfigError(f"expected a whole checkpoint in {folder / 'best' if best else folder}")
    return found


if __name__ == "__main__":
    sys.exit(main())
