"""The curiosity bonus on one environment, from the rate of the rollouts that came before."""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from typing import Any

import gymnasium as gym
from gymnasium.utils import RecordConstructorArgs

from ..errors import ConfigError, unknown_name
from ..types import Action, Info, Observation
from .bonus import CuriosityConfig

COUNTS = {
    "executed": "n_operations",
    "calls": "n_calls",
    "evidence": "evidence_seen",
    "belief": "belief_raised",
}
"""What makes a rollout count in RaPR, and the info that counts it: operations that were executed,
any calls, operations that showed the evidence (from `EvidenceSeen`), or operations that raised the
policy's belief in the right answer (from `BeliefGain`, of lanes)."""


class RateTracker:
    """The RaPR of the last rollouts of each sample.

    Several environments of one process, and their threads, may share a tracker. It can be pickled,
    into a checkpoint for instance.

    >>> tracker = RateTracker(window=4)
    >>> [tracker.update("sample", used) for used in (True, False, False, False, False)]
    [1.0, 0.5, 0.3333333333333333, 0.25, 0.0]
    """

    def __init__(self, window: int = 8, max_samples: int = 100_000) -> None:
        """Makes an empty tracker.

        Args:
            window: how many rollouts of a sample count, at least 1; the paper's group size is 8.
            max_samples: how many samples are remembered; the one unseen for longest goes first.

        Raises:
            ConfigError: a number is under 1.
        """
        if window < 1 or max_samples < 1:
            raise ConfigError(
                f"expected window and max_samples of at least 1, got {window} and {max_samples}"
            )
        self.window = window
        self.max_samples = max_samples
        self._rollouts: OrderedDict[str, deque[bool]] = OrderedDict()
        self._lock = threading.Lock()

    def update(self, sample_id: str, used: bool) -> float:
        """Adds a rollout and returns the rate that includes it.

        Returns:
            Those that count of the last n rollouts / n, n = min(`window`, rollouts so far).
        """
        with self._lock:
            rollouts = self._rollouts.setdefault(sample_id, deque(maxlen=self.window))
            self._rollouts.move_to_end(sample_id)
            rollouts.append(bool(used))
            if len(self._rollouts) > self.max_samples:
                self._rollouts.popitem(last=False)
            return sum(rollouts) / len(rollouts)

    def __len__(self) -> int:
        """Returns how many samples are remembered."""
        return len(self._rollouts)

    def __getstate__(self) -> dict[str, Any]:
        with self._lock:
            rollouts = {sample_id: list(used) for sample_id, used in self._rollouts.items()}
        return {"window": self.window, "max_samples": self.max_samples, "rollouts": rollouts}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(state["window"], state["max_samples"])  # type: ignore[misc]
        for sample_id, used in state["rollouts"].items():
            self._rollouts[sample_id] = deque(used, maxlen=self.window)


class CuriosityReward(
    gym.Wrapper[Observation, Action, Observation, Action],
    RecordConstructorArgs,
):
    """Pays `curiosity_bonus` when an episode ends.

    The rate is that of the last `window` rollouts of the same sample, the one that just ended
    included: rate = those with a call / min(window, rollouts so far). The first rollout of a sample
    therefore meets a rate of 0 or 1 and earns nothing for a call; the bonus comes once several
    have passed without. With as many rollouts as the window the rate is that of the paper's
    group, except that it slides. Where samples hardly ever repeat, take `per="all"` and a longer
    window: then all samples share one rate.

    `info["reward_terms"]` gains `curiosity` (>= 0) and `operations` (<= 0), which with the others
    sum to the reward; both are 0 until the end. At the end `info` gains `curiosity_bonus`,
    `operation_penalty` and `rapr` (the rate). An episode with `env_error` is not the policy's
    doing: it pays nothing and enters no rate.

    >>> import gymnasium as gym, pixel_env
    >>> env = CuriosityReward(gym.make("PixelReason-SyntheticSearch-v0"), threshold=0.75)
    >>> for zooms in (False, True):
    ...     observation, info = env.reset(options={"index": 0})
    ...     if zooms:
    ...         _ = env.step(pixel_env.zoom_in([0, 0, 0.5, 0.5]))
    ...     *_, info = env.step(pixel_env.answer(""))
    >>> info["rapr"], info["reward_terms"]
    (0.5, {'score': 0.0, 'curiosity': 0.125, 'operations': 0.0})
    """

    def __init__(
        self,
        env: gym.Env[Observation, Action],
        tracker: RateTracker | None = None,
        preset: str = "paper",
        counts: str = "calls",
        per: str = "sample",
        **overrides: float | None,
    ) -> None:
        """Wraps an environment.

        Args:
            env: an environment with `PixelReasoningEnv`'s info.
            tracker: rates to share with other environments; None makes a new one.
            preset: "paper" or "released", see `curiosity_bonus`.
            counts: what makes an episode count in RaPR: "executed" operations, any "calls", or
                "evidence" in view (then `env` is an `EvidenceSeen`). Paying for calls that failed
                is how the bonus comes to be farmed with nonsense. The penalty always counts every
                call. "belief" is for lanes: see `GroupCuriosity`.
            per: "sample", or "all" for one rate over all samples.
            **overrides: settings of `CuriosityConfig` other than the preset's.

        Raises:
            ConfigError: an unknown preset, setting or choice, or a value out of range.
        """
        given: dict[str, Any] = {"preset": preset, "counts": counts, "per": per, **overrides}
        RecordConstructorArgs.__init__(self, _disable_deepcopy=True, tracker=tracker, **given)
        super().__init__(env)
        if counts not in COUNTS:
            raise unknown_name("counts", counts, COUNTS)
        if counts == "belief":
            raise ConfigError(
                "expected counts that one environment knows of itself, got 'belief': "
                "BeliefGain asks about lanes, and GroupCuriosity pays them"
            )
        if per not in {"sample", "all"}:
            raise unknown_name("per", per, ("sample", "all"))
        self.tracker = RateTracker() if tracker is None else tracker
        self.config = CuriosityConfig.of(preset, **overrides)
        self._used_key = COUNTS[counts]
        self._is_per_sample = per == "sample"

    def step(self, action: Action) -> tuple[Observation, float, bool, bool, Info]:
        """Takes one action; see `PixelReasoningEnv.step`."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        bonus = penalty = 0.0
        if (terminated or truncated) and not info.get("env_error"):
            bonus, penalty = self._pay(observation, info)
        info["reward_terms"] = info["reward_terms"] | {"curiosity": bonus, "operations": penalty}
        return observation, float(reward) + bonus + penalty, terminated, truncated, info

    def _pay(self, observation: Observation, info: Info) -> tuple[float, float]:
        """Returns (bonus, penalty) of the episode that just ended, and notes them in `info`."""
        used = info[self._used_key] > 0
        rate = self.tracker.update(info["sample_id"] if self._is_per_sample else "", used)
        # A flat observation has no such field; `FlatPixelEnv` puts it into `info`.
        n_frames = observation["n_frames"] if "n_frames" in observation else info["n_frames"]
        bonus, penalty = self.config(rate, used, info["n_calls"], n_frames > 0)
        info["rapr"] = rate
        info["curiosity_bonus"] = float(bonus)
        info["operation_penalty"] = float(penalty)
        return float(bonus), float(penalty)
