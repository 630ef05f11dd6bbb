"""The settings of on-policy training."""

from __future__ import annotations

from dataclasses import dataclass

from pixel_env.errors import unknown_name

from ..generation.engine import GenerationConfig
from ..settings.checks import check_least, check_positive, check_share
from .advantages import KINDS
from .losses import LossConfig

MAY_DIFFER = (
    "checkpoint_every",
    "keep_checkpoints",
    "evaluate_every",
    "record_every",
    "record_iterations",
    "tokens_per_micro_batch",
)
"""Settings that may change when a training is resumed: they change no number but rounding."""

_LEAST = {
    "iterations": 1,
    "group_size": 2,
    "groups_per_iteration": 1,
    "refill_rounds": 0,
    "epochs": 1,
    "minibatches": 1,
    "tokens_per_micro_batch": 1,
    "replay_capacity": 0,
    "replay_power": 0,
    "weight_decay": 0,
    "seed": 0,
    "checkpoint_every": 0,
    "keep_checkpoints": 1,
    "evaluate_every": 0,
    "record_every": 0,
    "record_iterations": 1,
    "collapse_patience": 1,
}


@dataclass(frozen=True, slots=True)
class OnPolicyConfig:
    """How a policy is trained on its own rollouts; the defaults are Pixel Reasoner's, in small.

    The paper's own run: 512 groups an iteration in 16 mini-batches of 256 rollouts.
    """

    iterations: int = 200
    """How often rollouts are collected and learnt from."""
    group_size: int = 8
    """Rollouts of each sample, at least 2: they are each other's baseline."""
    groups_per_iteration: int = 16
    """Samples an iteration; the policy that collects them is the one trained last."""
    refill_rounds: int = 0
    """How often, at most, groups of equal rewards are made up for by groups on other samples."""
    epochs: int = 1
    """How often the update goes over an iteration's rollouts."""
    minibatches: int = 1
    """Optimizer steps an epoch; 1 keeps the update strictly on-policy."""
    learning_rate: float = 1e-6
    """Peak of the learning rate."""
    warmup_share: float = 0.03
    """Share of all optimizer steps that warm up; a cosine to 0 follows."""
    weight_decay: float = 0.0
    """AdamW's weight decay."""
    max_grad_norm: float = 1.0
    """Gradients are scaled down to this norm, over all parameters together."""
    advantage: str = "mean"
    """What rewards are compared with: "mean", "mean_std" or "leave_one_out" of the group."""
    clip_low: float = 0.2
    """How far under 1 an importance ratio may fall and still be pushed."""
    clip_high: float = 0.28
    """How far over 1 an importance ratio may rise and still be pushed."""
    loss_reduction: str = "token"
    """What counts alike in the loss: every "token" of a batch, or every "sequence"."""
    ratio_level: str = "token"
    """What an importance ratio compares: each "token", or the whole "sequence", as in GSPO."""
    kl_coefficient: float = 0.0
    """Weight of the distance to the policy that training starts from; 0 keeps no copy of it."""
    entropy_coefficient: float = 0.0
    """Weight of the entropy bonus."""
    temperature: float = 1.0
    """Of sampling, and of the log-probabilities that are trained."""
    max_new_tokens: int = 1024
    """Longest message, in tokens."""
    max_context: int = 12_288
    """Longest trajectory, in tokens; longer episodes are given up and left out."""
    lanes_at_once: int = 64
    """How many lanes generate together, at most."""
    tokens_per_micro_batch: int = 16_384
    """Padded tokens that go through the model at once in the update; bounds its memory."""
    replay_capacity: int = 256
    """How many earlier rollouts that taught something are kept; 0 turns replay off."""
    replay_fraction: float = 0.5
    """Largest number of earlier rollouts in a batch, as a share of an iteration's rollouts."""
    replay_power: float = 1.0
    """Earlier rollouts are drawn in proportion to |advantage| to this power."""
    seed: int = 0
    """Fixes the order of samples, every sampled token, and the order of the update."""
    checkpoint_every: int = 10
    """Iterations between two checkpoints; 0 saves only the last."""
    keep_checkpoints: int = 2
    """How many of the newest checkpoints are kept."""
    evaluate_every: int = 0
    """Iterations between two calls of the evaluation; 0 never calls it."""
    best_by: str = "accuracy"
    """The evaluation's number by which the best checkpoint is known; it is kept in `best`."""
    record_every: int = 0
    """One in so many rollouts is recorded for the viewer; 0 records none."""
    record_iterations: int = 50
    """Of how many of the newest iterations the recorded rollouts are kept."""
    collapse_patience: int = 20
    """Iterations that RaPR or the bonus may be 0 before a warning."""

    def __post_init__(self) -> None:
        """Checks every value.

        Raises:
            ConfigError: a value is out of its range, or a name unknown.
        """
        check_least(self, _LEAST)
        check_positive(self, ("learning_rate", "max_grad_norm"))
        check_share(self, ("warmup_share", "replay_fraction"))
        if self.advantage not in KINDS:
            raise unknown_name("advantage", self.advantage, KINDS)
        self.loss()
        self.generation()

    def loss(self) -> LossConfig:
        """Returns the settings of the loss."""
        return LossConfig(
            clip_low=self.clip_low,
            clip_high=self.clip_high,
            reduction=self.loss_reduction,
            kl_coefficient=self.kl_coefficient,
            entropy_coefficient=self.entropy_coefficient,
            ratio_level=self.ratio_level,
        )

    def generation(self) -> GenerationConfig:
        """Returns the settings of sampling: the whole distribution, as training needs it."""
        return GenerationConfig(
            max_new_tokens=self.max_new_tokens,
            max_context=self.max_context,
            temperature=self.temperature,
            lanes_at_once=self.lanes_at_once,
        )

    @property
    def n_rollouts(self) -> int:
        """Rollouts an iteration."""
        return self.groups_per_iteration * self.group_size

    @property
    def n_steps(self) -> int:
        """Optimizer steps of the whole training."""
        return self.iterations * self.epochs * self.minibatches
