"""How much better a rollout did than the other rollouts of its sample.

A group of rollouts is its own baseline, as in GRPO (arXiv 2402.03300, section 4.1), so no value
function is learnt. Pure numpy.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pixel_env.errors import ConfigError, unknown_name

KINDS = ("mean", "mean_std", "leave_one_out")
"""What is done to a reward: see `group_advantages`."""

EPSILON = 1e-4
"""Added to a group's standard deviation before dividing by it."""

SAME = 1e-9
"""Rewards of a group that are no further apart than this are equal: it teaches nothing."""


def group_advantages(
    rewards: ArrayLike, counted: ArrayLike | None = None, kind: str = "mean"
) -> NDArray[np.float64]:
    """Returns the advantage of every rollout over its group.

    With m and s the mean and the sample standard deviation (n - 1 in the denominator) of the n
    counted rewards of the group:

    - "mean": r - m, as the code released with Pixel Reasoner does;
    - "mean_std": (r - m) / (s + 1e-4), as GRPO does;
    - "leave_one_out": r - mean of the other counted rewards = (r - m) * n / (n - 1), which is an
      unbiased baseline (arXiv 2402.14740).

    A rollout that doesn't count is in neither m nor s, and its advantage is 0. So is that of
    every rollout of a group whose counted rewards are all equal, exactly.

    Args:
        rewards: (n_groups, group_size).
        counted: (n_groups, group_size) bool, False for masked rollouts; None counts all.
        kind: one of `KINDS`.

    Returns:
        (n_groups, group_size) float64.

    Raises:
        ConfigError: `kind` is unknown, the shapes differ, or a counted reward isn't finite.

    Example:
        >>> group_advantages([[1.0, 0.0, 0.0, 0.0]]).tolist()
        [[0.75, -0.25, -0.25, -0.25]]
        >>> group_advantages([[1.0, 0.0, 9.0]], counted=[[True, True, False]]).tolist()
        [[0.5, -0.5, 0.0]]
    """
    if kind not in KINDS:
        raise unknown_name("kind", kind, KINDS)
    given = np.asarray(rewards, dtype=np.float64)
    counts = np.ones(given.shape, bool) if counted is None else np.asarray(counted, dtype=bool)
    if given.ndim != 2 or counts.shape != given.shape:
        raise ConfigError(
            "expected rewards and counted of shape (n_groups, group_size), "
            f"got {given.shape} and {counts.shape}"
        )
    if not np.isfinite(given[counts]).all():
        raise ConfigError("expected every counted reward to be finite")
    values = np.where(counts, given, 0.0)
    n = counts.sum(axis=1, keepdims=True)
    mean = values.sum(axis=1, keepdims=True) / np.maximum(n, 1)
    gap: NDArray[np.float64]
    gap = np.where(counts & ~_all_equal(values, counts), values - mean, 0.0)
    others = np.maximum(n - 1, 1)
    if kind == "leave_one_out":
        gap = gap * n / others
    elif kind == "mean_std":
        deviation = np.sqrt((gap**2).sum(axis=1, keepdims=True) / others)
        gap = gap / (deviation + EPSILON)
    return gap


def _all_equal(values: NDArray[np.float64], counts: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Returns for each group whether its counted rewards are equal, (n_groups, 1)."""
    highest = np.where(counts, values, -np.inf).max(axis=1, keepdims=True, initial=-np.inf)
    lowest = np.where(counts, values, np.inf).min(axis=1, keepdims=True, initial=np.inf)
    equal: NDArray[np.bool_] = highest - lowest <= SAME
    return equal
