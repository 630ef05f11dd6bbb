"""What a rollout's tokens are, while verl's builder puts them together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class RolloutTokens:
    """The tokens of a rollout so far.

    Attributes:
        ids: of the prompt and of all that follows.
        pictures: all that were shown, in reading order.
        n_prompt: how many of the ids are the prompt's.
        mask: of the ids after the prompt, 1 where the policy sampled it.
        logprobs: of the ids after the prompt, in nats; None where the server gives none.
        facts: what the server says of the messages.
        times: seconds by verl's names.
        cut: whether the last message was cut at its limit.
        overlong: whether the rollout has no more room.
    """

    ids: list[int]
    pictures: list[Any]
    n_prompt: int
    mask: list[int] = field(default_factory=list)
    logprobs: list[float] | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    times: dict[str, float] = field(default_factory=dict)
    cut: bool = False
    overlong: bool = False

    def close(self, end_id: int) -> None:
        """Closes a message that was cut; the policy didn't sample that token."""
        self.ids = [*self.ids, end_id]
        self.mask = [*self.mask, 0]
        self.logprobs = None if self.logprobs is None else [*self.logprobs, 0.0]

    def note(self, extra: Mapping[str, Any]) -> None:
        """Keeps what a server says of a message: the oldest and the newest weights that spoke."""
        oldest = {name: self.facts[name] for name in ("min_global_steps",) if name in self.facts}
        self.facts |= {**extra, **oldest}
