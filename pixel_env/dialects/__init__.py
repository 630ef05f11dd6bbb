"""Action dialects by name; a new one is one file plus one line in `registry.DIALECTS`."""

from .base import Dialect, Part, Place, Reading, Shown
from .pixel_reasoner import PixelReasonerDialect
from .registry import DIALECTS, get_dialect

__all__ = [
    "DIALECTS",
    "Dialect",
    "Part",
    "PixelReasonerDialect",
    "Place",
    "Reading",
    "Shown",
    "get_dialect",
]
