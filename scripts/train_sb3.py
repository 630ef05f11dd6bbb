r"""Trains PPO of stable-baselines3 on the environment, with the curiosity bonus.

    python scripts/train_sb3.py                            # minutes, on this machine
    python scripts/train_sb3.py --out runs/mine            # run it again to go on after a stop
    python scripts/train_sb3.py --curiosity.enabled false
    python scripts/train_sb3.py --env-args '{"options": true}' --vocabulary '[]'

The policy is measured on the first samples of the test split, beside what guessing gets there.
The run's folder gets TensorBoard's files, checkpoints, the evaluated trajectories with their
pictures, report.md, and `model/` for scripts/evaluate.py --policy sb3:DIR.
"""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path

import gymnasium as gym
from rich.console import Console

from pixel_env.agents.evaluation.screen import score_screen
from pixel_env.agents.run.folders import free_folder
from pixel_env.agents.run.progress import StageBars
from pixel_env.agents.sb3.config import SB3Config
from pixel_env.agents.sb3.training import SB3Outcome, SB3Training, write_report
from pixel_env.agents.settings.command_line import add_options, read_options
from pixel_env.errors import PixelEnvError

console = Console(soft_wrap=True)


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line; returns the exit code, 1 where an argument or the data is wrong."""
    given = vars(_parser().parse_args(arguments))
    folder = None
    try:
        config = read_options(given, SB3Config())
        folder = given["out"] or free_folder(f"sb3-{config.env}")
        with StageBars(console) as bars:
            outcome = SB3Training(config, folder, partial(bars, "PPO")).run()
    except (PixelEnvError, gym.error.Error) as error:
        console.print(str(error), style="red", markup=False)
        return 1
    except KeyboardInterrupt:
        console.print(f"stopped; the same command with --out {folder} goes on", markup=False)
        return 130
    write_report(outcome, config)
    _show(outcome, config)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        help="folder of the run; one that was begun goes on (default: a new one in runs/)",
    )
    add_options(parser, SB3Config())
    return parser


def _show(outcome: SB3Outcome, config: SB3Config) -> None:
    """Prints the table of scores and where everything is."""
    title = f"PPO after {outcome.steps:,} steps, {config.eval_samples} unseen samples"
    table = outcome.evaluation.table
    console.print(score_screen(title, {each.group: each for each in table}))
    console.print(
        f"Guessing gets {outcome.guessing.mean:.1%}. {outcome.cpu_seconds / 60:.1f} minutes of "
        f"processor time. Report, policy and trajectories: {outcome.folder}\n"
        f"Curves: tensorboard --logdir {outcome.folder}",
        markup=False,
    )


if __name__ == "__main__":
    sys.exit(main())
