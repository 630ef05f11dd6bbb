"""Episodes of a run that tell how it answers: a right zoom, a wrong one, an answer without one."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image as PillowImage

from pixel_env.errors import PixelEnvError
from pixel_env.evidence import SEEN_SHARE
from pixel_env.viewer import Site, read_site
from pixel_env.viewer.drawn import draw_recorded

Row = Mapping[str, Any]

MOST_READ = 500
"""Episodes among which the examples are looked for, the first ones."""


def _has_seen(row: Row) -> bool:
    return row["coverage"] is None or bool(row["coverage"] >= SEEN_SHARE)


WANTED: Mapping[str, tuple[str, Callable[[Row], bool]]] = {
    "right": (
        "Right, after a zoom or a selection that shows the evidence",
        lambda row: row["correct"] is True and row.get("n_operations", 0) > 0 and _has_seen(row),
    ),
    "wrong": (
        "Wrong, after a zoom or a selection",
        lambda row: row["correct"] is False and row.get("n_operations", 0) > 0,
    ),
    "text-only": (
        "Answered without any",
        lambda row: row["correct"] is not None and not row.get("n_calls"),
    ),
}
"""What is looked for, by the name of its picture: a title, and which rows it is."""


@dataclass(frozen=True, slots=True)
class Example:
    """One episode of a report.

    Attributes:
        name: key in `WANTED`, and name of its picture.
        title: what it shows.
        row: of the episode, as the viewer's list has it.
        messages: what the policy wrote, turn by turn.
        picture: the episode drawn, as PNG.
    """

    name: str
    title: str
    row: Row
    messages: tuple[str, ...]
    picture: bytes


def find_examples(folder: Path) -> list[Example]:
    """Finds the first episode of each kind that an evaluation has.

    Args:
        folder: of the evaluation.

    Returns:
        One for each kind that is there; [] where the trajectories are gone.
    """
    try:
        site = read_site(folder, limit=MOST_READ)
    except PixelEnvError:
        return []
    found = []
    for name, (title, holds) in WANTED.items():
        for number, row in enumerate(site.rows):
            if "broken" not in row and row["picture"] and holds(row):
                found.append(_example(site, number, name, title))
                break
    return found


def _example(site: Site, number: int, name: str, title: str) -> Example:
    encoded = io.BytesIO()
    PillowImage.fromarray(draw_recorded(site, number)).save(encoded, "PNG", optimize=True)
    turns = site.details[number]["turns"]
    messages = tuple(str(turn["message"] or turn["action"] or "") for turn in turns)
    return Example(name, title, site.rows[number], messages, encoded.getvalue())
