"""Log-probabilities that another engine recorded, compared with the trained model's own.

An engine computes with other kernels, and often with other rounding, so that it samples from
slightly other probabilities than the update takes a gradient of. How far they are apart is measured
in every iteration; truncated importance weights (Ionides 2008) correct for it, as in TRL and verl.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ..model.backbone import Backbone
from ..model.scoring import score
from ..tokens.encoder import Encoder
from ..tokens.facts import Rollout
from ..tokens.trajectory import TokenTrajectory
from ..training.micro_batches import micro_batches
from ..training.processes import ONE_PROCESS, Processes
from .config import OnPolicyConfig

GAP = "engine/logprob_gap"

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class GapSums:
    """Differences of log-probabilities, as sums over tokens, which add up over processes.

    Attributes:
        n_tokens: how many were compared.
        gap: sum of the absolute differences, in nats.
        largest: the largest of them.
        n_truncated: tokens whose importance weight met the cap; 0 without one.
    """

    n_tokens: int = 0
    gap: float = 0.0
    largest: float = 0.0
    n_truncated: int = 0

    def __add__(self, other: GapSums) -> GapSums:
        """Adds two; the largest difference is the larger one."""
        return GapSums(
            self.n_tokens + other.n_tokens,
            self.gap + other.gap,
            max(self.largest, other.largest),
            self.n_truncated + other.n_truncated,
        )


class LogprobCheck:
    """Scores rollouts with the model that sampled them, before it is updated."""

    def __init__(
        self,
        model: Any,
        encoder: Encoder,
        config: OnPolicyConfig,
        processes: Processes = ONE_PROCESS,
    ) -> None:
        """Takes the parts.

        Args:
            model: a Qwen2.5-VL or Qwen3-VL model, bare or wrapped by peft.
            encoder: that of the rollouts.
            config: how many rollouts are compared, the bound, and the cap of weights.
            processes: those that share the rollouts; each compares some of its own.
        """
        self._model = model
        self._encoder = encoder
        self._config = config
        self._processes = processes
        self._was_over = False

    def __call__(self, rollouts: Sequence[Rollout]) -> tuple[list[Rollout], dict[str, float]]:
        """Compares; all processes must call it, with all weights in each.

        Args:
            rollouts: of an iteration, as the engine recorded them.

        Returns:
            The rollouts, with the model's own log-probabilities and importance weights where there
            is a cap, else as they were; and the numbers to log.
        """
        cap = self._config.loss.importance_cap
        here = [
            number
            for number, each in enumerate(rollouts)
            if isinstance(each, TokenTrajectory) and not each.masked and each.n_trainable
        ]
        if not cap:
            here = _spread(here, self._config.compared_rollouts)
        taken = [each for n in here if isinstance(each := rollouts[n], TokenTrajectory)]
        checked, sums = list(rollouts), GapSums()
        for number, recorded, own in zip(here, taken, self._scored(taken), strict=True):
            weights = np.exp(np.clip(own - recorded.logprobs, -20, 20))
            difference = np.abs(own - recorded.logprobs)[recorded.trainable]
            sums += GapSums(
                len(difference),
                float(difference.sum(dtype=np.float64)),
                float(difference.max()),
                int((weights[recorded.trainable] > cap).sum()) if cap else 0,
            )
            if cap:
                weights = np.minimum(weights, cap).astype(np.float32)
                checked[number] = replace(recorded, logprobs=own, importance=weights)
        return checked, self._metrics(sum(self._processes.gather(sums), GapSums()))

    def warnings(self, metrics: Mapping[str, float]) -> list[str]:
        """Returns a warning where the gap rose over its bound since the last iteration; logs it."""
        gap = metrics.get(GAP, math.nan)
        is_over = gap > self._config.largest_gap
        warnings = []
        if is_over and not self._was_over:
            warnings.append(
                f"{GAP} is {gap:.3g}, over {self._config.largest_gap:g}: the engine samples with "
                "other probabilities than the model that is trained (docs/engines.md)"
            )
            logger.warning(warnings[0])
        self._was_over = is_over
        return warnings

    def _scored(self, rollouts: Sequence[TokenTrajectory]) -> list[NDArray[np.float32]]:
        """Returns the model's log-probabilities of each rollout, (length,)."""
        config = self._config
        found: dict[int, NDArray[np.float32]] = {}
        was_training = self._model.training
        self._model.eval()
        try:
            with torch.no_grad():
                packs = Backbone(self._model).packs
                for part in micro_batches(rollouts, config.tokens_per_micro_batch, packs):
                    batch = [rollouts[index] for index in part]
                    temperature = config.generation.temperature
                    scores = score(self._model, batch, self._encoder, temperature)
                    for index, row in zip(part, scores.logprobs.cpu().numpy(), strict=True):
                        found[index] = row[: len(rollouts[index])].copy()
        finally:
            self._model.train(was_training)
        return [found[index] for index in range(len(rollouts))]

    def _metrics(self, sums: GapSums) -> dict[str, float]:
        n = sums.n_tokens or math.nan
        metrics = {GAP: sums.gap / n, f"{GAP}_max": sums.largest if sums.n_tokens else math.nan}
        if self._config.loss.importance_cap:
            metrics["engine/truncated_share"] = sums.n_truncated / n
        return metrics


def _spread(numbers: Sequence[int], n: int) -> list[int]:
    """Returns `n` of the numbers, evenly over all of them, so that most groups have one."""
    if n >= len(numbers):
        return list(numbers)
    return [numbers[place * len(numbers) // n] for place in range(n)]
