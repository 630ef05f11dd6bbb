"""Scores as a table on the screen."""

from __future__ import annotations

from collections.abc import Mapping

from rich import box
from rich.table import Table

from .scores import COLUMNS, Scores, cells


def score_screen(title: str, lines: Mapping[str, Scores]) -> Table:
    """Returns a table with one line for each label; heads wrap between words, cells never."""
    table = Table(title=title, box=box.SIMPLE_HEAD, padding=0, show_edge=False)
    written = [cells(scores, label) for label, scores in lines.items()]
    for head, *column in zip(COLUMNS, *written, strict=True):
        width = max(map(len, [*head.split(), *column]))
        table.add_column(head, justify="right" if head else "left", min_width=width)
    for line in written:
        table.add_row(*line)
    return table
