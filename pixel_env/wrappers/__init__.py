"""Wrappers around the environment; one file each."""

from .curiosity import CuriosityReward, RateTracker
from .flat import FlatPixelEnv
from .full_history import FullHistory
from .group_curiosity import GroupCuriosity
from .record import RecordTrajectories
from .text_action import TextAction
from .trajectory import TrajectoryFolder, TrajectoryRecord

__all__ = [
    "CuriosityReward",
    "FlatPixelEnv",
    "FullHistory",
    "GroupCuriosity",
    "RateTracker",
    "RecordTrajectories",
    "TextAction",
    "TrajectoryFolder",
    "TrajectoryRecord",
]
