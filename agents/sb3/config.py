"""The settings of a training with stable-baselines3."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pixel_env.errors import ConfigError

from ..on_policy.curiosity_options import CuriosityOptions
from ..settings.checks import check_least, check_positive, check_share

EASY_ANSWERS = (
    *("circle", "square", "triangle", "cross"),
    *("top left", "top right", "bottom left", "bottom right"),
)
"""What SyntheticSearch's easy questions are answered with."""

MAY_DIFFER = ("steps", "threads", "evaluate_every", "checkpoint_every", "eval_samples")
"""Settings that may change when a training goes on."""

_LEAST = {
    "steps": 1,
    "n_envs": 1,
    "rollout_steps": 2,
    "batch_size": 2,
    "epochs": 1,
    "eval_samples": 1,
    "evaluate_every": 0,
    "checkpoint_every": 0,
    "rate_window": 1,
    "seed": 0,
    "threads": 0,
    "entropy": 0,
}


@dataclass(frozen=True, slots=True)
class SB3Config:
    """How PPO of stable-baselines3 is trained on flat observations."""

    env: str = "PixelReason-SmallSearch-v0"
    """Id of the environment."""
    env_args: Mapping[str, Any] = field(default_factory=dict)
    """Arguments of gym.make, as JSON; trained on the split "train", measured on "test"."""
    vocabulary: tuple[str, ...] = (*"LOTX", *EASY_ANSWERS)
    """The answers that can be given where a question has no options."""
    view_px: int = 56
    """Side in pixels that every view is brought to."""
    n_views: int = 2
    """How many views are shown at once: the overview and the newest."""
    question_chars: int = 48
    """Characters of the question that are kept."""
    scales: tuple[float, ...] = (0.5,)
    """Sides of the boxes that can be asked for, fractions of the view."""
    stride: float = 1.0
    """Step between neighbouring boxes, as a share of their side."""
    extractor: str = "look"
    """Feature extractor: "look", or stable-baselines3's own "combined"."""
    width: int = 32
    """Channels of the middle layer of "look"."""
    layers: tuple[int, ...] = (64,)
    """Widths of the hidden layers after the extractor."""
    steps: int = 250_000
    """Steps of the environment; PPO finishes the rollout that it is in."""
    n_envs: int = 32
    """Environments that are stepped together."""
    rollout_steps: int = 64
    """Steps of each environment between two updates."""
    batch_size: int = 512
    """Steps in one optimizer step."""
    epochs: int = 2
    """Passes of an update over its steps."""
    learning_rate: float = 1e-3
    """Adam's learning rate."""
    discount: float = 1.0
    """Of later rewards; episodes are short."""
    gae_lambda: float = 0.95
    """Trade-off of advantage estimation."""
    clip: float = 0.2
    """How far the probability ratio may leave 1."""
    entropy: float = 0.02
    """Weight of the entropy bonus."""
    curiosity: CuriosityOptions = field(default_factory=lambda: CuriosityOptions(threshold=0.9))
    """What the curiosity bonus pays."""
    rate_window: int = 256
    """Rollouts over which RaPR is taken, of all samples: they hardly repeat."""
    eval_samples: int = 300
    """Samples that the policy is measured on, the first of the test split."""
    evaluate_every: int = 50_000
    """Steps between two measurements; 0 measures at the end only."""
    checkpoint_every: int = 25_000
    """Steps between two checkpoints; 0 saves only the last."""
    seed: int = 0
    """Fixes the network's first weights, the samples and every drawn action."""
    threads: int = 1
    """Torch's threads; 0 takes one for each core."""

    def __post_init__(self) -> None:
        """Checks every value.

        Raises:
            ConfigError: a value is out of its range.
        """
        check_least(self, _LEAST)
        if self.curiosity.threshold_from != "setting":
            raise ConfigError(
                "expected curiosity.threshold_from 'setting': samples hardly repeat here, "
                f"got {self.curiosity.threshold_from!r}"
            )
        check_positive(self, ("learning_rate", "clip"))
        check_share(self, ("discount", "gae_lambda"))
        if self.steps_per_update % self.batch_size:
            raise ConfigError(
                f"expected batch_size to divide n_envs * rollout_steps = {self.steps_per_update}, "
                f"got {self.batch_size}"
            )

    @property
    def steps_per_update(self) -> int:
        """Steps of the environment between two updates."""
        return self.n_envs * self.rollout_steps
