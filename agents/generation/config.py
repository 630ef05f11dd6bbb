"""The settings of sampling; no torch, so that a command line can read them at once."""

from __future__ import annotations

from dataclasses import dataclass

from pixel_env.errors import ConfigError

from ..settings.checks import check_least, check_positive


@dataclass(frozen=True, slots=True)
class GenerationConfig:
    """How messages are sampled."""

    max_new_tokens: int = 1024
    """Longest message, in tokens."""
    max_context: int = 12_288
    """Longest trajectory, in tokens; longer episodes are given up and left out."""
    temperature: float = 1.0
    """Divides the logits; recorded log-probabilities are at this temperature."""
    top_p: float = 1.0
    """Share of the probability mass that is sampled from; training needs 1, for the recorded
    log-probabilities are of the whole distribution."""
    greedy: bool = False
    """Whether the likeliest token is taken; training needs false."""
    lanes_at_once: int = 64
    """How many lanes generate together, at most."""

    def __post_init__(self) -> None:
        """Checks every value.

        Raises:
            ConfigError: a value is out of its range.
        """
        check_least(self, dict.fromkeys(("max_new_tokens", "max_context", "lanes_at_once"), 1))
        check_positive(self, ("temperature",))
        if not 0 < self.top_p <= 1:
            raise ConfigError(f"expected top_p in (0, 1], got {self.top_p}")
