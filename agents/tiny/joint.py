"""Teaches a model lessons of several twins: vision tower and language model at once.

Beside the loss on responses there is one on what stands under each token of a picture, through
linear heads that are thrown away: it tells the vision tower what to look for, where responses alone
would take ten times the steps. The training goes on after a stop, from its last checkpoint.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from pixel_env.errors import ConfigError

from ..model.backbone import Backbone
from ..settings.checks import check_least, check_positive, check_share
from ..training.checkpoints.checkpointer import Checkpointer, Training
from ..training.metrics import MetricWriter
from .lesson_batches import Batch, Teacher, batches
from .pretraining import IGNORED, Report, speech_accuracy, speech_loss

MAY_DIFFER = ("steps", "minutes", "exam_every", "exam", "checkpoint_every")
"""Settings that may change when a training goes on."""

DECIDED_AT = 0.6
"""Share of a training's minutes after which it is decided how many steps there is time for."""

EXAM_AT_ONCE = 64


@dataclass(frozen=True, slots=True)
class JointConfig:
    """How the lessons of several twins are taught."""

    steps: int = 3000
    """Optimizer steps."""
    minutes: float = 0.0
    """Where over 0: at three fifths of them `steps` falls to what can be done in time."""
    batch_size: int = 64
    """Lessons a step."""
    learning_rate: float = 1e-3
    """Its peak: warmed up over 100 steps, then constant."""
    cool_share: float = 0.25
    """Share of the steps, the last, over which the rate falls to a fiftieth; `steps` may change in
    the course of a training, so that a constant rate comes first."""
    weight_decay: float = 0.01
    """Of AdamW."""
    max_grad_norm: float = 1.0
    """Gradients are clipped to this norm."""
    label_weight: float = 0.1
    """Weight of the loss on what stands under each token, summed over what is known of one."""
    nothing_weight: float = 0.2
    """Weight of a token with nothing under it against one with something."""
    exam_every: int = 250
    """Steps between two exams."""
    exam: int = 256
    """Unseen lessons of each twin in an exam."""
    checkpoint_every: int = 50
    """Steps between two checkpoints."""
    seed: int = 0
    """Of the lessons and of their order."""

    def __post_init__(self) -> None:
        """Checks the values.

        Raises:
            ConfigError: one is out of its range.
        """
        counts = ("steps", "batch_size", "exam_every", "exam", "checkpoint_every")
        check_least(self, {**dict.fromkeys(counts, 1), "seed": 0, "label_weight": 0, "minutes": 0})
        check_positive(self, ("learning_rate", "max_grad_norm", "nothing_weight"))
        check_share(self, ("cool_share",))

    def in_time(self, step: int, minutes: float) -> JointConfig:
        """Returns the settings that end in time, after a step at so many minutes.

        >>> JointConfig(steps=9000, minutes=10.0).in_time(300, 6.0).steps
        500
        >>> JointConfig(steps=9000, minutes=10.0).in_time(300, 5.9).steps
        9000
        """
        if not self.minutes or minutes < DECIDED_AT * self.minutes:
            return self
        most = max(int(step * self.minutes / minutes), step)
        return replace(self, steps=min(self.steps, most), minutes=0.0)

    def rate_at(self, step: int) -> float:
        """Returns the learning rate of a step, from 1.

        >>> config = JointConfig(steps=1000, learning_rate=1.0)
        >>> [round(config.rate_at(step), 2) for step in (1, 100, 750, 875, 1000)]
        [0.01, 1.0, 1.0, 0.51, 0.02]
        """
        n_cool = max(round(self.cool_share * self.steps), 1)
        left = min((self.steps - step) / n_cool, 1.0)
        return self.learning_rate * min(1.0, step / 100) * (0.02 + 0.98 * left)


class JointTraining:
    """One training, in a folder.

    Attributes:
        model: what is taught.
        config: the settings.
        folder: gets `metrics.jsonl`, the curve with each exam, and `checkpoints/`.
    """

    def __init__(
        self,
        model: Any,
        teacher: Teacher,
        config: JointConfig,
        folder: Path,
        n_workers: int = 0,
    ) -> None:
        """Makes the heads and the optimizer; nothing is trained yet.

        Args:
            model: on the device where it is trained.
            teacher: draws the lessons.
            config: the settings.
            folder: of the course.
            n_workers: processes that draw lessons ahead; 0 for this one.
        """
        self._n_workers = n_workers
        self.model = model
        self.config = config
        self.folder = folder
        self._teacher = teacher
        self._backbone = Backbone(model)
        width = int(model.config.text_config.hidden_size)
        self._sizes = [len(classes) for classes in teacher.heads.values()]
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.seed)
            heads = nn.Linear(width, sum(self._sizes)).to(self._backbone.device)
        self._whole = nn.ModuleDict({"model": model, "heads": heads})
        self._weights = [
            _class_weights(classes, config.nothing_weight).to(self._backbone.device)
            for classes in teacher.heads.values()
        ]
        self._optimizer = torch.optim.AdamW(
            self._whole.parameters(),
            lr=config.learning_rate,
            betas=(0.9, 0.98),
            weight_decay=config.weight_decay,
        )
        self._training = Training(self._whole, self._optimizer, config)
        self._checkpoints = Checkpointer(folder / "checkpoints")

    def train(self, report: Report) -> None:
        """Trains to the last step; a training that was stopped goes on.

        Args:
            report: called after every step with its number, from 1, and its loss.

        Raises:
            ConfigError: the folder holds a training of other settings.
        """
        progress = self._checkpoints.load(self._training, MAY_DIFFER)
        done = progress.step if progress else 0
        before = float(progress.state["minutes"]) if progress else 0.0
        started = time.perf_counter()
        writer = MetricWriter(self.folder, done)
        self.model.train()
        sums: list[dict[str, float]] = []
        steps = range(done + 1, self.config.steps + 1)
        drawn = batches(self._teacher, steps, self.config.batch_size, self._n_workers)
        for step, batch in zip(steps, drawn, strict=True):
            sums.append(self._step(step, batch))
            report(step, sums[-1]["loss/response"])
            minutes = before + (time.perf_counter() - started) / 60
            self.config = self.config.in_time(step, minutes)
            is_last = step == self.config.steps
            is_exam = is_last or step % self.config.exam_every == 0
            if is_exam or step % self.config.checkpoint_every == 0:
                means = {name: float(np.mean([each[name] for each in sums])) for name in sums[0]}
                exam = self.examine() if is_exam else {}
                writer.write(step, {**means, "minutes": minutes, **exam})
                self._checkpoints.save(step, self._training, state={"minutes": minutes})
                sums = []
            if is_last:
                break
        writer.close()

    @torch.no_grad()
    def examine(self) -> dict[str, float]:
        """Returns the share of unseen lessons answered right to the last token.

        Returns:
            By twin ("exam/Search") and by kind of lesson ("exam/Search/Where is the").
        """
        found: dict[str, float] = {}
        self.model.eval()
        for twin in self._teacher.twins:
            lessons = self._teacher.unseen(twin, self.config.exam)
            parts = [
                speech_accuracy(self.model, [each.trajectory for each in lessons[start:stop]])
                for start, stop in _stretches(len(lessons))
            ]
            right = np.concatenate(parts)
            found[f"exam/{twin}"] = float(right.mean())
            kinds = np.array([each.kind for each in lessons])
            for kind in sorted(set(kinds)):
                found[f"exam/{twin}/{kind}"] = float(right[kinds == kind].mean())
        self.model.train()
        return found

    def _step(self, step: int, batch: Batch) -> dict[str, float]:
        """Takes one optimizer step; returns both losses."""
        for group in self._optimizer.param_groups:
            group["lr"] = self.config.rate_at(step)
        device = self._backbone.device
        images = batch.images
        features = self._backbone.see(images, batch.patches(device))
        if features is None:
            raise ConfigError("expected lessons with pictures")
        of_response = speech_loss(self.model, [each.trajectory for each in batch.lessons], features)
        labels = np.concatenate([each for lesson in batch.lessons for each in lesson.labels])
        of_labels = self._label_loss(
            features.tokens[features.rows(images)], torch.from_numpy(labels).to(device)
        )
        loss = of_response + self.config.label_weight * of_labels
        self._optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self._whole.parameters(), self.config.max_grad_norm)
        self._optimizer.step()
        losses = {"loss/response": of_response, "loss/labels": of_labels}
        return {name: float(value.detach()) for name, value in losses.items()}

    def _label_loss(self, tokens: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Returns the sum over the heads of the loss on what stands under the tokens."""
        guesses = self._whole["heads"](tokens).split(self._sizes, -1)
        losses = [
            functional.cross_entropy(guess, labels[:, head], weight, ignore_index=IGNORED)
            for head, (guess, weight) in enumerate(zip(guesses, self._weights, strict=True))
            if (labels[:, head] != IGNORED).any()
        ]
        return torch.stack(losses).sum()


def _class_weights(classes: Sequence[str], nothing: float) -> torch.Tensor:
    """Weighs nothing, "0" and "no" against what is there."""
    weights = torch.ones(len(classes))
    for place, name in enumerate(classes):
        if name == "" or ((classes[0], place) in (("no", 0), ("0", 0)) and len(classes) <= 3):
            weights[place] = nothing
    return weights


def _stretches(n: int) -> list[tuple[int, int]]:
    return [(start, min(start + EXAM_AT_ONCE, n)) for start in range(0, n, EXAM_AT_ONCE)]
