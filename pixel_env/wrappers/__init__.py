"""Wrappers around the environment; one file each."""

from .adaptive_curiosity import AdaptiveCuriosity
from .belief_gain import BeliefGain
from .controls import AimedCrop, BlankViews, DemonstrationCrop, NoOperations, RandomCrop
from .curiosity import CuriosityReward, RateTracker
from .evidence_seen import EvidenceSeen
from .flat import FlatPixelEnv
from .full_history import FullHistory
from .group_curiosity import GroupCuriosity
from .record import RecordTrajectories
from .text_action import TextAction
from .token_action import TokenAction
from .trajectory import TrajectoryFolder, TrajectoryRecord

__all__ = [
    "AdaptiveCuriosity",
    "AimedCrop",
    "BeliefGain",
    "BlankViews",
    "CuriosityReward",
    "DemonstrationCrop",
    "EvidenceSeen",
    "FlatPixelEnv",
    "FullHistory",
    "GroupCuriosity",
    "NoOperations",
    "RandomCrop",
    "RateTracker",
    "RecordTrajectories",
    "TextAction",
    "TokenAction",
    "TrajectoryFolder",
    "TrajectoryRecord",
]
