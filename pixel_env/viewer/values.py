"""Values of a foreign record, of the type that a page expects, or None."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from ..media.geometry import Box

MOST_TEXT = 100_000
"""Characters of one text on a page; a longer one is cut."""


def number(value: object) -> float | None:
    """Returns a finite number; None for everything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:
        return None


def whole(value: object) -> int | None:
    """Returns a whole number of a common size; None for everything else."""
    is_whole = isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**53
    return value if is_whole else None  # type: ignore[return-value]


def text(value: object, most: int = MOST_TEXT) -> str | None:
    """Returns a value as text, cut at a number of characters; None stays None."""
    if value is None:
        return None
    written = value if isinstance(value, str) else str(value)
    return written if len(written) <= most else written[:most] + "..."


def box(value: object) -> Box | None:
    """Returns four numbers in [0, 1] as a box; None for everything else."""
    if not isinstance(value, list) or len(value) != 4:
        return None
    sides = [number(each) for each in value]
    if any(each is None or not 0 <= each <= 1 for each in sides):
        return None
    return tuple(sides)  # type: ignore[return-value]


def numbers(value: object) -> dict[str, float]:
    """Returns the numbers of an object by name."""
    named = value.items() if isinstance(value, Mapping) else ()
    found = {str(name): number(each) for name, each in named}
    return {name: each for name, each in found.items() if each is not None}


def objects(value: object) -> list[Mapping[str, Any]]:
    """Returns the objects of a list."""
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def script_json(value: object) -> str:
    """Writes a value as JSON that can stand in a script of a page, whatever texts it holds."""
    written = json.dumps(value, separators=(",", ":"), allow_nan=False)
    return written.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
