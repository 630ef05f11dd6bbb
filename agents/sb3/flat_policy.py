"""PPO's policy over flat actions, where a factor counts only for the kinds that use it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from gymnasium import spaces
from stable_baselines3.common.distributions import MultiCategoricalDistribution
from stable_baselines3.common.policies import MultiInputActorCriticPolicy
from stable_baselines3.common.type_aliases import Schedule

USED = (
    (1, 0, 0, 0, 1),
    (1, 1, 1, 1, 0),
    (1, 0, 0, 1, 0),
)
"""Which of kind, box, target, frame and answer each kind of action uses: answer, zoom in, select.

`FlatConfig.uses` gives it where further operations are registered. The others are drawn and then
ignored by the environment. Were they counted, an answer's reward would teach at random which box
goes with it.
"""


class FlatDistribution(MultiCategoricalDistribution):
    """Independent factors, of which an action counts those that its kind uses."""

    def __init__(self, action_dims: list[int], uses: Sequence[Sequence[int]] = USED) -> None:
        """Takes the sizes of `FlatConfig.action_space`, and `FlatConfig.uses`."""
        super().__init__(action_dims)
        self._used = torch.tensor(uses[: action_dims[0]], dtype=torch.float32)  # (kinds, factors)

    def log_prob(self, actions: torch.Tensor) -> torch.Tensor:
        """Returns (batch,) log-probabilities of what is done, whatever the unused factors are."""
        factors: list[Any] = self.distribution
        pairs = zip(factors, actions.unbind(dim=1), strict=True)
        each = torch.stack([factor.log_prob(value) for factor, value in pairs], dim=1)
        used = self._used.to(each.device)[actions[:, 0].long()]  # (batch, factors)
        return (each * used).sum(dim=1)

    def entropy(self) -> torch.Tensor:
        """Returns (batch,) entropies of what is done: each factor's, as likely as it is used."""
        factors: list[Any] = self.distribution
        each = torch.stack([factor.entropy() for factor in factors], dim=1)
        used: torch.Tensor = factors[0].probs @ self._used.to(each.device)  # (batch, factors)
        return (each * used).sum(dim=1)


class FlatPolicy(MultiInputActorCriticPolicy):
    """stable-baselines3's "MultiInputPolicy" with `FlatDistribution`; the same weights."""

    def __init__(self, *args: Any, uses: Sequence[Sequence[int]] = USED, **settings: Any) -> None:
        """Takes `FlatConfig.uses` beside the arguments of `MultiInputActorCriticPolicy`."""
        self._uses = uses
        super().__init__(*args, **settings)

    def _build(self, lr_schedule: Schedule) -> None:
        assert isinstance(self.action_space, spaces.MultiDiscrete)  # by `FlatConfig.action_space`
        self.action_dist = FlatDistribution(self.action_space.nvec.tolist(), self._uses)
        super()._build(lr_schedule)
