r"""Trains a policy: warm start by imitation, then on-policy RL with the curiosity bonus.

    python scripts/train.py                                # the tiny policy, on this machine
    python scripts/train.py --resume                       # goes on after a stop
    python scripts/train.py --out runs/mine                # so does this, called again
    python scripts/train.py --curiosity.enabled false      # the paper's "RL without curiosity"
    python scripts/train.py --model qwen2.5-vl-7b --eval-env PixelReason-VStar-v0   # with LoRA
    accelerate launch --multi_gpu --num_processes 8 scripts/train.py --out runs/mine ...

The base model, the warm start and the trained policy are each measured on the first samples of
the test split. The run's folder gets TensorBoard's files, checkpoints, every evaluated trajectory
with its pictures, the trained model and report.md.
"""

from __future__ import annotations

import argparse
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import gymnasium as gym
import yaml
from rich.console import Console
from transformers.utils.logging import disable_progress_bar

from pixel_env.agents.evaluation.screen import score_screen
from pixel_env.agents.model.loading import TINY
from pixel_env.agents.model.shapes import hub_name
from pixel_env.agents.run.config import RunConfig, large_defaults, tiny_defaults
from pixel_env.agents.run.folders import begun_folder, free_folder
from pixel_env.agents.run.progress import StageBars
from pixel_env.agents.run.report import write_report
from pixel_env.agents.run.run import Outcome, TrainingRun, table_of
from pixel_env.agents.settings.command_line import add_options, read_options, with_values
from pixel_env.agents.training.processes import end, launched
from pixel_env.errors import ConfigError, PixelEnvError

console = Console(soft_wrap=True)


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line; returns the exit code, 1 where an argument or the data is wrong."""
    given = vars(_parser(tiny_defaults()).parse_args(arguments))
    disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        config = _config(given)
        processes, device = launched(config.loading.device)
        config = replace(config, loading=replace(config.loading, device=device))
        folder = processes.told_by_first(lambda: _folder(config, given["out"], given["resume"]))
        with StageBars(console) if processes.is_first else nullcontext(_show_nothing) as bars:
            outcome = TrainingRun(config, folder, bars).run()
    except (PixelEnvError, gym.error.Error) as error:
        console.print(str(error), style="red", markup=False)
        return 1
    except KeyboardInterrupt:
        console.print(f"stopped; the same command with --out {folder} goes on", markup=False)
        return 130
    if processes.is_first:
        write_report(outcome, config)
        _show(outcome)
    return 0


def _config(given: dict[str, Any]) -> RunConfig:
    """Returns the model's defaults, changed by the file, changed by the options."""
    values: Any = {}
    if given["config"]:
        try:
            values = yaml.safe_load(given["config"].read_text(encoding="utf-8"))
        except (OSError, yaml.YAMLError) as fault:
            raise ConfigError(f"can't read settings from {given['config']}: {fault}") from fault
    told = values.get("model") if isinstance(values, dict) else None
    model = hub_name(str(given["model"] or told or TINY))
    defaults = tiny_defaults() if model == TINY else large_defaults(model)
    return replace(read_options(given, with_values(defaults, values)), model=model)


def _parser(defaults: RunConfig) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Defaults are those of the tiny policy; others begin with the paper's, with LoRA.",
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        help="folder of the run; one that was begun goes on (default: a new one in runs/)",
    )
    parser.add_argument(
        "--resume",
        action="store_true",
        help="go on with the run in --out, or with the newest one in runs/; one must be there",
    )
    parser.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="settings in YAML, by the names below; options on the command line win over them",
    )
    add_options(parser, defaults)
    return parser


def _folder(config: RunConfig, given: Path | None, resume: bool) -> Path:
    """Returns the run's folder: the one given, else a new one, or the newest if it is to go on."""
    name = f"{Path(config.model).name}-{config.env}"
    return begun_folder(name, given) if resume else given or free_folder(name)


def _show_nothing(stage: str, done: int, total: int, text: str = "") -> None:
    """Takes what other processes than the first would show."""


def _show(outcome: Outcome) -> None:
    """Prints the table of scores and where everything is."""
    title = "Accuracy after each stage, on unseen samples"
    console.print(score_screen(title, table_of(outcome)))
    minutes = sum(outcome.seconds.values()) / 60
    console.print(
        f"{minutes:.1f} minutes. Report, model and trajectories: {outcome.folder}\n"
        f"Curves: tensorboard --logdir {outcome.folder}",
        markup=False,
    )


if __name__ == "__main__":
    end(main())
