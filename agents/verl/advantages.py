"""Advantages of rollouts that come in any order, each with the name of its group."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..on_policy.advantages import group_advantages


def advantages_by_uid(
    rewards: ArrayLike, uids: Sequence[Hashable], counted: ArrayLike, kind: str = "mean"
) -> NDArray[np.float64]:
    """Returns the advantage of every rollout over those of the same uid.

    verl's own "grpo" gives the only rollout of a group its whole reward as advantage; here it is 0,
    because there is nothing to compare it with.

    Args:
        rewards: (n,).
        uids: (n,) names of the groups, which may differ in size.
        counted: (n,) bool, False for rollouts to leave out.
        kind: "mean" or "mean_std", see `group_advantages`.

    Returns:
        (n,) float64.

    Raises:
        ConfigError: a counted reward isn't finite.

    >>> advantages_by_uid([1, 5, 0, 0], ["a", "b", "a", "a"], [True] * 4).round(3).tolist()
    [0.667, 0.0, -0.333, -0.333]
    """
    given = np.asarray(rewards, np.float64)
    counts = np.asarray(counted, bool)
    rows: dict[Hashable, int] = {}
    row = np.array([rows.setdefault(uid, len(rows)) for uid in uids], np.int64)  # (n,)
    sizes = np.bincount(row, minlength=len(rows))
    order = np.argsort(row, kind="stable")
    column = np.empty(len(row), np.int64)  # place within its group
    column[order] = np.arange(len(row)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    shape = (len(rows), int(sizes.max(initial=0)))
    table, there = np.zeros(shape), np.zeros(shape, bool)
    table[row, column], there[row, column] = given, counts
    return group_advantages(table, there, kind)[row, column]
