"""What an action can do: one file an operation, one line in `OPERATIONS`."""

from .answer import Answer
from .base import LOOK_KEYS, Operation, Outcome
from .select_frames import SelectFrames
from .zoom_in import ZoomIn

OPERATIONS: tuple[Operation, ...] = (Answer(), ZoomIn(), SelectFrames())
"""Every operation, in the order of its code: entry i has code i."""

__all__ = ["LOOK_KEYS", "OPERATIONS", "Answer", "Operation", "Outcome", "SelectFrames", "ZoomIn"]
