"""Scores recorded trajectories: one forward pass over whole episodes, with gradients.

The same parts, positions and forbidden tokens as in generation, so that the log-probabilities
are those recorded while generating, up to rounding.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch.utils.checkpoint import checkpoint
from transformers.cache_utils import DynamicCache

from ..tokens.encoder import Encoder
from ..tokens.trajectory import EncodedImage, TokenTrajectory
from .backbone import Backbone, Stretch, log_probabilities
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

    Pictures that trajectories share (the same object) go through the vision tower once, and a
    first observation that several of them begin with goes through the language model once.

    Args:
        model: a Qwen2.5-VL or Qwen3-VL model, bare or wrapped by peft.
        trajectories: at least one; padded behind to the longest.
        encoder: knows the tokens that can't be sampled.
        temperature: that of generation.
        entropy: whether to give entropies too.
    """
    backbone = Backbone(model)
    trainable = pad_rows([t.trainable for t in trajectories], backbone.device)
    trainable[:, 0] = False  # nothing stands before the first token
    states = last_states(backbone, trajectories)[trainable[:, 1:]]  # (n, hidden)
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
    """Runs the language model; gives the last states before each token but the first.

    Returns:
        (batch, length - 1, hidden). Column t - 1 predicts token t. Where openings are shared,
        columns inside an opening are 0: nothing in it is trained.
    """
    features = backbone.see([image for t in trajectories for image in t.images])
    owners = _owners(trajectories)
    if len(set(owners)) == len(owners) or backbone.recomputes:
        return backbone.read(collate(trajectories, backbone.device), features)[:, :-1]
    stops = [t.turns[0].stop for t in trajectories]
    first = sorted(set(owners))
    openings = collate(
        [trajectories[row] for row in first], backbone.device, [(0, stops[row]) for row in first]
    )
    rest = collate(
        trajectories,
        backbone.device,
        [(stop, len(t)) for stop, t in zip(stops, trajectories, strict=True)],
    )
    # Rollouts of a group begin with the same prompt, most of whose tokens are pictures: it is read
    # once, and each rollout reads on behind its keys and values, through which gradients add up.
    kv = DynamicCache()
    read = backbone.read(openings, features, kv=kv)  # (openings, length, hidden)
    own = [first.index(owner) for owner in owners]
    kv.batch_select_indices(torch.tensor(own, device=backbone.device))
    mask = torch.cat([openings.real[own], rest.real], dim=1)
    later = backbone.read(rest, features, mask, kv)  # (batch, rest, hidden)
    states = later.new_zeros(len(stops), max(len(t) for t in trajectories) - 1, later.shape[-1])
    for row, (stop, t) in enumerate(zip(stops, trajectories, strict=True)):
        # The opening's last state predicts a rollout's first token, so it stands in every row.
        states[row, stop - 1] = read[own[row], stop - 1]
        states[row, stop : len(t) - 1] = later[row, : len(t) - stop - 1]
    return states


def collate(
    trajectories: Sequence[TokenTrajectory],
    device: torch.device,
    spans: Sequence[tuple[int, int]] | None = None,
) -> Stretch:
    """Puts trajectories into one padded stretch.

    Args:
        trajectories: at least one.
        device: where the tensors go.
        spans: (first token, token after the last) of what is taken of each, from 0, at the
            positions that it has in the whole and cutting no picture; None takes them whole.
    """
    spans = spans or [(0, len(t)) for t in trajectories]
    lengths = [stop - start for start, stop in spans]
    positions = np.zeros((3, len(lengths), max(lengths)), np.int64)
    is_image = np.zeros((len(lengths), max(lengths)), np.bool_)
    images: list[EncodedImage] = []
    for row, (t, (start, stop)) in enumerate(zip(trajectories, spans, strict=True)):
        whole, _ = rotary_positions(len(t), t.images, t.image_starts)
        positions[:, row, : lengths[row]] = whole[:, start:stop]
        for image, at in zip(t.images, t.image_starts, strict=True):
            if start <= at < stop:
                is_image[row, at - start : at - start + image.n_tokens] = True
                images.append(image)
    return Stretch(
        pad_rows([t.ids[a:b] for t, (a, b) in zip(trajectories, spans, strict=True)], device),
        torch.from_numpy(positions).to(device),
        pad_rows([np.ones(n, np.bool_) for n in lengths], device),
        tuple(images),
        torch.from_numpy(is_image).to(device),
    )


def _owners(trajectories: Sequence[TokenTrajectory]) -> list[int]:
    """Returns for each trajectory the first one that begins with the same observation."""
    owners: dict[Hashable, int] = {}
    found = []
    for row, t in enumerate(trajectories):
        stop = t.turns[0].stop if t.turns and t.turns[0].role == "user" else len(t)
        if stop == len(t) or t.trainable[:stop].any():
            return list(range(len(trajectories)))  # no opening to speak of: all are read whole
        shown = zip(t.images, t.image_starts, strict=True)
        seen = tuple(id(image) for image, start in shown if start < stop)
        found.append(owners.setdefault((t.ids[:stop].tobytes(), seen), row))
    return found


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
