"""Gymnasium wrappers: text actions, token actions, full history, flat arrays."""

from ..controls.controls import AimedCrop, BlankViews, DemonstrationCrop, NoOperations, RandomCrop
from ..curiosity.adaptive import AdaptiveCuriosity
from ..curiosity.belief_gain import BeliefGain
from ..curiosity.evidence_seen import EvidenceSeen
from ..curiosity.groups import GroupCuriosity
from ..curiosity.one_env import CuriosityReward, RateTracker
from ..recordings.trajectory import TrajectoryFolder, TrajectoryRecord
from ..recordings.wrapper import RecordTrajectories
from .flat import FlatPixelEnv
from .flat_env import FlatReasoningEnv
from .full_history import FullHistory
from .text_action import TextAction
from .token_action import TokenAction

__all__ = [
    "AdaptiveCuriosity",
    "AimedCrop",
    "BeliefGain",
    "BlankViews",
    "CuriosityReward",
    "DemonstrationCrop",
    "EvidenceSeen",
    "FlatPixelEnv",
    "FlatReasoningEnv",
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
