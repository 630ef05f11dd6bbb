"""Settings of the warm start: which demonstrations are made, and how they are imitated."""

from __future__ import annotations

import math
from dataclasses import dataclass

from pixel_env.errors import ConfigError, unknown_name

from ..settings.checks import check_least, check_positive, check_share
from ..training.schedules import learning_rate_at
from .wording import WORDINGS

SCHEDULES = ("cosine", "constant")
MAY_DIFFER = ("tokens_per_micro_batch", "log_every", "checkpoint_every", "keep_checkpoints")
"""Settings that may change when a training is resumed: they change no number but rounding."""


PICTURE_KINDS = ("single_pass", "recrop", "recrop_twice", "zoom_further", "retry")


CLIP_KINDS = ("select_frames", "reselect_frames", "retry_frames")


@dataclass(frozen=True, slots=True)
class DemonstrationConfig:
    """How many demonstrations of which kind, and their boxes; the paper's mix by default.

    Demonstration i depends on these settings and on i alone, not on the others.
    """

    n: int = 7500
    """How many."""
    seed: int = 0
    """Fixes samples, kinds, boxes and wordings."""
    pixel_space: float = 5500.0
    """Weight of demonstrations that call an operation, against `text_only`."""
    text_only: float = 2000.0
    """Weight of demonstrations that answer at once."""
    single_pass: float = 0.3
    """Weight, among those on pictures, of one right zoom."""
    recrop: float = 0.2
    """Weight of a wrong zoom, then the right one."""
    recrop_twice: float = 0.2
    """Weight of two wrong zooms, then the right one."""
    zoom_further: float = 0.3
    """Weight of a coarse zoom, then a finer one into that view."""
    retry: float = 0.0
    """Weight of a zoom that is refused, then the right one; the paper has none."""
    select_frames: float = 0.9
    """Weight, among those on clips, of one right selection."""
    reselect_frames: float = 0.1
    """Weight of a wrong selection, then the right one."""
    retry_frames: float = 0.0
    """Weight of a selection that is refused, then the right one; the paper has none."""
    margin: float = 0.5
    """What a zoom adds around the evidence, as a fraction of its sides."""
    jitter: float = 0.3
    """How far boxes vary, in [0, 1]: margins by that part of themselves, a square's place by that
    part of its free room."""
    box_step: float = 0.01
    """Edges of boxes are multiples of this, in (0, 0.25]."""
    square_side: float | None = None
    """Side of every right zoom, as a fraction of the picture, in (0, 0.5]; null fits the box to
    the evidence, as it does where that is larger."""
    coarse: float = 2.0
    """Sides of the coarse zoom of `zoom_further`, in sides of the fine one; over 1."""
    wording: str = "full"
    """How demonstrations are worded: "full", or "brief" for tiny policies."""
    text_only_categories: tuple[str, ...] = ()
    """Categories of the samples that are answered at once; all if empty."""
    pixel_space_categories: tuple[str, ...] = ()
    """Categories of the samples that an operation is called on; all if empty."""

    def __post_init__(self) -> None:
        """Checks every value.

        Raises:
            ConfigError: a value is out of its range.
        """
        if self.n < 1:
            raise ConfigError(f"expected n of at least 1, got {self.n}")
        for names in (("pixel_space", "text_only"), PICTURE_KINDS, CLIP_KINDS):
            weights = [getattr(self, name) for name in names]
            if not all(math.isfinite(w) and w >= 0 for w in weights) or sum(weights) == 0:
                raise ConfigError(f"expected weights {names} >= 0, one over 0, got {weights}")
        if self.margin < 0:
            raise ConfigError(f"expected margin >= 0, got {self.margin}")
        if not 0 <= self.jitter <= 1:
            raise ConfigError(f"expected jitter in [0, 1], got {self.jitter}")
        if not 0 < self.box_step <= 0.25:
            raise ConfigError(f"expected box_step in (0, 0.25], got {self.box_step}")
        if self.square_side is not None and not 0 < self.square_side <= 0.5:
            raise ConfigError(f"expected square_side in (0, 0.5], got {self.square_side}")
        if not self.coarse > 1:
            raise ConfigError(f"expected coarse over 1, got {self.coarse}")
        if self.wording not in WORDINGS:
            raise unknown_name("wording", self.wording, WORDINGS)


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
    """Passes over the data, where `steps` is 0."""
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
