"""The spaces of observations and actions."""

from __future__ import annotations

from gymnasium import spaces

from .config import EnvConfig
from .fields import RGBImage, TokenIds, UnicodeText
from .operations import OperationSet, operations
from .reading import CODE

__all__ = ["RGBImage", "TokenIds", "UnicodeText", "action_space", "observation_space"]

MAX_TEXT_CHARS = 1_000_000
"""The longest text in an observation."""


def observation_space(config: EnvConfig) -> spaces.Dict:
    """Builds the space of `Observation`."""
    return spaces.Dict(
        {
            "question": UnicodeText(MAX_TEXT_CHARS),
            "choices": spaces.Sequence(UnicodeText(MAX_TEXT_CHARS)),
            "images": spaces.Sequence(RGBImage(config.max_px, config.side_multiple)),
            "first_image": spaces.Discrete(config.max_view_number + 1, start=1),
            "feedback": UnicodeText(MAX_TEXT_CHARS),
            "turn": spaces.Discrete(config.max_turns + 1),
            "turns_left": spaces.Discrete(config.max_turns + 1),
            "n_frames": spaces.Discrete(config.n_frames + 1),
        }
    )


def action_space(config: EnvConfig, known: OperationSet | None = None) -> spaces.Dict:
    """Builds the space of `Action`.

    Args:
        config: the settings of the environment.
        known: the operations; by default those that are registered now.
    """
    known = known or operations()
    fields = {name: argument.space(config) for name, argument in known.arguments.items()}
    return spaces.Dict({CODE: spaces.Discrete(len(known)), **fields})
