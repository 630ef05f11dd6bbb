"""Callbacks of stable-baselines3: what episodes amount to, how far a training is, checkpoints."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from stable_baselines3.common.callbacks import BaseCallback

from pixel_env.types import Info

from ..evaluation.scores import Scores

N_RECENT = 500
"""Over how many of the last episodes a metric is taken."""


class EpisodeMetrics(BaseCallback):
    """Logs accuracy, RaPR, call errors and reward terms of the last episodes, at every update.

    Under `episodes/`: `accuracy` (and `accuracy_<category>`), `rapr`, `operations` (executed, an
    episode), `call_errors` (refused / attempted), `no_answer`, and the mean of each reward term
    as `reward_<term>`. Episodes that a fault of the data ended are left out.
    """

    def __init__(self) -> None:
        super().__init__()
        self._ended: deque[Info] = deque(maxlen=N_RECENT)

    def latest(self) -> dict[str, float]:
        """Returns the metrics by name, without `episodes/`; empty before the first episode."""
        ended = list(self._ended)
        if not ended:
            return {}
        n_calls = sum(info["n_calls"] for info in ended)
        metrics = {
            "accuracy": _mean([_is_right(info) for info in ended]),
            "rapr": _mean([info["n_calls"] > 0 for info in ended]),
            "operations": _mean([info["n_operations"] for info in ended]),
            "call_errors": sum(info["n_operation_errors"] for info in ended) / max(n_calls, 1),
            "no_answer": _mean(["grade" not in info for info in ended]),
        }
        for category in sorted({info["category"] for info in ended} - {""}):
            of_it = [_is_right(info) for info in ended if info["category"] == category]
            metrics[f"accuracy_{category}"] = _mean(of_it)
        for term in ended[-1]["reward_terms"]:
            # Every term but the score is paid at the end, and the score with the answer.
            metrics[f"reward_{term}"] = _mean([info["reward_terms"][term] for info in ended])
        return metrics

    def _on_step(self) -> bool:
        for ended, info in zip(self.locals["dones"], self.locals["infos"], strict=True):
            if ended and not info.get("env_error"):
                self._ended.append({k: v for k, v in info.items() if k != "terminal_observation"})
        return True

    def _on_rollout_end(self) -> None:
        for name, value in self.latest().items():
            self.logger.record(f"episodes/{name}", value)


class EveryUpdate(BaseCallback):
    """Calls a function after every so many steps, between two updates, and after the last.

    A call comes before the next rollout begins, when weights and optimizer fit together.
    """

    def __init__(self, every: int, call: Callable[[int], None]) -> None:
        """Takes the number of steps between two calls, 0 for none, and what to call with steps."""
        super().__init__()
        self._every = every
        self._call = call
        self._called = 0

    def _on_training_start(self) -> None:
        self._called = self.num_timesteps

    def _on_step(self) -> bool:
        return True

    def _on_rollout_start(self) -> None:
        if self._every and self.num_timesteps - self._called >= self._every:
            self._called = self.num_timesteps
            self._call(self.num_timesteps)


def scores_by_name(scores: Scores) -> dict[str, float]:
    """Returns what is logged of a measurement, by name."""
    return {
        "accuracy": scores.accuracy.mean,
        "rapr": scores.rapr.mean,
        "operations": scores.operations.mean,
        "call_errors": scores.error_rate,
    }


def _is_right(info: Info) -> bool:
    return bool(info["grade"]["correct"]) if "grade" in info else False


def _mean(values: list[Any]) -> float:
    return float(sum(values)) / len(values)
