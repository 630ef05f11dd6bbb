"""Recorded episodes: written, read, and shown as one HTML page."""

from .episodes import Filter, read_episodes
from .page import page

__all__ = ["Filter", "page", "read_episodes"]
