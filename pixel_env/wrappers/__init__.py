"""Wrappers around the environment; one file each."""

from .curiosity import CuriosityReward, RateTracker
from .full_history import FullHistory
from .group_curiosity import GroupCuriosity
from .record import RecordTrajectories
from .text_action import TextAction
from .token_action import TokenAction
from .trajectory import TrajectoryFolder, TrajectoryRecord

__all__ = [
    "CuriosityReward",
    "FullHistory",
    "GroupCuriosity",
    "RateTracker",
    "RecordTrajectories",
    "TextAction",
    "TokenAction",
    "TrajectoryFolder",
    "TrajectoryRecord",
]
