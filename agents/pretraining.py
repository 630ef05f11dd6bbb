"""Teaches a blank model to see and to name: what a pretrained checkpoint brings along.

Stages, each cheap where the next would be slow. First the vision tower alone, from labels of
every token (through linear heads that are thrown away). Then its last layer is turned so that a
token of a picture points the way of the words for what it shows, as contrastive pretraining does
for the towers of larger models: attention by likeness finds "the red one" from the first step.
Then the language model alone, on features that are computed once; then both together. Not part
of the paper: it stands where the pretraining of Qwen2.5-VL stands.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from pixel_env.errors import ConfigError
from pixel_env.types import Image

from .backbone import Backbone, Features
from .conversation import Encoder
from .forward import collate, pad_rows
from .rollout import EncodedImage, TokenTrajectory

IGNORED = -100
TEMPERATURE = 0.07
"""Divides likenesses in `align`, as in CLIP (arXiv 2103.00020)."""
WORD_NORM = 0.4
"""Norm of the embeddings that `align` sets, about twice that of random ones."""
Report = Callable[[int, float], None]
"""Called after every step with its number, from 1, and its loss."""


@dataclass(frozen=True, slots=True)
class PretrainingConfig:
    """How one stage is trained.

    Attributes:
        steps: optimiser steps.
        batch_size: pictures a step.
        learning_rate: its peak; warmed up over 100 steps, then a cosine down to a twentieth.
        weight_decay: of AdamW.
        max_grad_norm: gradients are clipped to this norm.
        nothing_weight: weight of the last class of a label ("nothing there") against the others.
        seed: of the order of the pictures.
    """

    steps: int = 2000
    batch_size: int = 64
    learning_rate: float = 2e-3
    weight_decay: float = 0.01
    max_grad_norm: float = 1.0
    nothing_weight: float = 0.2
    seed: int = 0

    def __post_init__(self) -> None:
        """Checks the counts."""
        if self.steps < 1 or self.batch_size < 1:
            raise ConfigError(
                f"expected steps and batch_size of at least 1, got {self.steps} and "
                f"{self.batch_size}"
            )


def teach_eyes(
    model: Any,
    encoder: Encoder,
    draw: Callable[[np.random.Generator], tuple[EncodedImage, NDArray[np.int64]]],
    heads: Mapping[str, int],
    config: PretrainingConfig,
    report: Report,
) -> nn.Module:
    """Trains the vision tower to tell what stands under each token.

    Args:
        model: a Qwen2.5-VL model.
        encoder: cuts pictures into patches.
        draw: gives one picture and its labels, (n_tokens, n_heads) int64, -100 where a label
            doesn't apply.
        heads: name and number of classes of each label, in order.
        config: steps, batch size and so on.
        report: told of every step.

    Returns:
        The heads, one linear layer over the tower's output, for measuring what it knows.
    """
    backbone = Backbone(model)
    width = int(model.config.text_config.hidden_size)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        layer = nn.Linear(width, sum(heads.values()))
    weights = [_class_weights(name, n, config.nothing_weight) for name, n in heads.items()]
    parameters = [*model.model.visual.parameters(), *layer.parameters()]

    def loss_of(rng: np.random.Generator) -> torch.Tensor:
        images, labels = zip(*(draw(rng) for _ in range(config.batch_size)), strict=True)
        features = backbone.see(images)
        if features is None:
            raise ConfigError("expected batches of at least one picture")
        wanted = torch.from_numpy(np.concatenate(labels))  # (tokens, heads)
        losses = [
            functional.cross_entropy(guess, wanted[:, i], weight, ignore_index=IGNORED)
            for i, (guess, weight) in enumerate(
                zip(layer(features.tokens).split(list(heads.values()), -1), weights, strict=True)
            )
            if (wanted[:, i] != IGNORED).any()
        ]
        return torch.stack(losses).sum()

    _descend(parameters, loss_of, config, report)
    return layer


def align(
    model: Any,
    features: Features,
    labels: NDArray[np.int64],
    words: Sequence[Sequence[Sequence[int]]],
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
        words: for each head, for each of its named classes, the token ids of its name.
        config: steps and so on; a batch is of pictures.
        report: told of every step.

    Returns:
        What the turned tower gives, and how often, at the end, the token that a word fits best
        shows what the word names.
    """
    width = features.tokens.shape[-1]
    tokens = features.tokens.view(*labels.shape[:2], width)  # (pictures, tokens, hidden)
    scale = 0.25 / float(tokens.std())
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
            wanted = known[index][..., head]
            is_named = (wanted >= 0) & (wanted < len(name))
            if not is_named.any():
                continue
            losses.append(functional.cross_entropy(likeness[is_named], wanted[is_named]))
            picture, token = is_named.nonzero(as_tuple=True)
            rivals = likeness[picture, :, wanted[picture, token]]  # (named, tokens)
            same = wanted[picture] == wanted[picture, token][:, None]
            own = torch.zeros_like(same).scatter_(1, token[:, None], True)
            rivals = rivals.masked_fill(same & ~own, torch.finfo(rivals.dtype).min)
            losses.append(functional.cross_entropy(rivals, token))
            hits.append(float((rivals.argmax(1) == token).float().mean()))
        return torch.stack(losses).sum()

    _descend([*turn.parameters(), *names], loss_of, config, report)
    _fold(model, turn, scale)
    _name(model, names, words)
    with torch.no_grad():
        turned = replace(features, tokens=turn(features.tokens * scale))
    return turned, float(np.mean(hits[-10 * len(words) :]))


def attend_by_likeness(model: Any, layers: int = 2, gain: float = 4.0) -> None:
    """Starts a blank model's first layers so that a token looks at tokens that are like it.

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


def teach_speech(
    model: Any,
    draw: Callable[[np.random.Generator], TokenTrajectory],
    config: PretrainingConfig,
    report: Report,
    features: Features | None = None,
) -> None:
    """Trains a model to say what lessons say.

    Args:
        model: a Qwen2.5-VL model.
        draw: gives one lesson as a trajectory.
        config: steps, batch size and so on.
        report: told of every step.
        features: what the vision tower gives for every picture of the lessons; with them only
            the language model is trained. None trains both.
    """
    parameters = model.model.language_model if features is not None else model

    def loss_of(rng: np.random.Generator) -> torch.Tensor:
        return speech_loss(model, [draw(rng) for _ in range(config.batch_size)], features)

    _descend(list(parameters.parameters()), loss_of, config, report)


def speech_loss(
    model: Any, lessons: Sequence[TokenTrajectory], features: Features | None = None
) -> torch.Tensor:
    """Returns the mean negative log-likelihood of the lessons' trainable tokens, in nats."""
    guess, wanted = _predict(model, lessons, features)
    return functional.cross_entropy(guess, wanted)


@torch.no_grad()
def speech_accuracy(model: Any, lessons: Sequence[TokenTrajectory]) -> NDArray[np.bool_]:
    """Tells for each lesson whether every token of it would be said right, given those before."""
    guess, wanted = _predict(model, lessons, None)
    right = (guess.argmax(-1) == wanted).numpy()
    ends = np.cumsum([lesson.n_trainable for lesson in lessons])
    return np.array([part.all() for part in np.split(right, ends[:-1])])


@torch.no_grad()
def see_pictures(
    model: Any, encoder: Encoder, pictures: Sequence[Image], at_once: int = 256
) -> tuple[list[EncodedImage], Features]:
    """Runs the vision tower over many pictures and keeps what it gives, not their patches.

    Args:
        model: a Qwen2.5-VL model.
        encoder: cuts pictures into patches.
        pictures: (height, width, 3) uint8 RGB each.
        at_once: how many go through the tower together.

    Returns:
        A stand-in without patches for every picture, and the features that belong to them.
    """
    backbone = Backbone(model)
    stand_ins: list[EncodedImage] = []
    tokens, offsets, n_tokens = [], {}, 0
    for start in range(0, len(pictures), at_once):
        images = encoder.images(pictures[start : start + at_once])
        seen = backbone.see(images)
        if seen is None:
            break
        for image in images:
            stand_in = replace(image, patches=image.patches[:0].copy())
            offsets[id(stand_in)] = n_tokens + seen.offsets[id(image)]
            stand_ins.append(stand_in)
        tokens.append(seen.tokens)
        n_tokens += len(seen.tokens)
    return stand_ins, Features(torch.cat(tokens), (), offsets)


def _predict(
    model: Any, lessons: Sequence[TokenTrajectory], features: Features | None
) -> tuple[torch.Tensor, torch.Tensor]:
    """Returns logits (n, vocab) and ids (n,) of all trainable tokens, row by row."""
    backbone = Backbone(model)
    stretch = collate(lessons, backbone.device)
    hidden = backbone.read(stretch, features or backbone.see(stretch.images))
    asked = pad_rows([lesson.trainable for lesson in lessons], backbone.device)[:, 1:]
    return backbone.logits(hidden[:, :-1][asked]), stretch.ids[:, 1:][asked]


@torch.no_grad()
def _fold(model: Any, turn: nn.Linear, scale: float) -> None:
    """Puts a linear map behind the vision tower into its last linear layer."""
    last = [part for part in model.model.visual.merger.modules() if isinstance(part, nn.Linear)][-1]
    last.bias.copy_(turn(last.bias * scale))
    last.weight.copy_(turn.weight @ last.weight * scale)


@torch.no_grad()
def _name(model: Any, names: Sequence[torch.Tensor], words: Sequence[Sequence[Sequence[int]]]) -> None:
    """Sets the embeddings of words to what was found for what they name."""
    embeddings = model.get_input_embeddings().weight
    for found, named in zip(names, words, strict=True):
        for vector, ids in zip(functional.normalize(found, dim=-1), named, strict=True):
            embeddings[list(ids)] = WORD_NORM * vector


def _class_weights(name: str, n_classes: int, nothing: float) -> torch.Tensor:
    """Weighs "nothing there", the last class of what can be missing, against the others."""
    weights = torch.ones(n_classes)
    if name in ("colour", "shape"):
        weights[-1] = nothing
    return weights


def _descend(
    parameters: list[nn.Parameter],
    loss_of: Callable[[np.random.Generator], torch.Tensor],
    config: PretrainingConfig,
    report: Report,
) -> None:
    """Minimises a loss with AdamW under a warm-up and a cosine."""
    optimizer = torch.optim.AdamW(
        parameters, lr=config.learning_rate, betas=(0.9, 0.98), weight_decay=config.weight_decay
    )
    rng = np.random.default_rng(config.seed)
    for step in range(1, config.steps + 1):
        decay = 0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * step / config.steps))
        for group in optimizer.param_groups:
            group["lr"] = config.learning_rate * min(1.0, step / 100) * decay
        loss = loss_of(rng)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(parameters, config.max_grad_norm)
        optimizer.step()
        report(step, float(loss.detach()))
