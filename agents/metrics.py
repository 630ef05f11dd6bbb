"""What a training writes down, and what it warns about.

Every metric that a trainer logs is defined in `docs/metrics.md`.
"""

from __future__ import annotations

import json
import logging
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch.utils.tensorboard.writer import SummaryWriter

from pixel_env.errors import ConfigError, DataError

FILE_NAME = "metrics.jsonl"

logger = logging.getLogger(__name__)


class MetricWriter:
    """Writes numbers by step, to TensorBoard and as one line of JSON a step.

    A training that was killed and goes on from an earlier step opens its folder with that step:
    what was written after it is dropped, so that every step is in the file once.

    Attributes:
        path: the file of lines, `metrics.jsonl`: {"step": 3, "reward/mean": 0.5, ...}.
    """

    def __init__(self, folder: str | os.PathLike[str], resumed_step: int = 0) -> None:
        """Opens or makes the folder.

        Args:
            folder: holds `metrics.jsonl` and TensorBoard's event files; made where missing.
            resumed_step: the last step whose lines are kept; 0 starts anew.

        Raises:
            DataError: a line before the last one can't be read.
        """
        self._folder = Path(folder)
        self._folder.mkdir(parents=True, exist_ok=True)
        self.path = self._folder / FILE_NAME
        _keep_steps(self.path, resumed_step)
        self._board = SummaryWriter(str(self._folder), purge_step=resumed_step + 1)

    def write(self, step: int, metrics: Mapping[str, float]) -> None:
        """Writes one step's numbers; they are on the disk when this returns.

        Args:
            step: from 1, growing.
            metrics: numbers by name; one that isn't finite is null in the file.
        """
        values = {name: float(value) for name, value in metrics.items()}
        for name, value in values.items():
            self._board.add_scalar(name, value, step)
        self._board.flush()
        finite = {name: value if math.isfinite(value) else None for name, value in values.items()}
        with self.path.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps({"step": step, **finite}, allow_nan=False) + "\n")

    def close(self) -> None:
        """Closes TensorBoard's file."""
        self._board.close()


def read_metrics(folder: str | os.PathLike[str]) -> list[dict[str, Any]]:
    """Returns the lines of a folder's `metrics.jsonl`, one dict a step; [] where there is none.

    Raises:
        DataError: a line before the last one can't be read.
    """
    path = Path(folder) / FILE_NAME
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8").splitlines()
    rows: list[dict[str, Any]] = []
    for number, line in enumerate(lines, start=1):
        try:
            rows.append(json.loads(line))
        except json.JSONDecodeError as fault:
            if number < len(lines):
                raise DataError(f"{path}, line {number}: {fault}") from fault
    return rows


MEANINGS = {
    "rapr": "no rollout looks any more (see docs/metrics.md, learning trap)",
    "reward/curiosity": (
        "either no rollout looks any more, or every group looks more often than the threshold "
        "(see docs/metrics.md, learning trap)"
    ),
}
"""The metrics that are watched by default, and what it means when one stays at 0."""


class CollapseWatch:
    """Warns when a policy has stopped looking: the learning trap.

    A curve at 0 is easily overlooked among thirty others, and it does not recover by itself.
    One warning is given for each collapse: after `patience` iterations at 0, and again only when
    the number has been over 0 in between.
    """

    def __init__(self, patience: int = 20, meanings: Mapping[str, str] | None = None) -> None:
        """Takes after how many iterations at 0 to warn, and which metrics to watch.

        Args:
            patience: at least 1.
            meanings: metrics to watch, with what to say; `MEANINGS` where None.

        Raises:
            ConfigError: `patience` is under 1.
        """
        if patience < 1:
            raise ConfigError(f"expected patience of at least 1, got {patience}")
        self.patience = patience
        self._meanings = MEANINGS if meanings is None else meanings
        self._at_zero = dict.fromkeys(self._meanings, 0)

    def watch(self, metrics: Mapping[str, float]) -> list[str]:
        """Takes one iteration's metrics; returns the warnings, and logs them.

        A metric that is missing or not a number changes nothing.
        """
        warnings = []
        for name, meaning in self._meanings.items():
            value = metrics.get(name, math.nan)
            if math.isnan(value):
                continue
            self._at_zero[name] = self._at_zero[name] + 1 if value == 0 else 0
            if self._at_zero[name] == self.patience:
                warnings.append(f"{name} has been 0 for {self.patience} iterations: {meaning}")
        for warning in warnings:
            logger.warning(warning)
        return warnings

    def state(self) -> dict[str, int]:
        """Returns what a checkpoint has to keep."""
        return dict(self._at_zero)

    def restore(self, state: Mapping[str, int]) -> None:
        """Goes on from what `state` gave."""
        self._at_zero = {name: int(state.get(name, 0)) for name in self._at_zero}


def _keep_steps(path: Path, last: int) -> None:
    """Drops a file's lines after step `last`, and a line that a dying process left unfinished."""
    rows = [row for row in read_metrics(path.parent) if row["step"] <= last]
    partial = path.with_suffix(".partial")
    partial.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    partial.replace(path)
