"""A Gymnasium environment in which a vision-language model zooms before it answers."""

from .actions import act, answer, select_frames, zoom_in
from .config import EnvConfig
from .curiosity.bonus import CuriosityConfig, curiosity_bonus
from .env import PixelReasoningEnv
from .errors import ConfigError, DataError, OperationError, PixelEnvError
from .media.clips import ClipSource
from .media.pictures import ImageSource
from .operations import register_operation
from .registration import register_task
from .task import Task
from .types import Action, Evidence, Grade, Observation, Sample, View

__version__ = "0.1.0"

__all__ = [
    "Action",
    "ClipSource",
    "ConfigError",
    "CuriosityConfig",
    "DataError",
    "EnvConfig",
    "Evidence",
    "Grade",
    "ImageSource",
    "Observation",
    "OperationError",
    "PixelEnvError",
    "PixelReasoningEnv",
    "Sample",
    "Task",
    "View",
    "act",
    "answer",
    "curiosity_bonus",
    "register_operation",
    "register_task",
    "select_frames",
    "zoom_in",
]
