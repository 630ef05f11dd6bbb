"""A rollout without its tokens and pictures: what the other processes need to know of it.

Tokens and pictures stay in the process that collected them. Everything that is decided about a
rollout (its advantage, its place in a batch, whether it is replayed) is decided from these facts,
so every process decides alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .trajectory import TokenTrajectory


@dataclass(frozen=True, slots=True, eq=False)
class RolloutFacts:
    """The facts of a rollout that another process has; names as in `TokenTrajectory`.

    Attributes:
        length: its tokens.
        n_trainable: how many tokens the policy can learn from.
        reward: the sum of `reward_terms`.
        reward_terms: the environment's terms, by name.
        sample_id: the sample's stable name.
        group: number of its group.
        info: the episode's facts.
        mask_reason: "" for one to learn from.
    """

    length: int
    n_trainable: int
    reward: float
    reward_terms: Mapping[str, float]
    sample_id: str
    group: int
    info: Mapping[str, Any]
    mask_reason: str

    @classmethod
    def of(cls, trajectory: TokenTrajectory) -> RolloutFacts:
        """Returns a trajectory's facts."""
        return cls(
            len(trajectory),
            trajectory.n_trainable,
            trajectory.reward,
            trajectory.reward_terms,
            trajectory.sample_id,
            trajectory.group,
            trajectory.info,
            trajectory.mask_reason,
        )

    def __len__(self) -> int:
        return self.length

    @property
    def masked(self) -> bool:
        """Whether a training step must leave it out."""
        return bool(self.mask_reason)


Rollout = TokenTrajectory | RolloutFacts
"""A rollout, here or in another process."""
