"""Intervals against published values and closed forms."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixel_env.agents.evaluation.statistics import (
    Z_95,
    bootstrap_interval,
    chi_square,
    clustered_interval,
    mean_over_strata,
    share_interval,
    wilson_interval,
)
from pixel_env.errors import ConfigError


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [  # R. G. Newcombe, Statistics in Medicine 17 (1998), table I, method 3
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_interval_equals_published_values(successes, trials, low, high):
    estimate = wilson_interval(successes, trials)
    assert estimate.mean == successes / trials
    assert (estimate.low, estimate.high) == pytest.approx((low, high), abs=5e-5)


def test_wilson_at_the_ends_is_the_closed_form():
    bound = Z_95**2 / (10 + Z_95**2)
    assert wilson_interval(0, 10) == pytest.approx((0, 0, bound))
    assert wilson_interval(10, 10) == pytest.approx((1, 1 - bound, 1))


def test_wider_quantile_gives_a_wider_interval():
    narrow, wide = wilson_interval(5, 10, z=1.0), wilson_interval(5, 10, z=2.0)
    assert narrow.low == pytest.approx(0.5 - 0.5 / math.sqrt(11))
    assert wide.low < narrow.low < narrow.high < wide.high


@given(st.integers(0, 300), st.integers(0, 300))
def test_wilson_holds_the_share_and_mirrors(successes, failures):
    trials = successes + failures
    low_mirror, high_mirror = wilson_interval(failures, trials)[1:]
    estimate = wilson_interval(successes, trials)
    if trials:
        assert 0 <= estimate.low <= estimate.mean <= estimate.high <= 1
        assert (1 - high_mirror, 1 - low_mirror) == pytest.approx(estimate[1:])


def test_nothing_measured_is_nan():
    assert all(math.isnan(value) for value in (*wilson_interval(0, 0), *bootstrap_interval([])))


@pytest.mark.parametrize(("successes", "trials"), [(-1, 3), (4, 3), (0, -1)])
def test_impossible_counts_are_refused(successes, trials):
    with pytest.raises(ConfigError, match="expected 0 <= successes <= trials"):
        wilson_interval(successes, trials)


def test_bootstrap_of_a_constant_has_no_width():
    assert bootstrap_interval([2.0] * 9) == (2.0, 2.0, 2.0)


def test_bootstrap_of_two_values_reaches_both_and_repeats():
    estimate = bootstrap_interval([0.0, 1.0], n_resamples=500)
    assert estimate == (0.5, 0.0, 1.0)
    assert bootstrap_interval([0.0, 1.0, 5.0], seed=3) == bootstrap_interval(
        [0.0, 1.0, 5.0], seed=3
    )


def test_bootstrap_approaches_the_normal_interval():
    values = [float(i % 10) for i in range(1000)]
    half = Z_95 * math.sqrt(8.25 / 1000)  # variance of 0..9 is 8.25
    estimate = bootstrap_interval(values, n_resamples=4000)
    assert (estimate.low, estimate.high) == pytest.approx((4.5 - half, 4.5 + half), abs=0.02)


def test_bootstrap_level_sets_the_width():
    values = [float(i) for i in range(50)]
    narrow, wide = bootstrap_interval(values, level=0.5), bootstrap_interval(values, level=0.99)
    assert wide.low < narrow.low < narrow.high < wide.high


@pytest.mark.parametrize("arguments", [{"n_resamples": 0}, {"level": 0.0}, {"level": 1.0}])
def test_bootstrap_refuses_bad_arguments(arguments):
    with pytest.raises(ConfigError, match="expected n_resamples >= 1 and 0 < level < 1"):
        bootstrap_interval([1.0], **arguments)


def test_clusters_are_averaged_first_and_resampled_whole():
    values, clusters = [1, 1, 1, 0, 0, 0], "aaabcd"
    estimate = clustered_interval(values, clusters)
    assert estimate.mean == 0.25
    assert estimate == bootstrap_interval([1.0, 0.0, 0.0, 0.0])


def test_share_of_different_things_is_wilsons_and_of_repeated_ones_pooled():
    assert share_interval([True, False, True], [3, 5, 4]) == wilson_interval(2, 3)
    repeated = share_interval([True, False, True, True], ["x", "x", "x", "y"])
    assert repeated.mean == 0.75
    assert (repeated.low, repeated.high) == pytest.approx((2 / 3, 1))


def test_strata_weigh_the_same_whatever_their_sizes():
    estimate = mean_over_strata([1, 1, 1, 0], "aaab", [0, 1, 2, 0])
    assert estimate.mean == 0.5
    assert all(math.isnan(value) for value in mean_over_strata([], [], []))


def test_resampling_whole_questions_over_two_cycles():
    """Two questions, one right in both cycles and one in none: the mean is 0, 1/2 or 1."""
    estimate = mean_over_strata([1, 1, 0, 0], "abab", ["q", "q", "r", "r"])
    assert estimate == (0.5, 0.0, 1.0)


@pytest.mark.parametrize(
    ("statistic", "degrees", "p"),
    [  # NIST/SEMATECH e-Handbook, table 1.3.6.7.4: upper critical values
        (3.841, 1, 0.05),
        (5.991, 2, 0.05),
        (7.815, 3, 0.05),
        (9.488, 4, 0.05),
        (15.086, 5, 0.01),
        (18.307, 10, 0.05),
        (30.578, 15, 0.01),
    ],
)
def test_tail_of_chi_square_equals_published_values(statistic, degrees, p):
    spread = [math.sqrt(statistic / 2), -math.sqrt(statistic / 2)]
    counts = [1 + spread[0], 1 + spread[1], *[1.0] * (degrees - 1)]
    found = chi_square(counts, [1.0] * len(counts))
    assert found.statistic == pytest.approx(statistic)
    assert found.degrees == degrees
    assert found.p == pytest.approx(p, abs=1e-4)


def test_equal_counts_are_no_surprise():
    assert chi_square([5, 5, 5], [5, 5, 5]) == (0.0, 2, 1.0)
    assert math.isnan(chi_square([5], [5]).p)
