"""What an action can do: one file an operation, one line in `registry.OPERATIONS`."""

from .answer import Answer
from .arguments import Argument, BoxArgument, ViewArgument
from .base import Operation, Outcome
from .frames import FramesArgument
from .registry import OPERATIONS, OperationSet, Registration, operations, register_operation
from .select_frames import SelectFrames
from .terms import Terms
from .values import ChoiceArgument, NumberArgument, TextArgument, WholeArgument
from .zoom_in import ZoomIn

__all__ = [
    "OPERATIONS",
    "Answer",
    "Argument",
    "BoxArgument",
    "ChoiceArgument",
    "FramesArgument",
    "NumberArgument",
    "Operation",
    "OperationSet",
    "Outcome",
    "Registration",
    "SelectFrames",
    "Terms",
    "TextArgument",
    "ViewArgument",
    "WholeArgument",
    "ZoomIn",
    "operations",
    "register_operation",
]
