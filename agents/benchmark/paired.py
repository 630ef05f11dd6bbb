"""Two policies on the same samples: the difference, its interval, and a test.

What is paired is a sample's mean over its repeats, and of a question that is asked in several
orders of its options the mean over these: neither are independent measurements.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

import numpy as np
from scipy.stats import binomtest, bootstrap, permutation_test

from ..evaluation.results import EpisodeResult, counted
from ..evaluation.statistics import NOTHING, Estimate

MCNEMAR, PERMUTATION = "McNemar, exact", "sign flips"

N_RESAMPLES = 9_999
"""Resamples of a bootstrap and of a permutation test; with fewer pairs all sign flips are tried."""

_BLOCK = 2_000_000
"""How many numbers are resampled at once: bounds the memory."""

Measure = Callable[[EpisodeResult], float]
"""What of an episode is compared."""


@dataclass(frozen=True, slots=True)
class PairedDifference:
    """A policy's mean minus a baseline's, on the samples that count in both.

    Attributes:
        n: pairs.
        mean: the difference with its 95% interval by the percentile bootstrap over pairs; the
            interval is NaN under two pairs.
        gained: pairs in which the policy is better.
        lost: pairs in which it is worse.
        p: probability of a difference at least as large by chance, two-sided. Where every pair is
            of 0 and 1, McNemar's exact test; else by flipping the signs of the differences.
        test: which of the two it is.
        p_holm: the same, adjusted by Holm's method for all comparisons of a report.
    """

    n: int
    mean: Estimate
    gained: int
    lost: int
    p: float
    test: str
    p_holm: float = math.nan


def compare_pairs(
    baseline: Sequence[EpisodeResult], other: Sequence[EpisodeResult], measure: Measure
) -> PairedDifference:
    """Compares two policies sample by sample.

    Args:
        baseline: results of the one.
        other: results of the other, on the same samples.
        measure: what is compared, a number in [0, 1].
    """
    before, after = _by_question(baseline, measure), _by_question(other, measure)
    shared = [name for name in before if name in after]
    values = [(before[name], after[name]) for name in shared]
    gained = sum(new > old for old, new in values)
    lost = sum(new < old for old, new in values)
    differences = [new - old for old, new in values]
    is_binary = all(value in (0.0, 1.0) for pair in values for value in pair)
    p = mcnemar(gained, lost) if is_binary else sign_flips(differences)
    return PairedDifference(
        n=len(values),
        mean=mean_interval(differences),
        gained=gained,
        lost=lost,
        p=p if values else math.nan,
        test=MCNEMAR if is_binary else PERMUTATION,
    )


def mcnemar(gained: int, lost: int) -> float:
    """Returns the two-sided p of McNemar's exact test: are gains and losses equally likely?

    Example:
        >>> round(mcnemar(9, 1), 4)
        0.0215
    """
    return float(binomtest(gained, gained + lost).pvalue) if gained + lost else 1.0


def sign_flips(differences: Sequence[float]) -> float:
    """Returns the two-sided p of a mean of zero, where each difference may as well be its negative.

    Example:
        >>> sign_flips([0.5, 0.25, 0.25])
        0.25
    """
    moved = np.asarray([each for each in differences if each], dtype=np.float64)
    if len(moved) < 2:  # both signs of one are as far from zero
        return 1.0
    tested = permutation_test(
        (moved,), np.mean, permutation_type="samples", vectorized=True, n_resamples=N_RESAMPLES,
        batch=max(1, _BLOCK // len(moved)), rng=np.random.default_rng(0),
    )  # fmt: skip
    return float(tested.pvalue)


def mean_interval(values: Sequence[float]) -> Estimate:
    """Returns a mean with its 95% interval by the percentile bootstrap."""
    if not values:
        return NOTHING
    mean = fmean(values)
    if len(values) < 2:
        return Estimate(mean, math.nan, math.nan)
    data = np.asarray(values, dtype=np.float64)
    found = bootstrap(
        (data,), np.mean, method="percentile", vectorized=True, n_resamples=N_RESAMPLES,
        batch=max(1, _BLOCK // len(data)), rng=np.random.default_rng(0),
    ).confidence_interval  # fmt: skip
    return Estimate(mean, float(found.low), float(found.high))


def with_holm(found: Sequence[PairedDifference]) -> tuple[PairedDifference, ...]:
    """Adds to each comparison its p adjusted for all of them."""
    adjusted = holm([each.p for each in found])
    return tuple(replace(each, p_holm=p) for each, p in zip(found, adjusted, strict=True))


def holm(p_values: Sequence[float]) -> list[float]:
    """Returns p values adjusted by Holm's step-down method; NaN counts as no comparison.

    S. Holm, "A simple sequentially rejective multiple test procedure", 1979. The k-th smallest of
    m is multiplied by m - k + 1, and none is under a smaller one's.

    Example:
        >>> holm([0.01, 0.04, 0.03, 0.005])
        [0.03, 0.06, 0.06, 0.02]
    """
    order = sorted((p, place) for place, p in enumerate(p_values) if not math.isnan(p))
    adjusted, least = [math.nan] * len(p_values), 0.0
    for rank, (p, place) in enumerate(order):
        least = max(least, min(1.0, (len(order) - rank) * p))
        adjusted[place] = least
    return adjusted


def _by_question(results: Sequence[EpisodeResult], measure: Measure) -> dict[str, float]:
    found: dict[str, list[float]] = {}
    for result in counted(results):
        found.setdefault(result.question or str(result.index), []).append(measure(result))
    return {name: fmean(values) for name, values in found.items()}
