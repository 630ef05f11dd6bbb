"""Progress on the screen: a bar with time left for each stage of a command's work."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

WARNING = "warning"
"""The stage whose text is printed above the bars."""

_SECONDS_A_LINE = 30.0

Item = TypeVar("Item")


class StageBars:
    """Bars that move with each step; a context manager.

    Where there is no screen (a log file, a batch job) each stage writes a plain line at its end,
    and every half minute before.

    Example:
        >>> import io
        >>> console = Console(file=io.StringIO(), width=120)
        >>> with StageBars(console) as bars:
        ...     bars("warm start", 300, 300, "loss 0.21")
        >>> console.file.getvalue().splitlines()[0]
        'warm start 300/300 loss 0.21'
    """

    def __init__(self, console: Console, transient: bool = False) -> None:
        """Takes where to draw, and whether the bars go at the end."""
        self._console = console
        self._progress = Progress(
            TextColumn("{task.description:<20}"),
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[text]}"),
            console=console,
            transient=transient,
        )
        self._bars: dict[str, int] = {}
        self._moved = time.monotonic()
        self._written: dict[str, float] = {}
        self._ended: set[str] = set()

    def __enter__(self) -> StageBars:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def __call__(self, stage: str, done: int, total: int | None, text: str = "") -> None:
        """Moves a stage's bar.

        Args:
            stage: its name; "warning" prints `text` above the bars instead.
            done: steps done, from 0.
            total: steps of the whole stage; None where nobody knows.
            text: stands beside the bar.
        """
        if stage == WARNING:
            self._progress.console.print(text, style="yellow", markup=False, highlight=False)
            return
        if stage not in self._bars:
            self._bars[stage] = self._progress.add_task(stage, total=total, text="")
        self._progress.update(self._bars[stage], completed=done, total=total, text=text)  # type: ignore[arg-type]
        if not self._console.is_terminal:
            self._write(stage, done, total, text)

    def each(self, stage: str, items: Iterable[Item], total: int | None = None) -> Iterator[Item]:
        """Goes through some items and moves a stage's bar after each.

        Args:
            stage: its name.
            items: any number.
            total: how many there are; None where nobody knows.
        """
        done = 0
        for done, item in enumerate(items, start=1):
            yield item
            self(stage, done, total)
        if total is None:
            self(stage, done, done)

    def _write(self, stage: str, done: int, total: int | None, text: str) -> None:
        """Writes a line where the stage reaches its end, or hasn't had one for half a minute."""
        now = time.monotonic()
        # A stage counts from where the one before it stopped: its first step may take long.
        is_due = now - self._written.setdefault(stage, self._moved) > _SECONDS_A_LINE
        self._moved = now
        is_end = total is not None and done >= total
        was_end = stage in self._ended
        self._ended = self._ended | {stage} if is_end else self._ended - {stage}
        if (is_due or is_end) and not (is_end and was_end):
            self._written[stage] = now
            of = "" if total is None else f"/{total}"
            line = f"{stage} {done}{of} {text}".rstrip()
            self._console.print(line, markup=False, highlight=False)
