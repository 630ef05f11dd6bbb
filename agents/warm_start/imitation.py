"""Warm start: a policy learns to write the messages of demonstrations.

The loss is the mean negative log-likelihood of the tokens to imitate, over a whole batch; prompts,
and messages that are not to be imitated, only condition it.
"""

from __future__ import annotations

import logging
import math
import os
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pixel_env.errors import ConfigError

from ..model.backbone import Backbone
from ..model.scoring import score
from ..tokens.encoder import Encoder
from ..tokens.trajectory import TokenTrajectory
from ..training.checkpoints.checkpointer import Checkpointer, Training
from ..training.metrics import MetricWriter
from ..training.micro_batches import micro_batches
from ..training.optimizer_step import take_step
from ..training.placement import ALONE, Placement
from .config import MAY_DIFFER, ImitationConfig

Watcher = Callable[[int, Mapping[str, float]], None]
"""Called after each step with its number, from 1, and its metrics."""

logger = logging.getLogger(__name__)


class ImitationTrainer:
    """Trains a model on demonstrations.

    Which trajectories a step learns from is a function of the seed and the step; all else that a
    step depends on is in the checkpoint. So a training that was killed and goes on gives the
    numbers of one that was not.

    Attributes:
        config: the settings.
        n_steps: optimizer steps of the whole training.
        checkpoints: where checkpoints are, in `folder/checkpoints`; None without a folder.
    """

    def __init__(
        self,
        model: Any,
        encoder: Encoder,
        data: Sequence[TokenTrajectory],
        config: ImitationConfig,
        folder: str | os.PathLike[str] | None = None,
        placement: Placement = ALONE,
    ) -> None:
        """Takes the parts.

        Args:
            model: a Qwen2.5-VL or Qwen3-VL model, bare or wrapped by peft; what requires
                gradients is trained.
            encoder: knows the tokens that can't be sampled.
            data: the trajectories; may encode them when asked for (`EncodedDemonstrations`).
            config: the settings.
            folder: gets metrics, TensorBoard's files and checkpoints; None writes nothing.
            placement: the processes of the training, and how the model lies over them.

        Raises:
            ConfigError: there is no data, or nothing in the model to train.
        """
        if not len(data):
            raise ConfigError("expected at least one demonstration, got none")
        parameters = placement.trained_parameters(model)
        if not parameters:
            raise ConfigError("expected a model with parameters that require gradients, got none")
        if any(p.dtype in (torch.bfloat16, torch.float16) for p in parameters):
            logger.warning(
                "weights of 16 bits are trained in place: an update much smaller than a weight is "
                "rounded away; load the model in float32, or train adapters"
            )
        self.config = config
        self.n_steps = config.steps or config.epochs * self._steps_per_epoch(len(data))
        self.checkpoints = (
            None
            if folder is None
            else Checkpointer(Path(folder) / "checkpoints", config.keep_checkpoints)
        )
        self._folder = folder
        self._model = model
        self._encoder = encoder
        self._data = data
        self._placement = placement
        self._optimizer = torch.optim.AdamW(
            parameters,
            lr=config.learning_rate,
            betas=config.betas,
            weight_decay=config.weight_decay,
        )
        self._training = Training(model, self._optimizer, config, placement=placement)
        self._sums = _Sums()

    def train(self, resume: bool = False, on_step: Watcher | None = None) -> dict[str, float]:
        """Trains to the last step; returns the last metrics logged.

        Args:
            resume: go on from the newest checkpoint, if there is one.
            on_step: called after each step, for a progress bar.

        Raises:
            ConfigError: the checkpoint is of another configuration, model or data, or there is
                one and `resume` is False.
            DataError: every checkpoint is damaged.
        """
        done = self._restore(resume)
        processes = self._placement.processes
        writes = self._folder is not None and processes.is_first
        writer = MetricWriter(self._folder or "", resumed_step=done) if writes else None
        logged: dict[str, float] = {}
        if done == 0:
            torch.manual_seed(self.config.seed + processes.rank)  # adapters' dropout draws from it
        self._model.train()
        for step in range(done + 1, self.n_steps + 1):
            metrics = self.step(step)
            is_last = step == self.n_steps
            if is_last or step % self.config.log_every == 0:
                logged = self._sums.flush(metrics)
                if writer:
                    writer.write(step, logged)
            every = self.config.checkpoint_every
            if self.checkpoints and (is_last or (every and step % every == 0)):
                state = {"n_trajectories": len(self._data), "sums": self._sums.state()}
                self.checkpoints.save(step, self._training, state=state)
            if on_step:
                on_step(step, metrics)
        self._model.eval()
        if writer:
            writer.close()
        return logged

    def step(self, step: int) -> dict[str, float]:
        """Does one optimizer step, numbered from 1, and returns its metrics."""
        started = time.perf_counter()
        processes = self._placement.processes
        mine = self.batch_of(step)[processes.rank :: processes.count]
        batch = [self._data[index] for index in mine]
        rate = self.config.rate_at(step - 1, self.n_steps)
        loss, n_tokens = self._accumulate(batch)
        norm = take_step(
            self._model,
            self._encoder,
            self._optimizer,
            rate,
            self.config.max_grad_norm,
            self._placement,
        )
        self._sums.add(loss * n_tokens, n_tokens)
        seconds = time.perf_counter() - started
        return {
            "imitation/loss": loss,
            "imitation/grad_norm": norm,
            "imitation/learning_rate": rate,
            "imitation/epoch": step / self._steps_per_epoch(len(self._data)),
            "imitation/tokens": float(n_tokens),
            "imitation/seconds": seconds,
            "imitation/tokens_per_second": processes.total(sum(len(t) for t in batch)) / seconds,
        }

    def batch_of(self, step: int) -> list[int]:
        """Returns the indices of the trajectories that a step, from 1, learns from.

        Every epoch goes over all data once in a new order; its last batch may be smaller.
        """
        epoch, place = divmod(step - 1, self._steps_per_epoch(len(self._data)))
        order = np.random.default_rng([self.config.seed, epoch]).permutation(len(self._data))
        first = place * self.config.batch_size
        return [int(index) for index in order[first : first + self.config.batch_size]]

    def _accumulate(self, batch: Sequence[TokenTrajectory]) -> tuple[float, int]:
        """Adds up the gradient of this process's part of a batch.

        Returns:
            The loss of the whole batch, and the number of its tokens.
        """
        processes = self._placement.processes
        n_tokens = int(processes.total(sum(int(t.trainable[1:].sum()) for t in batch)))
        if not n_tokens:
            raise ConfigError("expected a token to imitate in every batch, got none")
        total = 0.0
        self._placement.assemble()
        packs = Backbone(self._model).packs
        for part in micro_batches(batch, self.config.tokens_per_micro_batch, packs):
            scores = score(self._model, [batch[index] for index in part], self._encoder)
            loss = -scores.logprobs.sum() / n_tokens
            loss.backward()  # type: ignore[no-untyped-call]
            total += float(loss.detach())
        return processes.total(total), n_tokens

    def _steps_per_epoch(self, n_trajectories: int) -> int:
        return math.ceil(n_trajectories / self.config.batch_size)

    def _restore(self, resume: bool) -> int:
        """Goes back to the newest checkpoint; returns its step, 0 where there is none."""
        if self.checkpoints is None:
            return 0
        if not resume:
            if found := self.checkpoints.latest():
                raise ConfigError(f"{found} is there already: resume, or take another folder")
            return 0
        progress = self.checkpoints.load(self._training, MAY_DIFFER)
        if progress is None:
            return 0
        n_saved = progress.state["n_trajectories"]
        if n_saved != len(self._data):
            raise ConfigError(
                f"to resume, expected {n_saved} demonstrations, got {len(self._data)}"
            )
        self._sums = _Sums(*progress.state["sums"])
        return progress.step


class _Sums:
    """The loss since the last line of metrics."""

    def __init__(self, nll: float = 0.0, n_tokens: int = 0) -> None:
        self._nll, self._n_tokens = nll, n_tokens

    def add(self, nll: float, n_tokens: int) -> None:
        self._nll += nll
        self._n_tokens += n_tokens

    def state(self) -> list[float]:
        return [self._nll, self._n_tokens]

    def flush(self, latest: Mapping[str, float]) -> dict[str, float]:
        """Returns the latest metrics with the mean loss, and starts anew."""
        mean = self._nll / self._n_tokens
        self._nll, self._n_tokens = 0.0, 0
        return {**latest, "imitation/loss": mean}
