"""One update of a policy on a batch of rollouts: mini-batches, micro-batches, optimizer steps."""

from __future__ import annotations

import contextlib
import copy
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from pixel_env.errors import ConfigError

from ..model.backbone import Backbone
from ..model.scoring import pad_rows, score
from ..tokens.encoder import Encoder
from ..tokens.trajectory import TokenTrajectory
from ..training.micro_batches import micro_batches
from ..training.optimizer_step import take_step
from ..training.placement import ALONE, Placement
from ..training.schedules import learning_rate_at
from .config import OnPolicyConfig
from .loss_config import LossConfig
from .losses import LossSums, TokenBatch, loss_normaliser, policy_loss
from .replay_buffer import Experience


class Reference:
    """The policy that training started from, to stay near to.

    A model with adapters is its own reference when they are off; any other is copied.
    """

    def __init__(self, model: Any, placement: Placement = ALONE) -> None:
        """Keeps the model as it is now.

        Raises:
            ConfigError: the model's weights are spread over processes, so that it can't be copied.
        """
        if placement.sharding:
            raise ConfigError("expected kl_coefficient 0 where weights are spread over processes")
        self._has_adapters = hasattr(model, "disable_adapter")
        self._model = model if self._has_adapters else copy.deepcopy(model)
        if not self._has_adapters:
            self._model.requires_grad_(False).eval()

    @torch.no_grad()
    def logprobs(
        self, trajectories: Sequence[TokenTrajectory], encoder: Encoder, temperature: float
    ) -> torch.Tensor:
        """Returns (batch, length) log-probabilities of the trainable tokens, 0 elsewhere."""
        off = self._model.disable_adapter() if self._has_adapters else contextlib.nullcontext()
        with off:
            return score(self._model, trajectories, encoder, temperature).logprobs


@dataclass(frozen=True, slots=True)
class UpdateReport:
    """What an update did.

    Attributes:
        sums: the loss and its parts, over all tokens of all steps.
        n_steps: optimizer steps.
        grad_norm: norm of the gradient before clipping, mean over the steps.
        learning_rate: of the last step.
    """

    sums: LossSums
    n_steps: int
    grad_norm: float
    learning_rate: float

    def metrics(self) -> dict[str, float]:
        """Returns the numbers to log; those of a token are NaN where nothing was trained."""
        sums, n = self.sums, self.sums.n_tokens or float("nan")
        return {
            "update/loss": sums.loss / self.n_steps if self.n_steps else float("nan"),
            "update/clip_share": sums.n_clipped / n,
            "update/approx_kl": sums.kl / n,
            "update/reference_kl": sums.reference_kl / n,
            "update/entropy": sums.entropy / n,
            "update/ratio_max": sums.ratio_max if sums.n_tokens else float("nan"),
            "update/grad_norm": self.grad_norm,
            "update/learning_rate": self.learning_rate,
            "update/steps": float(self.n_steps),
        }


class PolicyUpdate:
    """Trains a model on rollouts, in as many parts as fit into memory.

    Attributes:
        optimizer: AdamW on the parameters that require gradients.
    """

    def __init__(
        self,
        model: Any,
        encoder: Encoder,
        config: OnPolicyConfig,
        placement: Placement = ALONE,
    ) -> None:
        """Makes the optimizer, and keeps a reference where the loss needs one."""
        self._model = model
        self._placement = placement
        self._encoder = encoder
        self._config = config
        self._loss: LossConfig = config.loss
        self.optimizer = torch.optim.AdamW(
            placement.trained_parameters(model),
            lr=config.learning_rate,
            weight_decay=config.weight_decay,
        )
        self._reference = Reference(model, placement) if config.loss.kl_coefficient > 0 else None

    def __call__(self, experiences: Sequence[Experience], iteration: int) -> UpdateReport:
        """Goes over the rollouts `epochs` times, in `minibatches` steps each.

        Args:
            experiences: not masked, each with a token to train; may be none. The same in every
                process; each scores those of its own.
            iteration: from 1; fixes the order, and the learning rate.
        """
        config = self._config
        sums, norms, rate = LossSums(), [], 0.0
        self._model.train()
        for epoch in range(config.epochs):
            rng = np.random.default_rng([config.seed, iteration, epoch])
            for number, part in enumerate(_split(experiences, config.minibatches, rng)):
                step = ((iteration - 1) * config.epochs + epoch) * config.minibatches + number
                rate = learning_rate_at(
                    step, config.n_steps, config.learning_rate, config.warmup_share
                )
                if part:
                    more, norm = self._step(part, rate)
                    sums += more
                    norms.append(norm)
        self._model.eval()
        sums = sum(self._placement.processes.gather(sums), LossSums())
        mean_norm = sum(norms) / len(norms) if norms else float("nan")
        return UpdateReport(sums, len(norms), mean_norm, rate)

    def _step(self, batch: Sequence[Experience], learning_rate: float) -> tuple[LossSums, float]:
        """Takes one optimizer step; the gradient is that of the whole batch at once."""
        counts = [each.trajectory.n_trainable for each in batch]
        normaliser = loss_normaliser(counts, self._loss.reduction)
        here = [
            (each.trajectory, each.advantage)
            for each in batch
            if isinstance(each.trajectory, TokenTrajectory)
        ]
        sums = LossSums()
        self._placement.assemble()
        for part in micro_batches(
            [trajectory for trajectory, _ in here],
            self._config.tokens_per_micro_batch,
            Backbone(self._model).packs,
        ):
            tokens = self._score(*zip(*(here[index] for index in part), strict=True))
            loss, more = policy_loss(tokens, self._loss, normaliser)
            loss.backward()  # type: ignore[no-untyped-call]
            sums += more
        norm = take_step(
            self._model,
            self._encoder,
            self.optimizer,
            learning_rate,
            self._config.max_grad_norm,
            self._placement,
        )
        return sums, norm

    def _score(
        self, trajectories: Sequence[TokenTrajectory], advantages: Sequence[float]
    ) -> TokenBatch:
        """Runs the policy, and the reference where there is one, over some rollouts."""
        temperature = self._config.generation.temperature
        scores = score(self._model, trajectories, self._encoder, temperature, entropy=True)
        assert scores.entropy is not None  # it was asked for
        reference = None
        if self._reference is not None:
            reference = self._reference.logprobs(trajectories, self._encoder, temperature)
        weighs_entropy = self._loss.entropy_coefficient > 0
        device = scores.logprobs.device
        return TokenBatch(
            scores.logprobs,
            pad_rows([t.logprobs for t in trajectories], device),
            scores.trainable,
            torch.tensor(advantages, device=device),
            reference,
            scores.entropy if weighs_entropy else scores.entropy.detach(),
            _importance(trajectories, device),
        )


def _importance(
    trajectories: Sequence[TokenTrajectory], device: torch.device
) -> torch.Tensor | None:
    """Returns the weights of all tokens, (batch, length); None where none of them has any."""
    given = [t.importance for t in trajectories]
    if all(each is None for each in given):
        return None
    ones = (np.ones(len(t), np.float32) for t in trajectories)
    return pad_rows(
        [one if each is None else each for each, one in zip(given, ones, strict=True)], device
    )


def _split(
    experiences: Sequence[Experience], n_parts: int, rng: np.random.Generator
) -> list[list[Experience]]:
    """Shuffles samples and cuts their rollouts into parts of nearly one size.

    A sample's rollouts stay side by side, so that what they share is encoded once.
    """
    by_sample: dict[str, list[Experience]] = {}
    for each in experiences:
        by_sample.setdefault(each.trajectory.sample_id, []).append(each)
    groups = list(by_sample.values())
    ordered = [each for number in rng.permutation(len(groups)) for each in groups[number]]
    cuts = [len(ordered) * number // n_parts for number in range(n_parts + 1)]
    return [ordered[start:stop] for start, stop in itertools.pairwise(cuts)]
