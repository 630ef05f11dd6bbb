"""Settings of the curiosity bonus in a training."""

from __future__ import annotations

from dataclasses import dataclass

from pixel_env.errors import unknown_name

THRESHOLDS = ("setting", "sample history", "category history")
"""Where the bonus's threshold can come from."""


@dataclass(frozen=True, slots=True)
class CuriosityOptions:
    """What the wrapper around the lanes pays besides the task's score."""

    enabled: bool = True
    """Whether there is a bonus at all; off is the paper's "RL without curiosity"."""
    preset: str = "paper"
    """Formula: "paper" or "released"."""
    counts: str = "calls"
    """What counts as pixel-space reasoning: any "calls", as in the paper, "executed" ones, those
    that brought the "evidence" into view, or those that raised the policy's "belief"."""
    least_gain: float | None = None
    """With "belief", by how much it must rise, in nats; null: ln 2, so the probability doubles."""
    threshold_from: str = "setting"
    """Where the threshold comes from: the "setting", as in the paper, or how often earlier
    rollouts were right without a call: "sample history" or "category history"."""
    alpha: float | None = None
    """Weight of the bonus; null takes the preset's."""
    beta: float | None = None
    """Weight of the penalty for operations past the allowed number; null takes the preset's."""
    threshold: float | None = None
    """Rate of pixel-space reasoning over which no bonus is paid; null takes the preset's."""

    def __post_init__(self) -> None:
        """Checks the choices; the wrapper checks the rest.

        Raises:
            ConfigError: a choice is unknown.
        """
        if self.threshold_from not in THRESHOLDS:
            raise unknown_name("threshold_from", self.threshold_from, THRESHOLDS)

    def overrides(self) -> dict[str, float]:
        """Returns the numbers that differ from the preset's."""
        given = {"alpha": self.alpha, "beta": self.beta, "threshold": self.threshold}
        return {name: value for name, value in given.items() if value is not None}
