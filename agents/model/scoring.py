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

from ..tokens.encoder import Encoder
from ..tokens.trajectory import TokenTrajectory
from .backbone import Backbone, Stretch, log_probabilities
from .packing import pack
from .positions import rotary_positions
from .settings import LOGITS_AT_ONCE


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

    Pictures that trajectories share (the same object) go through the vision tower once, and turns
    that several of them begin with go through the language model once, with no padding between.

    Args:
        model: a Qwen2.5-VL or Qwen3-VL model, bare or wrapped by peft.
        trajectories: at least one; the scores are padded behind to the longest.
        encoder: knows the tokens that can't be sampled.
        temperature: that of generation.
        entropy: whether to give entropies too.
    """
    backbone = Backbone(model)
    trainable = pad_rows([t.trainable for t in trajectories], backbone.device)
    trainable[:, 0] = False  # nothing stands before the first token
    states = last_states(backbone, trajectories)  # (n, hidden)
    ids = pad_rows([t.ids for t in trajectories], backbone.device)[trainable]  # (n,)
    forbidden = encoder.forbidden_mask(backbone.vocab_size).to(backbone.device)

    def judge(states: torch.Tensor, ids: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        logprobs = log_probabilities(backbone.logits(states), forbidden, temperature)
        spread = -(logprobs.exp() * logprobs).sum(-1) if entropy else logprobs.new_zeros(len(ids))
        return logprobs.gather(-1, ids[:, None])[:, 0], spread

    size = max(1, LOGITS_AT_ONCE // backbone.vocab_size)
    chunks = list(zip(torch.split(states, size), torch.split(ids, size), strict=True))
    if len(chunks) > 1 and torch.is_grad_enabled():
        judged = [checkpoint(judge, *chunk, use_reentrant=False) for chunk in chunks]
    else:
        judged = [judge(*chunk) for chunk in chunks]
    return Scores(
        _spread(torch.cat([logprobs for logprobs, _ in judged]), trainable),
        trainable,
        _spread(torch.cat([spread for _, spread in judged]), trainable) if entropy else None,
    )


def last_states(backbone: Backbone, trajectories: Sequence[TokenTrajectory]) -> torch.Tensor:
    """Runs the language model; gives the last states before each trainable token.

    Returns:
        (n, hidden), trajectory by trajectory, in order.
    """
    before = [np.flatnonzero(t.trainable[1:]) for t in trajectories]  # the first has none
    if backbone.packs:
        packed = pack(trajectories, backbone.device)
        features = backbone.see(packed.stretch.images)
        states = backbone.read(packed.stretch, features, tree=packed.tree)[0]
        places = [own[at] for own, at in zip(packed.columns, before, strict=True)]
    else:
        padded = collate(trajectories, backbone.device)
        read = backbone.read(padded, backbone.see(padded.images))
        states, length = read.flatten(0, 1), read.shape[1]
        places = [row * length + at for row, at in enumerate(before)]
    return states[torch.from_numpy(np.concatenate(places)).to(backbone.device)]


def collate(
    trajectories: Sequence[TokenTrajectory],
    device: torch.device,
) -> Stretch:
    """Puts whole trajectories, at least one, into one padded stretch on a device."""
    lengths = [len(t) for t in trajectories]
    positions = np.zeros((3, len(lengths), max(lengths)), np.int64)
    is_image = np.zeros((len(lengths), max(lengths)), np.bool_)
    for row, t in enumerate(trajectories):
        positions[:, row, : len(t)], _ = rotary_positions(len(t), t.images, t.image_starts)
        for image, at in zip(t.images, t.image_starts, strict=True):
            is_image[row, at : at + image.n_tokens] = True
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
