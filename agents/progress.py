"""The progress bar of a training: time left, and the running accuracy and RaPR."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from types import TracebackType

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

SHOWN = {"accuracy": "accuracy/all", "RaPR": "rapr", "reward": "reward/mean"}
"""What stands beside the bar, and the metric that it is."""


class TrainingProgress:
    """A bar that is told of each iteration; a context manager.

    Numbers are running means, so that the noise of single iterations doesn't flicker.

    Example:
        >>> import io
        >>> console = Console(file=io.StringIO(), width=120)
        >>> with TrainingProgress("on-policy", 4, console) as progress:
        ...     progress(1, {"accuracy/all": 0.5, "rapr": 1.0, "reward/mean": 0.25})
        >>> progress.text
        'accuracy 50.0%, RaPR 100.0%, reward 0.250'
    """

    def __init__(
        self, name: str, total: int, console: Console | None = None, smoothing: float = 0.8
    ) -> None:
        """Takes what stands before the bar, and the number of iterations.

        Args:
            name: what stands before the bar.
            total: iterations of the whole training.
            console: where to draw; rich's own one where None.
            smoothing: weight of the past in the running means, in [0, 1).
        """
        self.text = ""
        self._smoothing = smoothing
        self._means: dict[str, float] = {}
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[text]}"),
            console=console,
        )
        self._task = self._bar.add_task(name, total=total, text="")

    def __enter__(self) -> TrainingProgress:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.stop()

    def __call__(
        self, iteration: int, metrics: Mapping[str, float], warnings: Sequence[str] = ()
    ) -> None:
        """Moves the bar, and prints warnings above it.

        Args:
            iteration: iterations done, from 1.
            metrics: the iteration's metrics; those not in `SHOWN` are passed over.
            warnings: one sentence each.
        """
        for metric in SHOWN.values():
            value = metrics.get(metric, math.nan)
            if not math.isnan(value):
                before = self._means.get(metric, value)
                self._means[metric] = self._smoothing * before + (1 - self._smoothing) * value
        self.text = ", ".join(
            f"{name} {self._written(metric)}"
            for name, metric in SHOWN.items()
            if metric in self._means
        )
        self._bar.update(self._task, completed=iteration, text=self.text)
        for warning in warnings:
            self._bar.console.print(
                f"Warning: {warning}", style="yellow", markup=False, highlight=False
            )

    def _written(self, metric: str) -> str:
        value = self._means[metric]
        return f"{value:.3f}" if metric == "reward/mean" else f"{100 * value:.1f}%"
