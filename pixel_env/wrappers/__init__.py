"""Wrappers around the environment; one file each."""

from .adaptive_curiosity import AdaptiveCuriosity
from .curiosity import CuriosityReward, RateTracker
from .full_history import FullHistory
from .group_curiosity import GroupCuriosity
from .record import RecordTrajectories
from .text_action import TextAction
from .trajectory import TrajectoryFolder, TrajectoryRecord

__all__ = [
    "AdaptiveCuriosity",
    "CuriosityReward",
    "FullHistory",
    "GroupCuriosity",
    "RateTracker",
    "RecordTrajectories",
    "TextAction",
    "TrajectoryFolder",
    "TrajectoryRecord",
]
