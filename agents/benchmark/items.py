"""Single items in a report: how many, how an answer is written, and links to their episodes."""

from __future__ import annotations

from urllib.parse import quote

from .config import Cell
from .document import Link

MOST_ITEMS = 200
"""How many items of one comparison a report lists; `benchmark.json` has all."""

PAGE = "view.html"
"""The page of all cells' episodes, in the benchmark's folder."""


def cell_link(cell: Cell, text: str) -> Link:
    """Returns a link from a benchmark's folder to the episodes of a cell."""
    return Link(text, f"{PAGE}#/folder/{_folder(cell)}")


def episode_link(cell: Cell, index: int, repeat: int, text: str) -> Link:
    """Returns a link from a benchmark's folder to an episode.

    Args:
        cell: where it ran.
        index: of the sample.
        repeat: which of the sample's episodes.
        text: what is shown.
    """
    return Link(text, f"{PAGE}#episode-{index}-{repeat}@{_folder(cell)}")


def _folder(cell: Cell) -> str:
    """Returns a cell's folder as the page names it."""
    return quote(f"cells/{cell.environment.folder}/{cell.policy.folder}")


def item_name(sample_id: str, repeat: int) -> str:
    """Writes which episode an item is."""
    return f"{sample_id} (repeat {repeat})" if repeat else sample_id


def answer_text(answer: str | None, most: int = 80) -> str:
    """Writes an answer in a table's cell; it is never empty, so that it can be a link.

    Example:
        >>> answer_text("a  b"), answer_text(""), answer_text(None)
        ('a b', 'empty', 'no answer')
    """
    if answer is None:
        return "no answer"
    line = " ".join(answer.split())
    return "empty" if not line else line if len(line) <= most else f"{line[:most]}..."


def listed_text(n: int) -> str:
    """Says that a list is cut; "" where it isn't."""
    return f" The first {MOST_ITEMS} are listed; benchmark.json has all." if n > MOST_ITEMS else ""
