"""On-policy training: collect, compare within groups, replay, update, log, save.

Group-relative policy gradient with selective sample replay, as in Pixel Reasoner (arXiv
2505.15966). The reward is what the environment pays: the curiosity bonus comes from the
`GroupCuriosity` wrapper in the lanes and from nowhere else.
"""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from pixel_env.errors import ConfigError, unknown_name
from pixel_env.files.json_values import plain

from ..generation.engine import Engine
from ..generation.session import Session
from ..tokens.encoder import Encoder
from ..training.checkpoints.checkpointer import Checkpointer, Training
from ..training.host_memory import give_back_free_memory
from ..training.metrics import MetricWriter
from ..training.placement import ALONE, Placement
from .collapse import CollapseWatch
from .config import MAY_DIFFER, OnPolicyConfig
from .groups import GroupRollouts
from .lanes import TrainingLanes
from .logprob_check import LogprobCheck
from .metrics import group_metrics, rollout_metrics
from .recorder import LaneRecorder
from .replay_buffer import Experience, ReplayBuffer
from .update import PolicyUpdate

SHOWN_ROLLOUTS = 4
"""Recorded rollouts of an iteration that TensorBoard shows as pictures, at most."""

Evaluate = Callable[[int], Mapping[str, float]]
"""Takes the iteration, evaluates the policy as it is, and returns numbers to log."""

Watcher = Callable[[int, Mapping[str, float], list[str]], None]
"""Called after each iteration with its number, its metrics, and the warnings it gave."""


class OnPolicyTrainer:
    """Trains a model on its own rollouts.

    Which samples an iteration runs, what is sampled and in which order it is learnt are functions
    of the seed and the iteration; all else that an iteration depends on is in the checkpoint. So a
    training that was killed and goes on gives the numbers of one that was not.

    Attributes:
        config: the settings.
        model: what is trained.
        replay: earlier rollouts that taught something.
        checkpoints: where checkpoints are, in `folder/checkpoints`.
    """

    def __init__(
        self,
        model: Any,
        encoder: Encoder,
        lanes: TrainingLanes,
        config: OnPolicyConfig,
        folder: str | os.PathLike[str],
        placement: Placement = ALONE,
    ) -> None:
        """Takes the parts; with a KL term, the model as it is now is the reference.

        Args:
            model: a Qwen2.5-VL or Qwen3-VL model, bare or wrapped by peft.
            encoder: turns observations into tokens, in the model's format.
            lanes: take whole groups, which run in as many waves as they need.
            config: the settings.
            folder: gets metrics, TensorBoard's files, checkpoints and recorded rollouts.
            placement: the processes of the training, and how the model lies over them.

        Raises:
            ConfigError: groups don't fit the lanes, or the environment pays other groups.
        """
        lanes.check_groups(config.group_size)
        self.config = config
        self.model = model
        self._placement = placement
        processes = placement.processes
        self.replay = ReplayBuffer(
            config.replay_capacity, config.replay_power, config.seed, processes
        )
        self.checkpoints = Checkpointer(Path(folder) / "checkpoints", config.keep_checkpoints)
        self._folder = folder
        self._recorder = None
        if config.record_every:
            self._recorder = _recorder(lanes, encoder, config, Path(folder), processes.rank)
        self._speaker = lanes.speaker or Session(Engine(model, encoder, config.generation))
        self._check = None
        if lanes.speaker is not None:  # our own engine records what the model computes
            self._check = LogprobCheck(model, encoder, config, processes)
        self._groups = GroupRollouts(self._speaker, lanes, config, self._recorder, processes)
        self._curiosity = lanes.curiosity
        self._update = PolicyUpdate(model, encoder, config, placement)
        self._watch = CollapseWatch(patience=config.collapse_patience)
        self._training = Training(model, self._update.optimizer, config, placement=placement)
        self._best: float | None = None

    def train(
        self,
        resume: bool = False,
        evaluate: Evaluate | None = None,
        on_iteration: Watcher | None = None,
    ) -> dict[str, float]:
        """Trains to the last iteration; returns its metrics, {} where it was done already.

        Args:
            resume: go on from the newest checkpoint, if there is one.
            evaluate: called every `evaluate_every` iterations, in the first process; its numbers
                are logged as "evaluation/...", and the best policy by `best_by` is kept.
            on_iteration: called after each iteration, for a progress bar.

        Raises:
            ConfigError: the checkpoint is of another configuration or model, or there is one and
                `resume` is False.
            DataError: every checkpoint is damaged.
        """
        done = self._restore(resume)
        if self._recorder:
            self._recorder.forget_after(done)
        first = self._placement.processes.is_first
        writer = MetricWriter(self._folder, resumed_step=done) if first else None
        if writer:
            writer.show_text("config", json.dumps(plain(self.config, other=str), indent=2))
        metrics: dict[str, float] = {}
        for iteration in range(done + 1, self.config.iterations + 1):
            metrics = self.iterate(iteration)
            warnings = self._watch.watch(metrics)
            metrics["learning_trap"] = float(len(warnings))
            warnings += self._check.warnings(metrics) if self._check else []
            if evaluate and _is_due(iteration, self.config.evaluate_every):
                metrics |= self._evaluated(evaluate, iteration)
            if writer:
                writer.write(iteration, metrics)
                self._show_rollouts(writer, iteration)
            last = iteration == self.config.iterations
            if last or _is_due(iteration, self.config.checkpoint_every):
                self._save(iteration, self.checkpoints)
            if on_iteration:
                on_iteration(iteration, metrics, warnings)
        if writer:
            writer.close()
        return metrics

    def _show_rollouts(self, writer: MetricWriter, iteration: int) -> None:
        """Shows some recorded rollouts of an iteration as pictures."""
        drawn = self._recorder.pictures(iteration, SHOWN_ROLLOUTS) if self._recorder else []
        for number, picture in enumerate(drawn, 1):
            writer.show_picture(iteration, f"rollouts/{number}", picture)

    def iterate(self, iteration: int) -> dict[str, float]:
        """Does one iteration, numbered from 1, and returns its metrics."""
        started = time.perf_counter()
        self._placement.assemble()
        self._speaker.update_weights()
        groups = self._groups.run(iteration)
        self._speaker.rest()
        collected = time.perf_counter()
        gaps: dict[str, float] = {}
        if self._check:
            rollouts, gaps = self._check(groups.rollouts)
            groups = replace(groups, rollouts=rollouts)
        rollouts, fresh = groups.rollouts, groups.experiences()
        replayed = self._draw(fresh, iteration)
        batch = [each for each in fresh if self._is_trained(each)] + replayed
        report = self._update(batch, iteration)
        self.replay.add(fresh)
        give_back_free_memory()
        updated = time.perf_counter()
        n_sampled = sum(each.n_trainable for each in rollouts)
        return (
            rollout_metrics(rollouts)
            | group_metrics(groups)
            | report.metrics()
            | gaps
            | {
                "replay/share": len(replayed) / len(batch) if batch else math.nan,
                "replay/held": float(len(self.replay)),
                "update/rollouts": float(len(batch)),
                "seconds/generate": collected - started,
                "seconds/update": updated - collected,
                "tokens/per_second": n_sampled / (collected - started),
            }
        )

    def _draw(self, fresh: list[Experience], iteration: int) -> list[Experience]:
        """Draws earlier rollouts in the place of those that teach nothing."""
        missing = self.config.n_rollouts - sum(each.teaches for each in fresh)
        most = round(self.config.replay_fraction * self.config.n_rollouts)
        return self.replay.draw(min(missing, most), iteration)

    def _is_trained(self, each: Experience) -> bool:
        """Whether a rollout enters the loss: an advantage of 0 counts only for KL and entropy."""
        if self.config.loss.kl_coefficient > 0 or self.config.loss.entropy_coefficient > 0:
            return each.trajectory.n_trainable > 0
        return each.teaches

    def _evaluated(self, evaluate: Evaluate, iteration: int) -> dict[str, float]:
        """Evaluates, and keeps the policy where it is the best so far."""
        self._placement.assemble()
        numbers = self._placement.processes.run_in_first(lambda: dict(evaluate(iteration)))
        if self.config.best_by not in numbers:
            raise unknown_name("best_by", self.config.best_by, tuple(numbers))
        value = numbers[self.config.best_by]
        if self._best is None or value > self._best:
            self._best = value
            self._save(iteration, self.checkpoints.best)
        return {f"evaluation/{name}": number for name, number in numbers.items()}

    def _save(self, iteration: int, checkpoints: Checkpointer) -> None:
        checkpoints.save(
            iteration,
            self._training,
            state={
                "replay": self.replay.state(),
                "watch": self._watch.state(),
                "best": self._best,
                "curiosity": self._curiosity.state() if self._curiosity else {},
            },
            trajectories={"replay": self.replay.trajectories()},
        )

    def _restore(self, resume: bool) -> int:
        """Takes everything back from the newest checkpoint; returns its iteration, 0 for none."""
        if not resume:
            if found := self.checkpoints.latest():
                raise ConfigError(f"{found} is there: resume it, or take another folder")
            return 0
        progress = self.checkpoints.load(self._training, MAY_DIFFER)
        if progress is None:
            return 0
        if progress.step > self.config.iterations:
            raise ConfigError(
                f"expected iterations of at least {progress.step}, which were done; got "
                f"{self.config.iterations}"
            )
        self.replay.restore(progress.trajectories["replay"], progress.state["replay"])
        self._watch.restore(progress.state["watch"])
        self._best = progress.state["best"]
        if self._curiosity:
            self._curiosity.restore(progress.state["curiosity"])
        return progress.step


def _recorder(
    lanes: TrainingLanes, encoder: Encoder, config: OnPolicyConfig, folder: Path, rank: int
) -> LaneRecorder:
    """Wraps the lanes so that some rollouts are recorded, each process's in folders of its own."""
    suffix = f"-process-{rank}" if rank else ""
    return LaneRecorder(
        lanes.env,
        folder / "rollouts",
        config.record_iterations,
        suffix,
        tokenizer=encoder.tokenizer,
        group_size=config.group_size,
    )


def _is_due(iteration: int, every: int) -> bool:
    return every > 0 and iteration % every == 0
