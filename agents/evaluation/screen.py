"""Scores as a table on the screen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich import box
from rich.table import Table

from .scores import Scores, table_cells


def score_screen(title: str, lines: Mapping[str, Scores], score_name: str = "") -> Table:
    """Returns a table with one line for each label; heads wrap between words, cells never."""
    return screen(title, table_cells(lines, score_name))


def screen(title: str, rows: Sequence[Sequence[str]]) -> Table:
    """Returns rows of cells, the heads first, as a table."""
    table = Table(title=title, box=box.SIMPLE_HEAD, padding=0, show_edge=False)
    heads, *body = rows
    for head, *column in zip(heads, *body, strict=True):
        width = max(map(len, [*head.split(), *column]))
        table.add_column(head, justify="right" if head else "left", min_width=width)
    for row in body:
        table.add_row(*row)
    return table
