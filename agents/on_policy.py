"""On-policy training: collect, compare within groups, replay, update, log, save.

Group-relative policy gradient with selective sample replay, as in Pixel Reasoner (arXiv
2505.15966). The reward is what the environment pays: the curiosity bonus comes from the
`GroupCuriosity` wrapper around it and from nowhere else.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from gymnasium.vector import VectorEnv

from pixel_env.errors import ConfigError
from pixel_env.shuffle import shuffled_index
from pixel_env.wrappers import GroupCuriosity

from .advantages import group_advantages
from .checkpoint import Checkpointer, Training
from .collection import collect
from .conversation import Encoder
from .engine import Engine
from .metrics import CollapseWatch, MetricWriter
from .on_policy_config import MAY_DIFFER, OnPolicyConfig
from .policy_update import PolicyUpdate
from .replay import Experience, ReplayBuffer
from .rollout import TokenTrajectory
from .rollout_metrics import advantage_metrics, rollout_metrics

Evaluate = Callable[[int], Mapping[str, float]]
"""Takes the iteration, evaluates the policy as it is, and returns numbers to log."""

Watcher = Callable[[int, Mapping[str, float], list[str]], None]
"""Told after each iteration: its number, its metrics, and the warnings it gave."""


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
        env: VectorEnv[Any, Any, Any],
        config: OnPolicyConfig,
        n_samples: int,
        folder: str | os.PathLike[str],
    ) -> None:
        """Takes the parts; with a KL term, the model as it is now is the reference.

        Args:
            model: a Qwen2.5-VL or Qwen3-VL model, bare or wrapped by peft.
            encoder: turns observations into tokens, in the model's format.
            env: takes messages; its lanes hold whole groups, and an iteration's rollouts fill
                them a whole number of times. `reset` takes the option "index", one a lane.
            config: the settings.
            n_samples: how many samples the task's split has.
            folder: gets metrics, TensorBoard's files and checkpoints.

        Raises:
            ConfigError: groups don't fit the lanes, or the environment pays other groups.
        """
        _check_lanes(env, config)
        self.config = config
        self.model = model
        self.replay = ReplayBuffer(config.replay_capacity, config.replay_power, config.seed)
        self.checkpoints = Checkpointer(Path(folder) / "checkpoints", config.keep_checkpoints)
        self._folder = folder
        self._env = env
        self._paying = _paying(env)
        self._n_samples = n_samples
        self._engine = Engine(model, encoder, config.generation())
        self._update = PolicyUpdate(model, encoder, config)
        self._watch = CollapseWatch(patience=config.collapse_patience)
        self._training = Training(model, self._update.optimizer, config)

    def train(
        self,
        resume: bool = False,
        evaluate: Evaluate | None = None,
        on_iteration: Watcher | None = None,
    ) -> dict[str, float]:
        """Trains to the last iteration; returns its metrics, {} where it was done already.

        Args:
            resume: go on from the newest checkpoint, if there is one.
            evaluate: called every `evaluate_every` iterations; its numbers are logged as
                "evaluation/...".
            on_iteration: called after each iteration, for a progress bar.

        Raises:
            ConfigError: the checkpoint is of another configuration or model, or there is one and
                `resume` is False.
            DataError: every checkpoint is damaged.
        """
        done = self._restore(resume)
        writer = MetricWriter(self._folder, resumed_step=done)
        metrics: dict[str, float] = {}
        for iteration in range(done + 1, self.config.iterations + 1):
            metrics = self.iterate(iteration)
            warnings = self._watch.watch(metrics)
            metrics["learning_trap"] = float(len(warnings))
            if evaluate and _is_due(iteration, self.config.evaluate_every):
                metrics |= {f"evaluation/{k}": v for k, v in evaluate(iteration).items()}
            writer.write(iteration, metrics)
            last = iteration == self.config.iterations
            if last or _is_due(iteration, self.config.checkpoint_every):
                self._save(iteration)
            if on_iteration:
                on_iteration(iteration, metrics, warnings)
        writer.close()
        return metrics

    def iterate(self, iteration: int) -> dict[str, float]:
        """Does one iteration, numbered from 1, and returns its metrics."""
        started = time.perf_counter()
        rollouts = self._collect(iteration)
        collected = time.perf_counter()
        fresh, metrics = self._judge(rollouts)
        replayed = self._draw(fresh, iteration)
        batch = [each for each in fresh if self._is_trained(each)] + replayed
        report = self._update(batch, iteration)
        self.replay.add(fresh)
        updated = time.perf_counter()
        n_said = sum(each.n_trainable for each in rollouts)
        return (
            rollout_metrics(rollouts)
            | metrics
            | report.metrics()
            | {
                "replay/share": len(replayed) / len(batch) if batch else math.nan,
                "replay/held": float(len(self.replay)),
                "update/rollouts": float(len(batch)),
                "seconds/generate": collected - started,
                "seconds/update": updated - collected,
                "tokens/per_second": n_said / (collected - started),
            }
        )

    def _collect(self, iteration: int) -> list[TokenTrajectory]:
        """Runs the iteration's groups, in as many waves as the lanes need."""
        size, n_groups = self.config.group_size, self.config.groups_per_iteration
        n_lanes = self._env.num_envs
        first = (iteration - 1) * n_groups
        indices = [
            shuffled_index(first + group, self._n_samples, self.config.seed)
            for group in range(n_groups)
            for _ in range(size)
        ]
        rollouts: list[TokenTrajectory] = []
        for start in range(0, len(indices), n_lanes):
            seeds = np.random.SeedSequence([self.config.seed, iteration, start])
            sampling, resetting = (int(word) for word in seeds.generate_state(2))
            wave = collect(
                self._engine,
                self._env,
                seed=sampling,
                group_size=size,
                env_seed=[resetting + lane // size for lane in range(n_lanes)],
                options={"index": indices[start : start + n_lanes]},
            )
            rollouts += [replace(each, group=start // size + each.group) for each in wave]
        return rollouts

    def _judge(self, rollouts: list[TokenTrajectory]) -> tuple[list[Experience], dict[str, float]]:
        """Gives every rollout its advantage; returns those that aren't masked, and metrics."""
        shape = (-1, self.config.group_size)
        rewards = np.array([each.reward for each in rollouts]).reshape(shape)
        counted = np.array([not each.masked for each in rollouts]).reshape(shape)
        advantages = group_advantages(rewards, counted, self.config.advantage)
        pairs = zip(rollouts, advantages.ravel().tolist(), strict=True)
        judged = [Experience(each, advantage) for each, advantage in pairs if not each.masked]
        return judged, advantage_metrics(advantages, counted)

    def _draw(self, fresh: list[Experience], iteration: int) -> list[Experience]:
        """Draws earlier rollouts in the place of those that teach nothing."""
        missing = self.config.n_rollouts - sum(each.teaches for each in fresh)
        most = round(self.config.replay_fraction * self.config.n_rollouts)
        return self.replay.draw(min(missing, most), iteration)

    def _is_trained(self, each: Experience) -> bool:
        """Whether a rollout enters the loss: an advantage of 0 counts only for KL and entropy."""
        if self.config.kl_coefficient > 0 or self.config.entropy_coefficient > 0:
            return each.trajectory.n_trainable > 0
        return each.teaches

    def _save(self, iteration: int) -> None:
        self.checkpoints.save(
            iteration,
            self._training,
            state={
                "replay": self.replay.state(),
                "watch": self._watch.state(),
                "curiosity": self._paying.state() if self._paying else {},
            },
            trajectories={"replay": self.replay.trajectories},
        )

    def _restore(self, resume: bool) -> int:
        """Takes everything back from the newest checkpoint; returns its iteration, 0 for none."""
        if not resume:
            if held := self.checkpoints.latest():
                raise ConfigError(f"{held} is there: resume it, or take another folder")
            return 0
        progress = self.checkpoints.load(self._training, MAY_DIFFER)
        if progress is None:
            return 0
        self.replay.restore(progress.trajectories["replay"], progress.state["replay"])
        self._watch.restore(progress.state["watch"])
        if self._paying:
            self._paying.restore(progress.state["curiosity"])
        return progress.step


def _is_due(iteration: int, every: int) -> bool:
    return every > 0 and iteration % every == 0


def _check_lanes(env: VectorEnv[Any, Any, Any], config: OnPolicyConfig) -> None:
    """Checks that groups fill lanes, and lanes an iteration, a whole number of times."""
    if env.num_envs % config.group_size or config.n_rollouts % env.num_envs:
        raise ConfigError(
            f"expected a number of lanes that is a multiple of group_size {config.group_size} and "
            f"divides the {config.n_rollouts} rollouts of an iteration, got {env.num_envs}"
        )
    paid = _paying(env)
    if paid is not None and paid.group_size != config.group_size:
        raise ConfigError(
            f"expected the environment to pay groups of {config.group_size}, as the trainer "
            f"compares them; it pays groups of {paid.group_size}"
        )


def _paying(env: Any) -> GroupCuriosity | None:
    """Returns the curiosity wrapper around or inside an environment, if there is one."""
    while env is not None and not isinstance(env, GroupCuriosity):
        env = getattr(env, "env", None)
    return env
