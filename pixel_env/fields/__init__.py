"""Spaces that Gymnasium lacks (texts, pictures, token ids), and what its functions do with them."""

from . import functions as functions  # registers them with Gymnasium
from .pictures import RGBImage
from .texts import Choice, UnicodeText
from .token_ids import TokenIds

__all__ = ["Choice", "RGBImage", "TokenIds", "UnicodeText"]
