"""The loss of group-relative policy gradient, on tensors alone.

A clipped surrogate (PPO, arXiv 1707.06347) with a wider clip upwards (DAPO, arXiv 2503.14476), on
the ratios of tokens or of whole rollouts (GSPO, arXiv 2507.18071), optionally with a penalty on the
KL to a reference policy and a bonus on entropy. Sums are divided by a normaliser that is passed in,
and a rollout is never cut, so that a batch gives the same gradient in whatever micro-batches it is
computed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from pixel_env.errors import ConfigError

from .loss_config import LossConfig

LARGEST_LOG_RATIO = 20.0
"""Log-ratios are clamped to this size, so that none overflows."""


@dataclass(frozen=True, slots=True, eq=False)
class TokenBatch:
    """Sequences to learn from, padded to one length.

    Attributes:
        logprobs: (batch, length) float, under the policy that is trained.
        behaviour_logprobs: (batch, length) float, recorded while generating.
        trainable: (batch, length) bool, the mask of the loss; at least one token a sequence.
        advantages: (batch,) float.
        reference_logprobs: (batch, length) float, under the reference policy; needed where
            `kl_coefficient` is over 0.
        entropy: (batch, length) float, in nats; needed where `entropy_coefficient` is over 0.
        importance: (batch, length) float, weight of each token's surrogate; None: 1.
    """

    logprobs: torch.Tensor
    behaviour_logprobs: torch.Tensor
    trainable: torch.Tensor
    advantages: torch.Tensor
    reference_logprobs: torch.Tensor | None = None
    entropy: torch.Tensor | None = None
    importance: torch.Tensor | None = None


@dataclass(frozen=True, slots=True)
class LossSums:
    """What is reported about some tokens, as sums, which add up over micro-batches.

    Attributes:
        loss: the loss's value.
        n_tokens: how many tokens.
        n_clipped: tokens whose ratio was clipped, so that they gave no gradient; a sequence's
            ratio is that of all its tokens.
        kl: sum over tokens of the k3 estimate of KL(behaviour || policy).
        reference_kl: the same of KL(policy || reference); 0 without a reference.
        entropy: sum over tokens, in nats; 0 where it wasn't computed.
        ratio_max: largest ratio; 0 for no token.
    """

    loss: float = 0.0
    n_tokens: int = 0
    n_clipped: int = 0
    kl: float = 0.0
    reference_kl: float = 0.0
    entropy: float = 0.0
    ratio_max: float = 0.0

    def __add__(self, other: LossSums) -> LossSums:
        """Adds two reports; the largest ratio is the larger one."""
        return LossSums(
            self.loss + other.loss,
            self.n_tokens + other.n_tokens,
            self.n_clipped + other.n_clipped,
            self.kl + other.kl,
            self.reference_kl + other.reference_kl,
            self.entropy + other.entropy,
            max(self.ratio_max, other.ratio_max),
        )


def loss_normaliser(token_counts: Sequence[int], reduction: str) -> float:
    """Returns what the sums over a whole batch are divided by, whatever its micro-batches.

    Args:
        token_counts: trainable tokens of every sequence of the batch.
        reduction: "token" or "sequence".

    Example:
        >>> loss_normaliser([3, 5], "token"), loss_normaliser([3, 5], "sequence")
        (8.0, 2.0)
    """
    return float(sum(token_counts) if reduction == "token" else len(token_counts))


def policy_loss(
    batch: TokenBatch, config: LossConfig, normaliser: float
) -> tuple[torch.Tensor, LossSums]:
    """Returns the loss of a micro-batch as its share of the batch's, and what to report.

    For each token, with its ratio r and the advantage A of its rollout:

        -w min(r A, clip(r, 1 - clip_low, 1 + clip_high) A) + kl_coefficient * k3(d)
        - entropy_coefficient * entropy,   d = reference_logprob - logprob, k3(d) = e^d - d - 1

    The ratio is e^(logprob - behaviour_logprob) of the token, or, with `ratio_level` "sequence",
    e to the mean of these differences over the trainable tokens of its rollout (GSPO, section 4.1).
    The weight w is 1, or the truncated importance weight of a token that another engine sampled
    with probability q: min(p / q, importance_cap), with p = e^behaviour_logprob the model's own.

    Args:
        batch: the micro-batch, of whole rollouts.
        config: what is minimised.
        normaliser: `loss_normaliser` of the whole batch.

    Returns:
        A scalar to call `backward` on, and sums over the micro-batch.

    Raises:
        ConfigError: a term is weighted whose input is missing.
    """
    mask = batch.trainable.to(batch.logprobs.dtype)  # (batch, length)
    token_gap = batch.logprobs - batch.behaviour_logprobs
    ratio = _log_ratio(token_gap, mask, config.ratio_level).exp()
    advantages = batch.advantages.to(ratio.dtype)[:, None]
    clipped = ratio.clamp(1 - config.clip_low, 1 + config.clip_high) * advantages
    unclipped = ratio * advantages
    # A sequence's (batch, 1) becomes (batch, length) here: its tokens share its ratio.
    per_token = -torch.minimum(unclipped, clipped).expand_as(mask)
    if batch.importance is not None:
        per_token = per_token * batch.importance
    reference_kl = _reference_kl(batch, config)
    if config.kl_coefficient > 0:
        per_token = per_token + config.kl_coefficient * reference_kl
    if config.entropy_coefficient > 0:
        per_token = per_token - config.entropy_coefficient * _entropy(batch)
    loss = _total(per_token * mask, mask, config.reduction) / normaliser
    with torch.no_grad():
        sums = LossSums(
            loss=float(loss.detach()),
            n_tokens=int(mask.sum()),
            n_clipped=int(((clipped < unclipped) * mask).sum()),
            kl=float((_k3(_bounded(token_gap)) * mask).sum()),
            reference_kl=float((reference_kl * mask).sum()),
            entropy=0.0 if batch.entropy is None else float((batch.entropy * mask).sum()),
            ratio_max=float((ratio * mask).max()),
        )
    return loss, sums


def _log_ratio(gap: torch.Tensor, mask: torch.Tensor, level: str) -> torch.Tensor:
    """Returns the logarithms of the ratios: (batch, length) of tokens, (batch, 1) of sequences.

    Dividing by the length keeps the ratios of long and short rollouts in one range, so that one
    clip serves both.
    """
    if level == "token":
        return _bounded(gap)
    return _bounded(_sequence_means(gap * mask, mask)[:, None])


def _total(masked: torch.Tensor, mask: torch.Tensor, reduction: str) -> torch.Tensor:
    """Sums tokens, or the means of sequences."""
    if reduction == "token":
        return masked.sum()
    return _sequence_means(masked, mask).sum()


def _sequence_means(masked: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Returns the mean over the trainable tokens of each sequence, (batch,)."""
    means: torch.Tensor = masked.sum(-1) / mask.sum(-1).clamp(min=1)
    return means


def _reference_kl(batch: TokenBatch, config: LossConfig) -> torch.Tensor:
    """Returns k3 of KL(policy || reference) for each token, (batch, length)."""
    if batch.reference_logprobs is None:
        if config.kl_coefficient > 0:
            raise ConfigError("expected reference_logprobs where kl_coefficient is over 0")
        return torch.zeros_like(batch.logprobs)
    return _k3(_bounded(batch.reference_logprobs - batch.logprobs))


def _k3(gap: torch.Tensor) -> torch.Tensor:
    """Returns e^d - d - 1, at least 0: an unbiased estimate of a KL with little variance.

    See http://joschu.net/blog/kl-approx.html.
    """
    return gap.exp() - gap - 1


def _entropy(batch: TokenBatch) -> torch.Tensor:
    if batch.entropy is None:
        raise ConfigError("expected entropy where entropy_coefficient is over 0")
    return batch.entropy


def _bounded(gap: torch.Tensor) -> torch.Tensor:
    return gap.clamp(-LARGEST_LOG_RATIO, LARGEST_LOG_RATIO)
