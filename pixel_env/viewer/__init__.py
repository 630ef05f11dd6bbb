"""Recorded trajectories as one HTML page that needs nothing beside it."""

from .episodes import Filter, read_episodes
from .page import page

__all__ = ["Filter", "page", "read_episodes"]
