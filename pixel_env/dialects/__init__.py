"""How models write actions: one file a dialect, one line in `registry.DIALECTS`."""

from .grammar.dialect import Dialect, Part, Place, Reading, Shown
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
