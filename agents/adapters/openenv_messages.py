"""OpenEnv: what goes over the wire, the same for server and client."""

from __future__ import annotations

from typing import Any

from openenv.core.env_server.types import Action, Observation
from pydantic import Field

MAX_CHARS = 100_000
"""Most characters of a message; a longer one is refused unread."""


class PixelAction(Action):  # type: ignore[misc]  # the package's types can't be seen here
    """One message of the policy, as the server's dialect writes it."""

    message: str = Field(max_length=MAX_CHARS)


class PixelObservation(Observation):  # type: ignore[misc]
    """What follows a message. `reward` is None where nothing is to be learnt."""

    messages: list[dict[str, Any]] = Field(default_factory=list)
    """Chat messages that are new, as OpenAI's API has them, with pictures as data URLs."""
    n_calls: int = 0
    """Calls so far, refused ones included."""
    video: bool = False
    """Whether the sample is a clip."""
    left_out: bool = False
    """Whether the sample's files are at fault: the episode has ended, and counts for nothing."""
