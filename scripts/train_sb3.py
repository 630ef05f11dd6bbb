"""Trains PPO of stable-baselines3 on the environment, with the curiosity bonus.

    pixel-reason train-sb3                            # minutes, on this machine
    pixel-reason train-sb3 --out runs/mine            # run it again to go on after a stop
    pixel-reason train-sb3 --curiosity.enabled false
    pixel-reason train-sb3 --env-args '{"options": true}' --vocabulary '[]'

The policy is measured on the first samples of the test split, beside what guessing gets there.
The run's folder gets TensorBoard's files, checkpoints, the evaluated trajectories with their
pictures, report.md, and `model/` for `pixel-reason evaluate --policy sb3:DIR`.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pixel_env.agents.run.folders import free_folder
from pixel_env.agents.sb3.config import SB3Config
from pixel_env.agents.settings.command import Terminal, command
from pixel_env.agents.settings.command_line import Page
from pixel_env.agents.settings.marks import UNPREFIXED, mark
from pixel_env.files.lock import only_writer

if TYPE_CHECKING:
    from pixel_env.agents.sb3.training import SB3Result


@dataclass(frozen=True)
class TrainSB3Options:
    """Which run."""

    out: Path | None = None
    """Folder of the run; one that was begun goes on. Without it: a new one in runs/."""
    run: SB3Config = field(default_factory=SB3Config, metadata=mark(UNPREFIXED))
    """What is trained."""


PAGE = Page(
    "pixel-reason train-sb3",
    __doc__,
    often=(
        *("env", "env_args", "vocabulary", "view_px", "n_views", "scales", "steps", "n_envs"),
        *("rollout_steps", "batch_size", "epochs", "learning_rate", "entropy", "eval_samples"),
        *("evaluate_every", "seed", "threads", "curiosity.enabled", "curiosity.alpha"),
        "curiosity.threshold",
    ),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; returns the exit code, 1 where a setting or the data is wrong."""
    return command(_train, TrainSB3Options(), PAGE, arguments)


def _train(options: TrainSB3Options, terminal: Terminal) -> int:
    from pixel_env.agents.run.progress import StageBars
    from pixel_env.agents.sb3.training import SB3Training, write_report

    config = options.run
    folder = options.out or free_folder(f"sb3-{config.env}")
    terminal.goes_on = f" with --out {folder}"
    with only_writer(folder):
        with StageBars(terminal.console) as bars:
            result = SB3Training(config, folder, partial(bars, "PPO")).run()
        write_report(result, config)
    _show(result, config, terminal)
    return 0


def _show(result: SB3Result, config: SB3Config, terminal: Terminal) -> None:
    """Prints the table of scores and where everything is."""
    from pixel_env.agents.evaluation.screen import score_screen

    title = f"PPO after {result.steps:,} steps, {config.eval_samples} unseen samples"
    table = result.evaluation.table
    terminal.console.print(score_screen(title, {each.group: each for each in table}))
    terminal.say(
        f"Guessing gets {result.guessing.mean:.1%}. {result.cpu_seconds / 60:.1f} minutes of "
        f"processor time. Report, policy and trajectories: {result.folder}\n"
        f"Curves: tensorboard --logdir {result.folder}"
    )


if __name__ == "__main__":
    sys.exit(main())
