"""The curiosity bonus: one pure function, and the wrappers that pay it."""

from .bonus import CuriosityConfig, curiosity_bonus

__all__ = ["CuriosityConfig", "curiosity_bonus"]
