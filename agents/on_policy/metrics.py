"""What an iteration's rollouts amount to, as numbers to log; see `docs/metrics.md`."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from ..tokens.facts import Rollout
from ..tokens.trajectory import ENV_ERROR, OVERLONG
from .groups import JudgedGroups


def rollout_metrics(trajectories: Sequence[Rollout]) -> dict[str, float]:
    """Describes rollouts; those that the environment failed are counted and left out.

    Args:
        trajectories: at least one, in any order.
    """
    counted = [t for t in trajectories if t.mask_reason != ENV_ERROR]
    n_calls = sum(_count(t, "n_calls") for t in counted)
    n_errors = sum(_count(t, "n_operation_errors") for t in counted)
    calling = [t for t in counted if _count(t, "n_calls") > 0]
    metrics = {
        "reward/mean": _mean(t.reward for t in counted),
        "rapr": _mean(_count(t, "n_calls") > 0 for t in counted),
        "operations/per_episode": _mean(_count(t, "n_operations") for t in counted),
        "operations/error_rate": n_errors / n_calls if n_calls else math.nan,
        "operations/successful_share": _mean(_is_correct(t) for t in calling),
        "accuracy/all": _mean(_is_correct(t) for t in counted),
        "tokens/response": _mean(t.n_trainable for t in counted),
        "tokens/trajectory": _mean(len(t) for t in counted),
        "rollouts/env_errors": float(len(trajectories) - len(counted)),
        "rollouts/overlong": float(sum(t.mask_reason == OVERLONG for t in counted)),
    }
    if asked := [t for t in counted if "belief_gain" in t.info]:
        gains = (t.info["belief_gain"] for t in asked if _count(t, "n_operations") > 0)
        metrics["belief/gain"] = _mean(gains)
        metrics["belief/raised"] = _mean(_count(t, "belief_raised") for t in asked)
    for name in sorted({name for t in counted for name in t.reward_terms}):
        metrics[f"reward/{name}"] = _mean(t.reward_terms.get(name, 0.0) for t in counted)
    for category in sorted({str(t.info.get("category") or "") for t in counted} - {""}):
        metrics[f"accuracy/{category}"] = _mean(
            _is_correct(t) for t in counted if t.info.get("category") == category
        )
    return metrics


def group_metrics(groups: JudgedGroups) -> dict[str, float]:
    """Describes groups and their advantages."""
    counted = groups.advantages[groups.counted]
    return {
        "advantage/zero_groups": groups.n_equal / len(groups.advantages),
        "advantage/std": float(counted.std()) if len(counted) else math.nan,
        "groups/equal": float(groups.n_equal),
        "groups/refilled": float(groups.n_refilled),
    }


def _count(trajectory: Rollout, name: str) -> int:
    return int(trajectory.info.get(name, 0))


def _is_correct(trajectory: Rollout) -> bool:
    return bool(trajectory.info.get("correct", False))


def _mean(values: Iterable[float]) -> float:
    numbers = [float(value) for value in values]
    return sum(numbers) / len(numbers) if numbers else math.nan
