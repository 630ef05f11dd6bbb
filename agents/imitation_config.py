"""The settings of a warm start."""

from __future__ import annotations

import math
from dataclasses import dataclass

from pixel_env.errors import ConfigError, unknown_name

from .config_checks import check_least, check_positive, check_share
from .schedules import learning_rate_at

SCHEDULES = ("cosine", "constant")
MAY_DIFFER = ("tokens_per_micro_batch", "log_every", "checkpoint_every", "keep_checkpoints")
"""Settings that may change when a training is resumed: they change no number but rounding."""


@dataclass(frozen=True, slots=True)
class ImitationConfig:
    """How a policy is trained on demonstrations; the defaults are the paper's."""

    batch_size: int = 128
    """Trajectories in one optimizer step."""
    learning_rate: float = 1e-6
    """Peak of the learning rate."""
    warmup_share: float = 0.1
    """Share of the steps that warm up."""
    schedule: str = "cosine"
    """After the warm-up: "cosine" falls to 0, "constant" stays."""
    epochs: int = 1
    """How often the data is gone over, where `steps` is 0."""
    steps: int = 0
    """Optimizer steps of the whole training; 0: as many as `epochs` takes."""
    weight_decay: float = 0.0
    """AdamW's weight decay."""
    betas: tuple[float, float] = (0.9, 0.999)
    """AdamW's decay rates of the mean gradient and of its square."""
    max_grad_norm: float = 1.0
    """Gradients are scaled down to this norm, over all parameters together."""
    tokens_per_micro_batch: int = 16_384
    """Padded tokens that go through the model at once; bounds memory, leaves the loss as it is."""
    seed: int = 0
    """Fixes the order of the data and, where adapters have dropout, what is dropped."""
    log_every: int = 1
    """Steps between two lines of metrics; the loss is the mean over them."""
    checkpoint_every: int = 100
    """Steps between two checkpoints; 0 saves only the last."""
    keep_checkpoints: int = 2
    """How many of the newest checkpoints are kept."""

    def __post_init__(self) -> None:
        """Checks every value.

        Raises:
            ConfigError: a value is out of its range, or the schedule unknown.
        """
        least = {"steps": 0, "checkpoint_every": 0, "seed": 0, "weight_decay": 0}
        counts = ("batch_size", "epochs", "tokens_per_micro_batch", "log_every", "keep_checkpoints")
        check_least(self, {**least, **dict.fromkeys(counts, 1)})
        check_positive(self, ("learning_rate", "max_grad_norm"))
        check_share(self, ("warmup_share",))
        if len(self.betas) != 2 or not all(0 <= beta < 1 for beta in self.betas):
            raise ConfigError(f"expected two betas in [0, 1), got {self.betas}")
        if self.schedule not in SCHEDULES:
            raise unknown_name("schedule", self.schedule, SCHEDULES)

    def rate_at(self, step: int, n_steps: int) -> float:
        """Returns the learning rate of a step, from 0 to `n_steps` - 1.

        Example:
            >>> ImitationConfig(learning_rate=1.0, schedule="constant").rate_at(0, 20)
            0.5
        """
        if self.schedule == "cosine":
            return learning_rate_at(step, n_steps, self.learning_rate, self.warmup_share)
        n_warmup = math.ceil(self.warmup_share * n_steps)
        return self.learning_rate * min((step + 1) / max(n_warmup, 1), 1.0)
