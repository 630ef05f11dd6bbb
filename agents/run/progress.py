"""The progress of a run on the screen: a bar with time left for each of its stages."""

from __future__ import annotations

import time

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

WARNING = "warning"
"""The stage whose words are printed above the bars."""

_SECONDS_A_LINE = 30.0


class StageBars:
    """Bars that are told of each step; a context manager.

    Where there is no screen (a log file, a batch job) it writes a plain line at the end of a
    stage, and every half minute at most.

    Example:
        >>> import io
        >>> console = Console(file=io.StringIO(), width=120)
        >>> with StageBars(console) as bars:
        ...     bars("warm start", 300, 300, "loss 0.21")
        >>> console.file.getvalue().splitlines()[0]
        'warm start 300/300 loss 0.21'
    """

    def __init__(self, console: Console) -> None:
        """Takes where to draw."""
        self._console = console
        self._progress = Progress(
            TextColumn("{task.description:<20}"),
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[text]}"),
            console=console,
        )
        self._bars: dict[str, int] = {}
        self._told = time.monotonic()

    def __enter__(self) -> StageBars:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def __call__(self, stage: str, done: int, total: int, text: str = "") -> None:
        """Moves a stage's bar.

        Args:
            stage: its name; "warning" prints `text` above the bars instead.
            done: steps done, from 0.
            total: steps of the whole stage.
            text: a few words or numbers beside the bar.
        """
        if stage == WARNING:
            self._progress.console.print(text, style="yellow", markup=False, highlight=False)
            return
        if stage not in self._bars:
            self._bars[stage] = self._progress.add_task(stage, total=total, text="")
        self._progress.update(self._bars[stage], completed=done, total=total, text=text)  # type: ignore[arg-type]
        is_due = done >= total or time.monotonic() - self._told > _SECONDS_A_LINE
        if is_due and not self._console.is_terminal:
            self._told = time.monotonic()
            self._console.print(f"{stage} {done}/{total} {text}", markup=False, highlight=False)
