"""Writes the policy of a run's checkpoint as a plain folder, adapters merged into the weights.

    pixel-reason export --run runs/mine --best --out models/mine
    pixel-reason evaluate --policy vlm:models/mine ...

A finished run holds its last policy in `model/` already. This takes the newest whole checkpoint of
a run that goes on or was stopped, or the best one by its evaluation.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from pixel_env.agents.settings.command import Terminal, command
from pixel_env.agents.settings.command_line import Page, UsageError
from pixel_env.agents.settings.marks import FLAG, mark
from pixel_env.errors import ConfigError, unknown_name
from pixel_env.files.lock import only_writer_of_file

STAGES = ("on_policy", "imitation")


@dataclass(frozen=True)
class ExportOptions:
    """Which policy, and where to."""

    run: Path | None = None
    """The run's folder."""
    out: Path | None = None
    """Gets the model."""
    stage: str = "on_policy"
    """Whose checkpoint: on_policy or imitation."""
    best: bool = field(default=False, metadata=mark(FLAG))
    """The best one by its evaluation."""

    def __post_init__(self) -> None:
        """Checks the stage.

        Raises:
            ConfigError: there is no such stage.
        """
        if self.stage not in STAGES:
            raise unknown_name("stage", self.stage, STAGES)


PAGE = Page("pixel-reason export", __doc__)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; returns the exit code, 1 where the run can't be read."""
    return command(_export, ExportOptions(), PAGE, arguments)


def _export(options: ExportOptions, terminal: Terminal) -> int:
    if options.run is None or options.out is None:
        raise UsageError("expected --run and --out")
    with only_writer_of_file(options.out):
        checkpoint = _write(options, options.run, options.out)
    terminal.say(f"{options.out} holds the policy of {checkpoint}")
    return 0


def _write(options: ExportOptions, run: Path, out: Path) -> Path:
    """Writes the model; returns the checkpoint that it is of."""
    from transformers.utils.logging import disable_progress_bar

    from pixel_env.agents.model.loading import export, load
    from pixel_env.agents.run.stored_config import stored_config
    from pixel_env.agents.training.checkpoints.weights import load_weights

    disable_progress_bar()  # type: ignore[no-untyped-call]
    checkpoint = _checkpoint(run / options.stage / "checkpoints", options.best)
    config = stored_config(run)
    parts = load(config.model, replace(config.loading, device="cpu"))
    load_weights(checkpoint, parts.model)
    export(parts, out, trained_with=config.trained_with())
    return checkpoint


def _checkpoint(folder: Path, best: bool) -> Path:
    from pixel_env.agents.training.checkpoints.checkpointer import Checkpointer

    checkpoints = Checkpointer(folder)
    found = (checkpoints.best if best else checkpoints).latest()
    if found is None:
        raise ConfigError(f"expected a whole checkpoint in {folder / 'best' if best else folder}")
    return found


if __name__ == "__main__":
    sys.exit(main())
