"""Turns a vision tower towards the words for what it sees.

As contrastive pretraining does for the towers of larger models: a token of a picture then points
the way of the words for what it shows, and attention by likeness finds "the red one" from the
first step, where a blank model needs thousands.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from ..model.backbone import Features
from .pretraining import PretrainingConfig, Report, descend

TEMPERATURE = 0.07
"""Divides likenesses, as in CLIP (arXiv 2103.00020)."""

FEATURE_SCALE = 0.25
"""Standard deviation that features are brought to, about that of word embeddings here."""

WORD_NORM = 0.4
"""Norm of the embeddings that are set, about twice that of random ones."""

WordIds = Sequence[Sequence[Sequence[int]]]
"""For each label, for each of its named classes, the token ids of its name."""


def align(
    model: Any,
    features: Features,
    labels: NDArray[np.int64],
    words: WordIds,
    config: PretrainingConfig,
    report: Report,
) -> tuple[Features, float]:
    """Turns the vision tower's last layer towards the embeddings of the words for what it sees.

    The loss is contrastive in both directions: which word fits this token, and which of the
    picture's tokens fits this word. The turn is folded into the tower's last linear layer, and
    the words' embeddings are set to what was found.

    Args:
        model: a Qwen2.5-VL model.
        features: what the tower gives, for pictures of equal size.
        labels: (pictures, tokens, n_heads) int64; a class without a word counts as nothing.
        words: names of the classes, for each head.
        config: steps and so on; a batch is of pictures.
        report: called after every step.

    Returns:
        What the turned tower gives, and how often, at the end, the token that a word fits best
        shows what the word names.
    """
    width = features.tokens.shape[-1]
    tokens = features.tokens.view(*labels.shape[:2], width)  # (pictures, tokens, hidden)
    scale = FEATURE_SCALE / float(tokens.std())
    turn = nn.Linear(width, width)
    nn.init.eye_(turn.weight)
    nn.init.zeros_(turn.bias)
    rng = np.random.default_rng(config.seed)
    names = nn.ParameterList(
        nn.Parameter(torch.from_numpy(rng.normal(size=(len(named), width))).float())
        for named in words
    )
    known = torch.from_numpy(labels)
    hits: list[float] = []

    def loss_of(drawn: np.random.Generator) -> torch.Tensor:
        index = torch.from_numpy(drawn.integers(len(tokens), size=config.batch_size))
        seen = functional.normalize(turn(tokens[index] * scale), dim=-1)
        losses = []
        for head, name in enumerate(names):
            likeness = seen @ functional.normalize(name, dim=-1).T / TEMPERATURE
            judged = _contrast(likeness, known[index][..., head])
            if judged is not None:
                losses.append(judged[0])
                hits.append(judged[1])
        return torch.stack(losses).sum()

    descend([*turn.parameters(), *names], loss_of, config, report)
    _fold(model, turn, scale)
    _name(model, list(names), words)
    with torch.no_grad():
        turned = replace(features, tokens=turn(features.tokens * scale))
    return turned, float(np.mean(hits[-10 * len(words) :]))


def _contrast(likeness: torch.Tensor, wanted: torch.Tensor) -> tuple[torch.Tensor, float] | None:
    """Asks both ways which word fits a token, and which token of its picture fits a word.

    Args:
        likeness: (pictures, tokens, words), divided by the temperature.
        wanted: (pictures, tokens) int64, the word of each token; others have none.

    Returns:
        The sum of both losses and how often a word found its token; None where no token has a
        word. Other tokens that the word names as well are no rivals.
    """
    is_named = (wanted >= 0) & (wanted < likeness.shape[-1])
    if not is_named.any():
        return None
    picture, token = is_named.nonzero(as_tuple=True)
    word = wanted[picture, token]
    rivals = likeness[picture, :, word]  # (named, tokens)
    own = torch.zeros_like(rivals, dtype=torch.bool).scatter_(1, token[:, None], True)
    same = wanted[picture] == word[:, None]
    rivals = rivals.masked_fill(same & ~own, torch.finfo(rivals.dtype).min)
    which_word = functional.cross_entropy(likeness[is_named], word)
    which_token = functional.cross_entropy(rivals, token)
    return which_word + which_token, float((rivals.argmax(1) == token).float().mean())


def attend_by_likeness(model: Any, layers: int = 2, gain: float = 4.0) -> None:
    """Starts a blank model's first layers so that a token attends to tokens that are like it.

    Keys begin as queries do, and both larger: the score of two tokens is then the likeness of
    their embeddings, which random weights would have to be taught.
    """
    with torch.no_grad():
        for layer in model.model.language_model.layers[:layers]:
            attention = layer.self_attn
            attention.q_proj.weight.mul_(gain)
            attention.k_proj.weight.copy_(attention.q_proj.weight)
            attention.q_proj.bias.zero_()
            attention.k_proj.bias.zero_()


@torch.no_grad()
def _fold(model: Any, turn: nn.Linear, scale: float) -> None:
    """Puts a linear map behind the vision tower into its last linear layer."""
    last = [part for part in model.model.visual.merger.modules() if isinstance(part, nn.Linear)][-1]
    last.bias.copy_(turn(last.bias * scale))
    last.weight.copy_(turn.weight @ last.weight * scale)


@torch.no_grad()
def _name(
    model: Any, names: Sequence[torch.Tensor], words: Sequence[Sequence[Sequence[int]]]
) -> None:
    """Sets the embeddings of words to what was found for what they name."""
    embeddings = model.get_input_embeddings().weight
    for found, named in zip(names, words, strict=True):
        for vector, ids in zip(functional.normalize(found, dim=-1), named, strict=True):
            embeddings[list(ids)] = WORD_NORM * vector
