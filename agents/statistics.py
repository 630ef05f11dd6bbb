"""Intervals: a score from a few hundred questions without one says little."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from pixel_env.errors import ConfigError

Z_95 = 1.959963984540054
"""Two-sided 95% point of the normal distribution."""


class Estimate(NamedTuple):
    """A mean with its 95% interval; all three NaN where nothing was measured."""

    mean: float
    low: float
    high: float


def wilson_interval(successes: int, trials: int, z: float = Z_95) -> Estimate:
    """Returns a proportion with its Wilson score interval.

    Unlike p +- z * sqrt(p (1 - p) / n) it never leaves [0, 1] and doesn't collapse at 0 and 1.
    E. B. Wilson, "Probable inference, the law of succession, and statistical inference", 1927.

    Args:
        successes: how many trials succeeded, 0 to `trials`.
        trials: how many trials there were, at least 0.
        z: normal quantile of the interval; 1.96 for 95%.

    Raises:
        ConfigError: `successes` is outside [0, trials].

    Example:
        >>> estimate = wilson_interval(162, 191)
        >>> [round(100 * value, 1) for value in estimate]
        [84.8, 79.0, 89.2]
    """
    if not 0 <= successes <= trials:
        raise ConfigError(f"expected 0 <= successes <= trials, got {successes} of {trials}")
    if trials == 0:
        return Estimate(math.nan, math.nan, math.nan)
    share = successes / trials
    spread = z * z / trials
    centre = (share + spread / 2) / (1 + spread)
    half = z / (1 + spread) * math.sqrt(share * (1 - share) / trials + spread / (4 * trials))
    low = 0.0 if successes == 0 else max(0.0, centre - half)
    high = 1.0 if successes == trials else min(1.0, centre + half)
    return Estimate(share, low, high)


def bootstrap_interval(
    values: Sequence[float], seed: int = 0, n_resamples: int = 2000, level: float = 0.95
) -> Estimate:
    """Returns a mean with its percentile bootstrap interval.

    B. Efron, "Bootstrap methods: another look at the jackknife", 1979.

    Args:
        values: one measurement for each episode.
        seed: fixes the resampling.
        n_resamples: how many resampled means the percentiles are taken from.
        level: share of resampled means inside the interval, in (0, 1).

    Raises:
        ConfigError: `n_resamples` is under 1, or `level` outside (0, 1).
    """
    if n_resamples < 1 or not 0 < level < 1:
        raise ConfigError(
            f"expected n_resamples >= 1 and 0 < level < 1, got {n_resamples} and {level}"
        )
    if not values:
        return Estimate(math.nan, math.nan, math.nan)
    data = np.asarray(values, dtype=np.float64)
    rng = np.random.default_rng(seed)
    means = np.array(
        [data[rng.integers(0, len(data), size=len(data))].mean() for _ in range(n_resamples)]
    )
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return Estimate(float(data.mean()), float(low), float(high))
