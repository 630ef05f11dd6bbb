"""The exact curiosity bonus on groups of lanes that run the same sample."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import VectorWrapper
from numpy.typing import NDArray

from ..errors import ConfigError, unknown_name
from ..types import Info
from ..vector import check_waits
from .bonus import CuriosityConfig
from .group_rewards import group_rewards
from .one_env import COUNTS

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(slots=True)
class _Rollouts:
    """What the bonus needs to know of each lane's rollout; arrays of (n_lanes,)."""

    ended: Mask
    faulty: Mask
    used: Mask
    n_calls: NDArray[np.int64]
    video: Mask
    sample_ids: list[str | None]

    @classmethod
    def unstarted(cls, n_lanes: int) -> _Rollouts:
        """Returns lanes that have not run: as if they had ended, so that they can be reset."""
        return cls(
            ended=np.ones(n_lanes, dtype=bool),
            faulty=np.zeros(n_lanes, dtype=bool),
            used=np.zeros(n_lanes, dtype=bool),
            n_calls=np.zeros(n_lanes, dtype=np.int64),
            video=np.zeros(n_lanes, dtype=bool),
            sample_ids=[None] * n_lanes,
        )


class GroupCuriosity(VectorWrapper):
    """Pays `curiosity_bonus` with the rate of the rollout's own group, as the paper does.

    Lanes 0 to G - 1 are a group, G to 2G - 1 the next, and so on. The lanes of a group are reset
    together, to the same sample. Every lane is paid in the step in which the last episode of its
    group ends; a lane whose episode ended earlier gets its bonus and its penalty in that step too.

    In that step `infos` has, for each lane of the group, `curiosity_bonus`, `operation_penalty`
    and `rapr` (rollouts with a call / rollouts of the group). `infos["reward_terms"]` has
    `curiosity` and `operations` in every step, and its terms sum to the reward of the step.

    A rollout that ended with `env_error` is not the policy's doing: it is left out of the
    rate, of both its sums, and is paid nothing.

    >>> from pixel_env import answer, zoom_in
    >>> from pixel_env.vector import PixelReasoningVectorEnv
    >>> lanes = PixelReasoningVectorEnv.from_id(
    ...     "PixelReason-SyntheticSearch-v0", num_envs=4, autoreset_mode="Disabled"
    ... )
    >>> envs = GroupCuriosity(lanes, group_size=4)
    >>> observations, infos = envs.reset(options={"index": [7, 7, 7, 7]})
    >>> _ = envs.step([answer(""), answer(""), answer(""), zoom_in([0, 0, 0.5, 0.5])])
    >>> *_, infos = envs.step([None, None, None, answer("")])
    >>> infos["rapr"].tolist(), infos["curiosity_bonus"].round(3).tolist()
    ([0.25, 0.25, 0.25, 0.25], [0.0, 0.0, 0.0, 0.025])
    """

    def __init__(
        self,
        env: gym.vector.VectorEnv[Any, Any, Any],
        group_size: int = 8,
        preset: str = "paper",
        counts: str = "calls",
        **overrides: float | None,
    ) -> None:
        """Wraps a vector environment that doesn't reset itself.

        Args:
            env: a `PixelReasoningVectorEnv`, or one with the same infos.
            group_size: lanes in a group, at least 1; divides the number of lanes.
            preset: "paper" or "released", see `curiosity_bonus`.
            counts: what makes a rollout count in RaPR: "executed" operations, any "calls",
                "evidence" in view (then each lane is an `EvidenceSeen`), or a "belief" that rose
                (then `env` is a `BeliefGain`). The penalty always counts every call.
            **overrides: settings of `CuriosityConfig` other than the preset's.

        Raises:
            ConfigError: groups don't fit the lanes, the environment resets itself, or a setting
                is unknown or out of range.
        """
        super().__init__(env)
        if group_size < 1 or self.num_envs % group_size:
            raise ConfigError(
                f"expected group_size to divide the {self.num_envs} lanes, got {group_size}"
            )
        check_waits(env)
        if counts not in COUNTS:
            raise unknown_name("counts", counts, COUNTS)
        self.group_size = group_size
        self.config = CuriosityConfig.of(preset, **overrides)
        self._used_key = COUNTS[counts]
        self._rollouts = _Rollouts.unstarted(self.num_envs)

    def reset(
        self,
        *,
        seed: int | list[int | None] | None = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[Any, Info]:
        """Starts episodes in whole groups, the lanes of a group on one sample.

        Args:
            seed: as the vector environment takes it.
            options: as the vector environment takes them; `reset_mask` must hold whole groups.

        Raises:
            ConfigError: part of a group would be reset, or its lanes got different samples.
        """
        mask = np.ones(self.num_envs, dtype=bool)
        if options is not None and "reset_mask" in options:
            mask = np.asarray(options["reset_mask"], dtype=bool)
        groups = mask.reshape(-1, self.group_size)
        if np.any(groups.any(axis=1) & ~groups.all(axis=1)):
            raise ConfigError("expected reset_mask to hold whole groups, got a part of one")
        observations, infos = self.env.reset(
            seed=seed,  # type: ignore[arg-type]  # one for each lane, as the vectors take it
            options=options,
        )
        rollouts = self._rollouts
        rollouts.ended[mask] = False
        rollouts.video[mask] = np.asarray(observations["n_frames"])[mask] > 0
        for lane in np.flatnonzero(mask):
            rollouts.sample_ids[lane] = infos["sample_id"][lane]
        self._check_samples()
        return observations, infos

    def step(self, actions: Any) -> tuple[Any, Floats, Mask, Mask, Info]:
        """Takes one action for each lane; see `PixelReasoningVectorEnv.step`."""
        observations, rewards, terminated, truncated, infos = self.env.step(actions)
        ended = np.asarray(terminated) | np.asarray(truncated)
        was_complete = self._complete()
        self._note(ended & ~self._rollouts.ended, infos)
        due = self._complete() & ~was_complete
        bonus, penalty, rates = self._pay(due)
        infos = infos | _entry("curiosity_bonus", bonus, due)
        infos |= _entry("operation_penalty", penalty, due) | _entry("rapr", rates, due)
        every = np.ones(self.num_envs, dtype=bool)
        infos["reward_terms"] = (
            infos.get("reward_terms", {})
            | _entry("curiosity", bonus, every)
            | _entry("operations", penalty, every)
        )
        infos["_reward_terms"] = every.copy()
        return observations, rewards + bonus + penalty, terminated, truncated, infos

    def state(self) -> dict[str, Any]:
        """Returns what a checkpoint has to keep: nothing here, as each group stands alone."""
        return {}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Goes on from what `state` gave."""

    def _note(self, lanes: Mask, infos: Info) -> None:
        """Keeps what the infos hold of the rollouts that just ended."""
        rollouts = self._rollouts
        for lane in np.flatnonzero(lanes):
            rollouts.ended[lane] = True
            rollouts.faulty[lane] = bool(_value(infos, "env_error", int(lane)))
            rollouts.used[lane] = infos[self._used_key][lane] > 0
            rollouts.n_calls[lane] = infos["n_calls"][lane]

    def _complete(self) -> Mask:
        """Returns for each lane whether all rollouts of its group have ended."""
        groups = self._rollouts.ended.reshape(-1, self.group_size).all(axis=1)
        return np.repeat(groups, self.group_size)

    def _pay(self, due: Mask) -> tuple[Floats, Floats, Floats]:
        """Returns (bonus, penalty, rate), each (n_lanes,), 0 where nothing is due."""
        rollouts, groups = self._rollouts, (-1, self.group_size)
        thresholds = self._thresholds(due)
        paid = group_rewards(
            np.zeros(self.num_envs).reshape(groups),
            rollouts.n_calls.reshape(groups),
            rollouts.used.reshape(groups),
            rollouts.faulty.reshape(groups),
            rollouts.video.reshape(groups),
            None if thresholds is None else thresholds.reshape(groups),
            self.config,
        )
        bonus, penalty, rates = (
            np.where(due, values.reshape(-1), 0.0)
            for values in (paid.bonus, paid.penalty, paid.rapr)
        )
        return bonus, penalty, rates

    def _thresholds(self, due: Mask) -> Floats | None:
        """Returns each lane's threshold, (n_lanes,); None for the config's. Called once a step.

        Args:
            due: lanes whose group has just ended.
        """
        return None

    def _check_samples(self) -> None:
        """Checks that every group runs one sample."""
        for start in range(0, self.num_envs, self.group_size):
            names = set(self._rollouts.sample_ids[start : start + self.group_size])
            if len(names) > 1:
                raise ConfigError(
                    f"expected lanes {start} to {start + self.group_size - 1} to be reset to one "
                    f"sample, got {', '.join(sorted(map(str, names)))}"
                )


def _value(infos: Info, key: str, lane: int) -> Any:
    """Returns a lane's value, or None where the lane or all lanes have none."""
    if key not in infos or not infos.get(f"_{key}", np.ones(lane + 1, dtype=bool))[lane]:
        return None
    return infos[key][lane]


def _entry(key: str, values: Floats, lanes: Mask) -> Info:
    """Returns an entry of vector infos: the values, and for which lanes they hold."""
    return {key: values, f"_{key}": lanes}
