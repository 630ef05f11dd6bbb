"""The lanes that a policy is trained in, with what the trainer must know of their wrappers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gymnasium.vector import VectorEnv

from pixel_env.errors import ConfigError
from pixel_env.wrappers import GroupCuriosity

from ..generation.speaker import Speaker

Listener = Callable[[Speaker], None]
"""Takes the speaker whose conversations begin: what asks about them (a belief) follows it."""


@dataclass(frozen=True, slots=True, eq=False)
class TrainingLanes:
    """Lanes, and the parts of them that training talks to; whoever wraps the lanes names these.

    Attributes:
        env: takes one message a lane, with every wrapper around it. `reset` takes the option
            "index", one a lane.
        n_samples: how many samples the task's split has.
        speaker: samples the messages; None lets the trained model generate through our own engine.
        curiosity: the wrapper in `env` that pays the bonus; None where nothing does.
        listener: called before each collection; None where nothing follows the conversations.
    """

    env: VectorEnv[Any, Any, Any]
    n_samples: int
    speaker: Speaker | None = None
    curiosity: GroupCuriosity | None = None
    listener: Listener | None = None

    def check_groups(self, group_size: int) -> None:
        """Checks that groups fill the lanes, and that they are those that are paid.

        Raises:
            ConfigError: they don't, or other groups are paid.
        """
        if self.env.num_envs % group_size:
            raise ConfigError(
                f"expected a number of lanes that is a multiple of group_size {group_size}, "
                f"got {self.env.num_envs}"
            )
        if self.curiosity is not None and self.curiosity.group_size != group_size:
            raise ConfigError(
                f"expected the environment to pay groups of {group_size}, as the trainer compares "
                f"them; it pays groups of {self.curiosity.group_size}"
            )
