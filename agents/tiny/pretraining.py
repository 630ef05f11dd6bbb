"""Teaches a blank model to see and to name: what a pretrained checkpoint brings along.

Stages, each cheap where the next would be slow: the vision tower alone, from labels of every
token (through linear heads that are thrown away); the turn of `alignment.py`; the language model
alone, on features that are computed once; then both together. Not part of the paper: it stands
where the pretraining of Qwen2.5-VL stands.
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
from pixel_env.media.rgb import Image
from pixel_env.types import Observation

from ..model.backbone import Backbone, Features
from ..model.scoring import collate, pad_rows
from ..tokens.encoder import Encoder
from ..tokens.trajectory import EncodedImage, TokenTrajectory, TrajectoryBuilder

IGNORED = -100
AT_ONCE = {"cpu": 16, "cuda": 64}
"""Lessons that are padded to one length, by the device: a GPU waits for each call."""
Report = Callable[[int, float], None]
"""Called after every step with its number, from 1, and its loss."""


@dataclass(frozen=True, slots=True)
class PretrainingConfig:
    """How one stage is trained."""

    steps: int = 2000
    """Optimiser steps."""
    batch_size: int = 64
    """Pictures a step."""
    learning_rate: float = 2e-3
    """Its peak; warmed up over 100 steps, then a cosine down to a twentieth."""
    weight_decay: float = 0.01
    """Of AdamW."""
    max_grad_norm: float = 1.0
    """Gradients are clipped to this norm."""
    nothing_weight: float = 0.2
    """Weight of the last class of a label ("nothing there") against the others."""
    seed: int = 0
    """Of the order of the pictures."""

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
    """Trains the vision tower to recognise what stands under each token.

    Args:
        model: a Qwen2.5-VL model.
        encoder: cuts pictures into patches.
        draw: gives one picture and its labels, (n_tokens, n_heads) int64, -100 where a label
            doesn't apply.
        heads: name and number of classes of each label, in order.
        config: steps, batch size and so on.
        report: called after every step.

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

    descend(parameters, loss_of, config, report)
    return layer


def teach_speech(
    model: Any,
    draw: Callable[[np.random.Generator], TokenTrajectory],
    config: PretrainingConfig,
    report: Report,
    features: Features | None = None,
) -> None:
    """Trains a model to write the responses of lessons.

    Args:
        model: a Qwen2.5-VL model.
        draw: gives one lesson as a trajectory.
        config: steps, batch size and so on.
        report: called after every step.
        features: what the vision tower gives for every picture of the lessons; with them only
            the language model is trained. None trains both.
    """
    parameters = model.model.language_model if features is not None else model

    def loss_of(rng: np.random.Generator) -> torch.Tensor:
        return speech_loss(model, [draw(rng) for _ in range(config.batch_size)], features)

    descend(list(parameters.parameters()), loss_of, config, report)


def as_trajectory(
    encoder: Encoder,
    observation: Observation,
    response: str,
    stand_ins: tuple[EncodedImage, ...] = (),
) -> TokenTrajectory:
    """Returns a lesson, one observation and the response to it, as tokens.

    Args:
        encoder: in the format that the model is to learn.
        observation: with one picture or more.
        response: the message to be learnt.
        stand_ins: take the pictures' places, where their features are known.
    """
    piece = encoder.open(observation)
    builder = TrajectoryBuilder()
    builder.add_prompt(replace(piece, images=stand_ins) if stand_ins else piece)
    builder.add_response(encoder.message_ids(response))
    return builder.build()


def speech_loss(
    model: Any, lessons: Sequence[TokenTrajectory], features: Features | None = None
) -> torch.Tensor:
    """Returns the mean negative log-likelihood of the lessons' trainable tokens, in nats."""
    by_length = sorted(lessons, key=len)  # lessons of like length go together: less padding
    n = AT_ONCE.get(model.device.type, AT_ONCE["cpu"])
    parts = [by_length[i : i + n] for i in range(0, len(by_length), n)]
    guesses, wanted = zip(*(_predict(model, part, features) for part in parts), strict=True)
    return functional.cross_entropy(torch.cat(guesses), torch.cat(wanted))


@torch.no_grad()
def speech_accuracy(model: Any, lessons: Sequence[TokenTrajectory]) -> NDArray[np.bool_]:
    """Returns for each lesson whether every token of it is the likeliest, given those before."""
    guess, wanted = _predict(model, lessons, None)
    right = (guess.argmax(-1) == wanted).cpu().numpy()
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


def _class_weights(name: str, n_classes: int, nothing: float) -> torch.Tensor:
    """Weighs "nothing there", the last class of what can be missing, against the others."""
    weights = torch.ones(n_classes)
    if name in ("colour", "shape"):
        weights[-1] = nothing
    return weights


def descend(
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
