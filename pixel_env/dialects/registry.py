"""The dialects by name."""

from __future__ import annotations

from collections.abc import Mapping

from ..errors import unknown_name
from .base import Dialect
from .pixel_reasoner import PixelReasonerDialect

DIALECTS: Mapping[str, type[Dialect]] = {
    PixelReasonerDialect.name: PixelReasonerDialect,
}
"""Every dialect under its name in configuration."""


def get_dialect(dialect: str | Dialect) -> Dialect:
    """Returns the dialect of a name, or the given one as it is.

    Raises:
        ConfigError: no dialect has that name.

    >>> get_dialect("pixel-reasoner").name
    'pixel-reasoner'
    """
    if isinstance(dialect, Dialect):
        return dialect
    if dialect not in DIALECTS:
        raise unknown_name("dialect", dialect, DIALECTS)
    return DIALECTS[dialect]()
