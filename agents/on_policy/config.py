"""The settings of on-policy training."""

from __future__ import annotations

from dataclasses import dataclass, field

from pixel_env.errors import ConfigError, unknown_name

from ..generation.config import GenerationConfig
from ..settings.checks import check_least, check_positive, check_share
from .advantages import KINDS
from .loss_config import LossConfig

MAY_DIFFER = (
    "iterations",
    "checkpoint_every",
    "keep_checkpoints",
    "evaluate_every",
    "record_every",
    "record_iterations",
    "tokens_per_micro_batch",
    "compared_rollouts",
    "largest_gap",
)
"""Settings that may change when a training is resumed. Those after the first change no number but
rounding; more `iterations` extend a training, whose learning rate goes on as in the longer one."""

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
    "compared_rollouts": 0,
}


@dataclass(frozen=True, slots=True)
class OnPolicyConfig:
    """How a policy is trained on its own rollouts; the defaults are Pixel Reasoner's, in small.

    The paper's own run: 512 groups an iteration in 16 mini-batches of 256 rollouts.
    """

    iterations: int = 200
    """Iterations of the training: each collects rollouts and updates the policy."""
    group_size: int = 8
    """Rollouts of each sample, at least 2: they are each other's baseline."""
    groups_per_iteration: int = 16
    """Samples an iteration; the policy that collects them is the one trained last."""
    refill_rounds: int = 0
    """How often, at most, groups of equal rewards are replaced by groups on other samples."""
    epochs: int = 1
    """Passes of the update over an iteration's rollouts."""
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
    loss: LossConfig = field(default_factory=LossConfig)
    """What is minimised."""
    generation: GenerationConfig = field(default_factory=GenerationConfig)
    """How rollouts are sampled."""
    tokens_per_micro_batch: int = 16_384
    """Padded tokens that go through the model at once in the update; bounds its memory."""
    replay_capacity: int = 256
    """Earlier rollouts with an advantage that are kept for replay; 0 turns it off."""
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
    compared_rollouts: int = 32
    """With another engine than our own: in how many rollouts an iteration, of each process, its
    log-probabilities are compared with the model's; with loss.importance-cap it is all of them."""
    largest_gap: float = 0.05
    """Mean difference of a token's log-probabilities, in nats, over which there is a warning."""

    def __post_init__(self) -> None:
        """Checks every value.

        Raises:
            ConfigError: a value is out of its range, or a name unknown.
        """
        check_least(self, _LEAST)
        check_positive(self, ("learning_rate", "max_grad_norm", "largest_gap"))
        check_share(self, ("warmup_share", "replay_fraction"))
        if self.advantage not in KINDS:
            raise unknown_name("advantage", self.advantage, KINDS)
        if self.generation.top_p != 1 or self.generation.greedy:
            raise ConfigError(
                "expected generation.top_p 1 and generation.greedy false: what is trained is the "
                "whole distribution, so that is what is sampled from"
            )

    @property
    def n_rollouts(self) -> int:
        """Rollouts an iteration."""
        return self.groups_per_iteration * self.group_size

    @property
    def n_steps(self) -> int:
        """Optimizer steps of the whole training."""
        return self.iterations * self.epochs * self.minibatches
