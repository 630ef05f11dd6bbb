"""The group's bonus with a threshold of its own for each sample, learnt from earlier rollouts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gymnasium as gym
import numpy as np

from ..errors import ConfigError, unknown_name
from ..types import Info
from .groups import Floats, GroupCuriosity, Mask

PER = ("sample", "category")
"""What a history is kept for."""


class AdaptiveCuriosity(GroupCuriosity):
    """Asks for fewer calls where earlier rollouts were right without one.

    The paper's threshold H is the same for every sample, so a policy is paid for calls on what it
    reads without. Here the threshold of a sample x is

        H(x) = H * (1 - right(x) / (n(x) + 1))

    where, of the rollouts of x that ended before this group without a call, n(x) is how many there
    were and right(x) how many of them were correct. Without a history it is H; it comes near 0
    where answering at once is always right. Only what happened before counts, so a group's own
    answers don't set what it is paid.

    Everything else is as in `GroupCuriosity`; `infos` gains `threshold` where a bonus is due.

    >>> from pixel_env import answer
    >>> from pixel_env.vector import PixelReasoningVectorEnv
    >>> lanes = PixelReasoningVectorEnv.from_id(
    ...     "PixelReason-SyntheticSearch-v0", num_envs=3, autoreset_mode="Disabled"
    ... )
    >>> envs, seen = AdaptiveCuriosity(lanes, group_size=3), []
    >>> for _ in range(2):
    ...     _ = envs.reset(options={"index": [7, 7, 7]})
    ...     right = lanes.envs[0].unwrapped.sample.answers[0]
    ...     *_, infos = envs.step([answer(right)] * 3)
    ...     seen.append(infos["threshold"].round(3).tolist())
    >>> seen
    [[0.3, 0.3, 0.3], [0.075, 0.075, 0.075]]
    """

    def __init__(
        self,
        env: gym.vector.VectorEnv[Any, Any, Any],
        group_size: int = 8,
        preset: str = "paper",
        counts: str = "calls",
        per: str = "sample",
        **overrides: float | None,
    ) -> None:
        """Wraps a vector environment; see `GroupCuriosity` for the other arguments.

        Args:
            env: the lanes.
            group_size: lanes in a group.
            preset: "paper" or "released".
            counts: what makes a rollout count in RaPR.
            per: what a history is kept for: each "sample", or, where samples hardly ever come
                again, each "category".
            **overrides: settings of `CuriosityConfig`; `threshold` is H.

        Raises:
            ConfigError: as `GroupCuriosity`, or `per` is unknown.
        """
        super().__init__(env, group_size, preset, counts, **overrides)
        if per not in PER:
            raise unknown_name("per", per, PER)
        self._key = "sample_id" if per == "sample" else "category"
        self._keys = [""] * self.num_envs
        self._correct = np.zeros(self.num_envs, dtype=bool)
        self._history: dict[str, tuple[int, int]] = {}
        self._paid_thresholds: Floats = np.full(self.num_envs, self.config.threshold)

    def reset(
        self,
        *,
        seed: int | list[int | None] | None = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[Any, Info]:
        """Starts episodes; see `GroupCuriosity.reset`."""
        observations, infos = super().reset(seed=seed, options=options)
        for lane in np.flatnonzero(infos[f"_{self._key}"]):
            self._keys[lane] = str(infos[self._key][lane])
        return observations, infos

    def step(self, actions: Any) -> tuple[Any, Floats, Mask, Mask, Info]:
        """Takes one action for each lane; see `GroupCuriosity.step`."""
        observations, rewards, terminated, truncated, infos = super().step(actions)
        due = infos["_rapr"]
        infos |= {"threshold": np.where(due, self._paid_thresholds, 0.0), "_threshold": due}
        return observations, rewards, terminated, truncated, infos

    def state(self) -> dict[str, Any]:
        """Returns the history for a checkpoint: for each key, [rollouts without a call, right]."""
        return {key: list(counts) for key, counts in self._history.items()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Takes back what `state` gave.

        Raises:
            ConfigError: it is no such history.
        """
        history = {}
        for key, counts in state.items():
            if len(counts) != 2 or not 0 <= int(counts[1]) <= int(counts[0]):
                raise ConfigError(f"expected [rollouts, right] for {key!r}, got {counts!r}")
            history[key] = (int(counts[0]), int(counts[1]))
        self._history = history

    def _note(self, lanes: Mask, infos: Info) -> None:
        """Keeps also whether the rollouts that just ended were correct."""
        super()._note(lanes, infos)
        grades = infos.get("grade", {})
        correct = np.asarray(grades.get("correct", np.zeros(self.num_envs)), dtype=bool)
        self._correct[lanes] = correct[lanes]

    def _thresholds(self, due: Mask) -> Floats:
        """Returns the thresholds from before, then adds the groups that are due to the history."""
        wanted = np.full(self.num_envs, self.config.threshold)
        for lane in np.flatnonzero(due):
            n, right = self._history.get(self._keys[lane], (0, 0))
            wanted[lane] *= 1 - right / (n + 1)
        for lane in np.flatnonzero(due & ~self._rollouts.used & ~self._rollouts.faulty):
            n, right = self._history.get(self._keys[lane], (0, 0))
            self._history[self._keys[lane]] = (n + 1, right + int(self._correct[lane]))
        self._paid_thresholds = wanted
        return wanted
