r"""The rewards of a group of rollouts of one sample, as a pure function.

`GroupCuriosity` pays by it, and so does whoever collects rollouts without our lanes: an engine
that runs each rollout by itself hands over the facts of a group once the last one has ended.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import ConfigError
from .bonus import CuriosityConfig


@dataclass(frozen=True, slots=True)
class GroupRewards:
    """What a group's rollouts are paid; float64 arrays of the shape of the scores, (..., G)."""

    rewards: NDArray[np.float64]
    """Score, bonus and penalty together; NaN where the rollout is left out."""
    bonus: NDArray[np.float64]
    """What its calls earn a rollout, at least 0; 0 where it is left out."""
    penalty: NDArray[np.float64]
    """What too many operations cost it, at most 0; 0 where it is left out."""
    rapr: NDArray[np.float64]
    """The share of the group's rollouts that count as users, the same for all G."""


def group_rewards(
    scores: ArrayLike,
    n_calls: ArrayLike,
    used: ArrayLike | None = None,
    faulty: ArrayLike = False,
    video: ArrayLike = False,
    threshold: ArrayLike | None = None,
    config: CuriosityConfig | None = None,
) -> GroupRewards:
    """Returns the rewards of whole groups, as Pixel Reasoner (arXiv 2505.15966) pays them.

    Args:
        scores: the task's score of each rollout, (..., G); the last axis is a group.
        n_calls: how many calls each rollout made, refused ones included; (..., G), at least 0.
        used: whether the rollout counts in RaPR, (..., G); None: whether it has a call.
        faulty: whether the rollout ended by a fault of the data or of the infrastructure; (..., G)
            or one for all. It is left out of the rate and of the rewards.
        video: whether the sample is a clip; only the preset "released" makes a difference of it.
        threshold: the threshold in place of the config's; (..., G) or one for all.
        config: how calls are paid; None for the paper's.

    Returns:
        The rewards. A rollout that is left out has the reward NaN, never 0: an advantage that is
        computed from it by mistake shows.

    Raises:
        ConfigError: the shapes don't fit each other, or a number is out of range.

    >>> group_rewards([1, 0, 0, 0, 0, 0, 0, 0], n_calls=[0, 2, 0, 0, 0, 0, 0, 0]).rewards[:3]
    array([1.    , 0.0375, 0.    ])
    """
    points = np.asarray(scores, dtype=np.float64)
    if points.ndim < 1:
        raise ConfigError(f"expected scores of shape (..., G), got the number {scores!r}")
    counts = _like(points, n_calls, "n_calls").astype(np.float64)
    users = counts > 0 if used is None else _like(points, used, "used").astype(bool)
    valid = ~_like(points, faulty, "faulty").astype(bool)
    n_valid = valid.sum(axis=-1, keepdims=True)  # (..., 1)
    n_users = (users & valid).sum(axis=-1, keepdims=True)  # (..., 1)
    rates = np.broadcast_to(n_users / np.maximum(n_valid, 1), points.shape)
    bonus, penalty = (config or CuriosityConfig())(
        rates,
        users,
        np.where(valid, counts, 0),
        _like(points, video, "video"),
        None if threshold is None else _like(points, threshold, "threshold"),
    )
    paid_bonus, paid_penalty = np.where(valid, bonus, 0.0), np.where(valid, penalty, 0.0)
    rewards = np.where(valid, points + paid_bonus + paid_penalty, np.nan)
    return GroupRewards(rewards, paid_bonus, paid_penalty, rates)


def _like(points: NDArray[np.float64], values: ArrayLike, name: str) -> NDArray[np.generic]:
    """Returns `values` in the shape of `points`.

    Raises:
        ConfigError: they have another shape.
    """
    given = np.asarray(values)
    try:
        return np.broadcast_to(given, points.shape)
    except ValueError:
        raise ConfigError(f"expected {name} of shape {points.shape}, got {given.shape}") from None
