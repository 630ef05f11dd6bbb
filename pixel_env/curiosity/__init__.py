"""The curiosity bonus: one pure function, and the wrappers that pay it."""

from .bonus import CuriosityConfig, curiosity_bonus
from .group_rewards import GroupRewards, group_rewards

__all__ = ["CuriosityConfig", "GroupRewards", "curiosity_bonus", "group_rewards"]
