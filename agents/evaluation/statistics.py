"""Intervals: a score from a few hundred questions without one means little."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pixel_env.errors import ConfigError

Z_95 = 1.959963984540054
"""Two-sided 95% point of the normal distribution."""


class Estimate(NamedTuple):
    """A mean with its 95% interval; all three NaN where nothing was measured."""

    mean: float
    low: float
    high: float


NOTHING = Estimate(math.nan, math.nan, math.nan)
"""The estimate where nothing was measured."""


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
        return NOTHING
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
        return NOTHING
    data = np.asarray(values, dtype=np.float64)
    rng = np.random.default_rng(seed)
    blocks = _draws(len(data), n_resamples, rng)
    means = np.concatenate([data[drawn].mean(axis=1) for drawn in blocks])
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return Estimate(float(data.mean()), float(low), float(high))


def clustered_interval(values: Sequence[float], clusters: Sequence[Hashable]) -> Estimate:
    """Returns the mean over clusters of each cluster's mean, with its bootstrap 95% interval.

    Whole clusters are resampled: several measurements of one thing are not independent.

    Args:
        values: the measurements.
        clusters: for each of them the name of what was measured.

    Example:
        >>> clustered_interval([1, 0, 1, 1], ["x", "x", "y", "y"]).mean
        0.75
    """
    return bootstrap_interval(list(_means(values, clusters).values()))


def share_interval(hits: Sequence[bool], clusters: Sequence[Hashable]) -> Estimate:
    """Returns the share of trials that succeeded, with its 95% interval.

    Wilson's interval where every trial is of another thing; else one by the bootstrap that
    resamples whole clusters.

    Args:
        hits: whether each trial succeeded.
        clusters: for each trial the name of what was tried.
    """
    if len(set(clusters)) == len(clusters):
        return wilson_interval(sum(hits), len(hits))
    return mean_over_strata([float(hit) for hit in hits], [""] * len(hits), clusters)


def mean_over_strata(
    values: Sequence[float],
    strata: Sequence[Hashable],
    clusters: Sequence[Hashable],
    seed: int = 0,
    n_resamples: int = 2000,
) -> Estimate:
    """Returns the mean over strata of each stratum's mean, with its bootstrap 95% interval.

    HR-Bench asks every question once in each cyclic order of its options; its score is the mean
    over the orders (strata) of the accuracy in each. Questions (clusters) are resampled whole.

    Args:
        values: the measurements.
        strata: for each of them its stratum.
        clusters: for each of them its cluster; a cluster may reach over strata.
        seed: fixes the resampling.
        n_resamples: how many resampled means the percentiles are taken from.

    Example:
        >>> mean_over_strata([1, 1, 0, 0, 1], "aaabb", [0, 1, 2, 0, 1]).mean
        0.5833333333333333
    """
    if not values:
        return NOTHING
    row = {name: number for number, name in enumerate(dict.fromkeys(clusters))}
    column = {name: number for number, name in enumerate(dict.fromkeys(strata))}
    sums, counts = np.zeros((2, len(row), len(column)))  # each (clusters, strata)
    for value, stratum, cluster in zip(values, strata, clusters, strict=True):
        sums[row[cluster], column[stratum]] += value
        counts[row[cluster], column[stratum]] += 1
    means = []
    for drawn in _draws(len(row), n_resamples, np.random.default_rng(seed)):
        total, number = sums[drawn].sum(axis=1), counts[drawn].sum(axis=1)  # (resamples, strata)
        shares = np.divide(total, number, out=np.zeros_like(total), where=number > 0)
        means.append(shares.sum(axis=1) / (number > 0).sum(axis=1))
    low, high = np.quantile(np.concatenate(means), [0.025, 0.975])
    return Estimate(float((sums.sum(0) / counts.sum(0)).mean()), float(low), float(high))


class ChiSquare(NamedTuple):
    """How far counts are from what was expected.

    Attributes:
        statistic: sum of (observed - expected)^2 / expected.
        degrees: degrees of freedom.
        p: probability of counts at least as far off by chance; NaN without degrees of freedom.
    """

    statistic: float
    degrees: int
    p: float


def chi_square(observed: Sequence[float], expected: Sequence[float]) -> ChiSquare:
    """Compares counts with expected ones: Pearson's test of goodness of fit.

    Args:
        observed: counts.
        expected: as many positive numbers of the same sum.

    Example:
        >>> chi_square([10, 20], [15, 15])
        ChiSquare(statistic=3.333..., degrees=1, p=0.0678...)
    """
    statistic = sum((o - e) ** 2 / e for o, e in zip(observed, expected, strict=True))
    degrees = len(observed) - 1
    return ChiSquare(statistic, degrees, _chi_square_tail(statistic, degrees))


def _chi_square_tail(statistic: float, degrees: int) -> float:
    """Returns the upper tail of the chi-square distribution, in closed form (A&S 26.4.4-5)."""
    if degrees < 1:
        return math.nan
    half: float = statistic / 2
    if degrees % 2 == 0:
        series = math.fsum(half**j / math.factorial(j) for j in range(degrees // 2))
        return math.exp(-half) * series
    terms = (math.pow(half, j - 0.5) / math.gamma(j + 0.5) for j in range(1, (degrees + 1) // 2))
    return math.erfc(math.sqrt(half)) + math.exp(-half) * math.fsum(terms)


def _draws(n: int, n_resamples: int, rng: np.random.Generator) -> Iterator[NDArray[np.int64]]:
    """Gives resamples of `n` things as blocks of (resamples, n) indices, a million at a time."""
    size = max(1, 1_000_000 // n)
    for start in range(0, n_resamples, size):
        yield rng.integers(0, n, size=(min(size, n_resamples - start), n))


def _means(values: Sequence[float], clusters: Sequence[Hashable]) -> dict[Hashable, float]:
    """Returns each cluster's mean, in the order in which the clusters come."""
    groups: dict[Hashable, list[float]] = {}
    for value, cluster in zip(values, clusters, strict=True):
        groups.setdefault(cluster, []).append(float(value))
    return {cluster: sum(group) / len(group) for cluster, group in groups.items()}
