"""Scores recorded trajectories: one forward pass over whole episodes, with gradients.

The same parts, positions and forbidden tokens as in generation, so that the log-probabilities
are those recorded while generating, up to rounding.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch.utils.checkpoint import checkpoint

from .backbone import Backbone, Stretch, log_probabilities
from .conversation import Encoder
from .positions import rotary_positions
from .rollout import TokenTrajectory

CHUNK = 2048
"""Tokens that the output layer handles at once; more are recomputed in the backward pass."""


@dataclass(frozen=True, slots=True)
class Scores:
    """Per-token scores of a batch, aligned with its ids: column t scores token t.

    Attributes:
        logprobs: (batch, length) float32, log-probability of each trainable token given the
            tokens before it; 0 elsewhere.
        trainable: (batch, length) bool.
        entropy: (batch, length) float32 in nats, of the distribution that each trainable token
            was drawn from; 0 elsewhere. None where not asked for.
    """

    logprobs: torch.Tensor
    trainable: torch.Tensor
    entropy: torch.Tensor | None


def score(
    model: Any,
    trajectories: Sequence[TokenTrajectory],
    encoder: Encoder,
    temperature: float = 1.0,
    entropy: bool = False,
) -> Scores:
    """Gives the log-probabilities of trajectories' trainable tokens, differentiable.

    Pictures that trajectories share (the same object) go through the vision tower once.

    Args:
        model: a Qwen2.5-VL or Qwen3-VL model, bare or wrapped by peft.
        trajectories: at least one; padded behind to the longest.
        encoder: knows the tokens that can't be said.
        temperature: that of generation.
        entropy: whether to give entropies too.
    """
    backbone = Backbone(model)
    stretch = collate(trajectories, backbone.device)
    hidden = backbone.read(stretch, backbone.see(stretch.images))
    trainable = pad_rows([t.trainable for t in trajectories], backbone.device)
    trainable[:, 0] = False  # nothing stands before the first token
    asked = trainable[:, 1:]
    forbidden = encoder.forbidden_mask(backbone.vocab_size).to(backbone.device)
    picked, targets = hidden[:, :-1][asked], stretch.ids[:, 1:][asked]  # (n, hidden), (n,)

    def judge(states: torch.Tensor, ids: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        logprobs = log_probabilities(backbone.logits(states), forbidden, temperature)
        spread = -(logprobs.exp() * logprobs).sum(-1) if entropy else logprobs.new_zeros(len(ids))
        return logprobs.gather(-1, ids[:, None])[:, 0], spread

    chunks = list(zip(torch.split(picked, CHUNK), torch.split(targets, CHUNK), strict=True))
    if len(chunks) > 1 and torch.is_grad_enabled():
        judged = [checkpoint(judge, *chunk, use_reentrant=False) for chunk in chunks]
    else:
        judged = [judge(*chunk) for chunk in chunks]
    return Scores(
        _spread(torch.cat([logprobs for logprobs, _ in judged]), trainable),
        trainable,
        _spread(torch.cat([spread for _, spread in judged]), trainable) if entropy else None,
    )


def collate(trajectories: Sequence[TokenTrajectory], device: torch.device) -> Stretch:
    """Puts whole trajectories into one padded stretch."""
    lengths = [len(t) for t in trajectories]
    positions = np.zeros((3, len(lengths), max(lengths)), np.int64)
    is_image = np.zeros((len(lengths), max(lengths)), np.bool_)
    for row, t in enumerate(trajectories):
        positions[:, row, : len(t)], _ = rotary_positions(len(t), t.images, t.image_starts)
        for image, start in zip(t.images, t.image_starts, strict=True):
            is_image[row, start : start + image.n_tokens] = True
    return Stretch(
        pad_rows([t.ids for t in trajectories], device),
        torch.from_numpy(positions).to(device),
        pad_rows([np.ones(n, np.bool_) for n in lengths], device),
        tuple(image for t in trajectories for image in t.images),
        torch.from_numpy(is_image).to(device),
    )


def pad_rows(rows: Sequence[np.ndarray[Any, Any]], device: torch.device) -> torch.Tensor:
    """Puts one-dimensional arrays of one dtype under each other, padded behind with 0."""
    padded = np.zeros((len(rows), max(len(row) for row in rows)), rows[0].dtype)
    for number, row in enumerate(rows):
        padded[number, : len(row)] = row
    return torch.from_numpy(padded).to(device)


def _spread(values: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
    """Puts (n,) values at the n True places of (batch, length), 0 elsewhere."""
    zeros = torch.zeros(places.shape, dtype=values.dtype, device=values.device)
    return zeros.masked_scatter(places, values)
