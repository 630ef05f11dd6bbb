"""Marks that a field of a command's options can carry, in its metadata."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

UNPREFIXED = "unprefixed"
POSITIONAL = "positional"
REPEATED = "repeated"
FLAG = "flag"


def mark(name: str) -> Mapping[str, Any]:
    """Returns the metadata of a field.

    Args:
        name: `UNPREFIXED`: settings of this nested config stand beside those of the outer one.
            `POSITIONAL`: the value stands without an option before it. `REPEATED`: the option may
            be given several times. `FLAG`: true where the option stands alone.
    """
    return {name: True}
