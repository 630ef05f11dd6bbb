"""The groups of one iteration: which samples they run, in which lanes, and what they are worth.

Groups whose rewards are all equal teach nothing. They are counted, and other groups run in their
place, up to a bound.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pixel_env.shuffle import shuffled_index

from ..generation.collection import collect
from ..generation.speaker import Speaker
from ..tokens.facts import Rollout, RolloutFacts
from ..tokens.trajectory import TokenTrajectory
from ..training.processes import ONE_PROCESS, Processes
from .advantages import group_advantages
from .config import OnPolicyConfig
from .lanes import TrainingLanes
from .recorder import LaneRecorder
from .replay_buffer import Experience


@dataclass(frozen=True, slots=True, eq=False)
class JudgedGroups:
    """Rollouts of whole groups, with what they are worth.

    Attributes:
        rollouts: group by group, in the order in which the groups are numbered; of those that
            other processes ran, the facts.
        advantages: (n_groups, group_size) float64.
        counted: (n_groups, group_size) bool, False for masked rollouts.
        n_refilled: how many of the groups, the last ones, ran in the place of equal ones.
    """

    rollouts: list[Rollout]
    advantages: NDArray[np.float64]
    counted: NDArray[np.bool_]
    n_refilled: int

    @property
    def n_equal(self) -> int:
        """How many groups teach nothing, for their counted rewards are all equal."""
        return int((self.advantages == 0).all(axis=1).sum())

    def values(self) -> list[float | None]:
        """Returns the advantage of each rollout, None for those that are masked."""
        pairs = zip(self.rollouts, self.advantages.ravel().tolist(), strict=True)
        return [None if each.masked else float(advantage) for each, advantage in pairs]

    def experiences(self) -> list[Experience]:
        """Returns the rollouts that aren't masked, with their advantages."""
        pairs = zip(self.rollouts, self.values(), strict=True)
        return [Experience(each, advantage) for each, advantage in pairs if advantage is not None]


class GroupRollouts:
    """Runs an iteration's groups.

    Which samples run, and what is sampled, are functions of the seed, the iteration and a group's
    number. How many lanes and processes there are changes neither. A group runs in one process, so
    that its curiosity is exact.
    """

    def __init__(
        self,
        speaker: Speaker,
        lanes: TrainingLanes,
        config: OnPolicyConfig,
        recorder: LaneRecorder | None = None,
        processes: Processes = ONE_PROCESS,
    ) -> None:
        """Takes the parts.

        Args:
            speaker: samples the messages.
            lanes: what they are sent to.
            config: the settings.
            recorder: around the lanes' environment; records the rollouts that are due.
            processes: those that share the groups.
        """
        self._speaker = speaker
        self._lanes = lanes
        self._env = recorder or lanes.env
        self._recorder = recorder
        self._config = config
        self._processes = processes
        self._has_run = False
        self._refill_key = int(np.random.SeedSequence([config.seed, 1]).generate_state(1)[0])

    def run(self, iteration: int) -> JudgedGroups:
        """Runs the groups of an iteration, numbered from 1, and those in place of equal ones."""
        config = self._config
        rollouts: list[Rollout] = []
        n_groups, missing = 0, config.groups_per_iteration
        for refill in range(config.refill_rounds + 1):
            rollouts += self._run(iteration, n_groups, self._samples(iteration, refill, missing))
            n_groups += missing
            judged = self._judged(rollouts)
            missing = judged.n_equal - (n_groups - config.groups_per_iteration)
            if missing <= 0:
                break
        if self._recorder:
            self._recorder.write(judged.values())
        return judged

    def _samples(self, iteration: int, refill: int, n_groups: int) -> list[int]:
        """Returns the groups' samples: the next of the split, or of an order for refills."""
        config, n_samples = self._config, self._lanes.n_samples
        place, key = (iteration - 1) * config.groups_per_iteration, config.seed
        if refill:
            rounds = (iteration - 1) * config.refill_rounds + refill - 1
            place, key = rounds * config.groups_per_iteration, self._refill_key
        return [shuffled_index(place + group, n_samples, key) for group in range(n_groups)]

    def _run(self, iteration: int, first_group: int, samples: Sequence[int]) -> list[Rollout]:
        """Runs one group on each sample, this process's share of them, in waves."""
        at_once = self._env.num_envs // self._config.group_size
        processes = self._processes
        mine = processes.share(len(samples))
        here: list[TokenTrajectory] = []
        for start in range(mine.start, mine.stop, at_once):
            wave = samples[start : min(start + at_once, mine.stop)]
            here += self._wave(iteration, first_group + start, wave)
        everyones: list[Sequence[Rollout]] = [here]
        if processes.count > 1:
            everyones = [*processes.gather([RolloutFacts.of(each) for each in here])]
            everyones[processes.rank] = here
        return [each for part in everyones for each in part]

    def _wave(
        self, iteration: int, first_group: int, samples: Sequence[int]
    ) -> list[TokenTrajectory]:
        """Runs as many groups as fit the lanes; those left over wait."""
        size = self._config.group_size
        seeds = np.random.SeedSequence([self._config.seed, iteration, 0]).generate_state(2)
        sampling_seed, reset_seed = (int(seed) for seed in seeds)
        groups = np.repeat(np.arange(len(samples)), size)
        first_lane = first_group * size
        idle = self._env.num_envs - len(groups)
        lanes = [*groups, *[len(samples) - 1] * idle]
        options: dict[str, Any] = {"index": [samples[group] for group in lanes]}
        if idle and self._has_run:  # those left over wait; in a first wave they see the last sample
            options["reset_mask"] = np.arange(len(lanes)) < len(groups)
        self._has_run = True
        if self._recorder:
            every = self._config.record_every
            due = range(-self._place(iteration, first_lane) % every, len(groups), every)
            self._recorder.begin(iteration, {lane: first_lane + lane for lane in due})
        if self._lanes.listener:
            self._lanes.listener(self._speaker)
        wave = collect(
            self._speaker,
            self._env,
            seed=[[sampling_seed, first_lane + lane] for lane in range(len(groups))],
            group_size=size,
            env_seed=[reset_seed + first_group + int(group) for group in lanes],
            options=options,
        )
        if self._recorder:
            self._recorder.finish(wave)
        return [replace(each, group=first_group + each.group) for each in wave]

    def _place(self, iteration: int, lane: int) -> int:
        """Returns the number of a rollout among all of the training, were every refill run."""
        config = self._config
        return (iteration - 1) * config.n_rollouts * (config.refill_rounds + 1) + lane

    def _judged(self, rollouts: list[Rollout]) -> JudgedGroups:
        """Gives every rollout its advantage."""
        shape = (-1, self._config.group_size)
        rewards = np.array([each.reward for each in rollouts]).reshape(shape)
        counted = np.array([not each.masked for each in rollouts]).reshape(shape)
        advantages = group_advantages(rewards, counted, self._config.advantage)
        n_refilled = len(rewards) - self._config.groups_per_iteration
        return JudgedGroups(rollouts, advantages, counted, n_refilled)
