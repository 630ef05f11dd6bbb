"""What an iteration's rollouts amount to, as numbers to log; see `docs/metrics.md`."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from .rollout import ENV_ERROR, OVERLONG, TokenTrajectory


def rollout_metrics(trajectories: Sequence[TokenTrajectory]) -> dict[str, float]:
    """Describes rollouts; those that the environment failed are counted and left out.

    Args:
        trajectories: at least one, in any order.
    """
    counted = [t for t in trajectories if t.mask_reason != ENV_ERROR]
    n_calls = sum(_count(t, "n_calls") for t in counted)
    n_errors = sum(_count(t, "n_operation_errors") for t in counted)
    looking = [t for t in counted if _count(t, "n_calls") > 0]
    metrics = {
        "reward/mean": _mean(t.reward for t in counted),
        "rapr": _mean(_count(t, "n_calls") > 0 for t in counted),
        "operations/per_episode": _mean(_count(t, "n_operations") for t in counted),
        "operations/error_rate": n_errors / n_calls if n_calls else math.nan,
        "operations/successful_share": _mean(_is_correct(t) for t in looking),
        "accuracy/all": _mean(_is_correct(t) for t in counted),
        "tokens/response": _mean(t.n_trainable for t in counted),
        "tokens/trajectory": _mean(len(t) for t in counted),
        "rollouts/env_errors": float(len(trajectories) - len(counted)),
        "rollouts/overlong": float(sum(t.mask_reason == OVERLONG for t in counted)),
    }
    for name in sorted({name for t in counted for name in t.reward_terms}):
        metrics[f"reward/{name}"] = _mean(t.reward_terms.get(name, 0.0) for t in counted)
    for category in sorted({str(t.info.get("category") or "") for t in counted} - {""}):
        metrics[f"accuracy/{category}"] = _mean(
            _is_correct(t) for t in counted if t.info.get("category") == category
        )
    return metrics


def advantage_metrics(
    advantages: NDArray[np.float64], counted: NDArray[np.bool_]
) -> dict[str, float]:
    """Describes advantages.

    Args:
        advantages: (n_groups, group_size).
        counted: (n_groups, group_size), False for masked rollouts.
    """
    return {
        "advantage/zero_groups": float((advantages == 0).all(axis=1).mean()),
        "advantage/std": float(advantages[counted].std()) if counted.any() else math.nan,
    }


def _count(trajectory: TokenTrajectory, name: str) -> int:
    return int(trajectory.info.get(name, 0))


def _is_correct(trajectory: TokenTrajectory) -> bool:
    return bool(trajectory.info.get("correct", False))


def _mean(values: Iterable[float]) -> float:
    numbers = [float(value) for value in values]
    return sum(numbers) / len(numbers) if numbers else math.nan
