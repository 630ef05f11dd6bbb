"""The settings of the loss; no torch, so that a command line can read them at once."""

from __future__ import annotations

from dataclasses import dataclass

from pixel_env.errors import ConfigError, unknown_name

from ..settings.checks import check_least, check_share

REDUCTIONS = ("token", "sequence")
"""What counts alike in the mean: every token of the batch, or every sequence of it."""

RATIO_LEVELS = ("token", "sequence")
"""What an importance ratio compares: the probabilities of one token, or of a whole rollout."""


@dataclass(frozen=True, slots=True)
class LossConfig:
    """What is minimised; see `losses.policy_loss`."""

    clip_low: float = 0.2
    """How far under 1 an importance ratio may fall and still be pushed, in [0, 1]."""
    clip_high: float = 0.28
    """How far over 1 an importance ratio may rise and still be pushed."""
    reduction: str = "token"
    """What counts alike in the loss: every "token" of a batch, or every "sequence"."""
    kl_coefficient: float = 0.0
    """Weight of the distance to the policy that training starts from; 0 keeps no copy of it."""
    entropy_coefficient: float = 0.0
    """Weight of the entropy bonus."""
    ratio_level: str = "token"
    """What an importance ratio compares: each "token", or the whole "sequence", as in GSPO, whose
    ratios stay far nearer to 1: it clips them at 3e-4 below and 4e-4 above."""
    importance_cap: float = 0.0
    """With another engine than our own: each token is weighed by p / q, at most this, with p the
    model's probability before the update and q the engine's; ratios then refer to p. 0: no weights,
    ratios refer to q. 2 is usual."""

    def __post_init__(self) -> None:
        """Checks every value.

        Raises:
            ConfigError: a value is out of its range, or a name unknown.
        """
        if self.reduction not in REDUCTIONS:
            raise unknown_name("reduction", self.reduction, REDUCTIONS)
        if self.ratio_level not in RATIO_LEVELS:
            raise unknown_name("ratio_level", self.ratio_level, RATIO_LEVELS)
        check_share(self, ("clip_low",))
        check_least(self, dict.fromkeys(("clip_high", "kl_coefficient", "entropy_coefficient"), 0))
        if not (self.importance_cap == 0 or self.importance_cap >= 1):
            raise ConfigError(f"expected importance_cap 0 or >= 1, got {self.importance_cap}")
