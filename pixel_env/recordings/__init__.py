"""Recorded episodes: written and read, and the right answers beside them."""

from .episodes import Filter, read_episodes

__all__ = ["Filter", "read_episodes"]
