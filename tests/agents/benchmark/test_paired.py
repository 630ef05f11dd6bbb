"""Paired comparisons, against hand calculations and published examples."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
from made_results import result

from pixel_env.agents.benchmark.paired import (
    MCNEMAR,
    PERMUTATION,
    compare_pairs,
    holm,
    mcnemar,
    mean_interval,
    sign_flips,
    with_holm,
)
from pixel_env.agents.evaluation.statistics import bootstrap_interval


def correct(each):
    return float(each.correct)


def test_mcnemar_is_the_binomial_tail_by_hand():
    # of 10 pairs that differ 9 are better: 2 * (C(10,0) + C(10,1)) / 2**10
    assert mcnemar(9, 1) == pytest.approx(2 * (1 + 10) / 1024)
    assert mcnemar(1, 7) == pytest.approx(2 * (1 + 8) / 256)
    assert mcnemar(4, 4) == 1.0
    assert mcnemar(0, 0) == 1.0


def test_sign_flips_are_all_flips_by_hand():
    values = [0.5, -0.25, 0.75, 0.1, 0.3]
    flipped = [
        sum(sign * value for sign, value in zip(signs, values, strict=True))
        for signs in product((1, -1), repeat=5)
    ]
    above = sum(total >= sum(values) - 1e-12 for total in flipped) / 32
    below = sum(total <= sum(values) + 1e-12 for total in flipped) / 32
    assert sign_flips(values) == pytest.approx(2 * min(above, below))


def test_pairs_that_do_not_differ_say_nothing():
    assert sign_flips([]) == sign_flips([0.0, 0.0]) == sign_flips([0.0, 0.7]) == 1.0
    assert sign_flips([0.5, 0.25, 0.25]) == sign_flips([0.5, 0.0, 0.25, 0.0, 0.25])


def test_many_sign_flips_agree_with_the_normal_approximation():
    values = np.random.default_rng(3).normal(0.1, 1, 300)
    z = values.sum() / math.sqrt((values**2).sum())
    assert sign_flips(list(values)) == pytest.approx(math.erfc(z / math.sqrt(2)), abs=0.02)


def test_the_interval_is_that_of_our_own_bootstrap():
    values = list(np.random.default_rng(0).choice([-1.0, 0.0, 0.5, 1.0], 200))
    ours, library = bootstrap_interval(values, n_resamples=9999), mean_interval(values)
    assert library.mean == pytest.approx(ours.mean)
    assert library[1:] == pytest.approx(ours[1:], abs=0.01)


def test_an_interval_needs_two_pairs():
    assert mean_interval([0.5]).mean == 0.5
    assert math.isnan(mean_interval([0.5]).low)
    assert math.isnan(mean_interval([]).mean)


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.5, 0.6]) == [1.0, 1.0]
    assert holm([]) == []


def test_holm_leaves_out_what_was_not_compared():
    adjusted = holm([math.nan, 0.01, 0.02])
    assert math.isnan(adjusted[0])
    assert adjusted[1:] == pytest.approx([0.02, 0.02])


def test_right_and_wrong_pairs_take_mcnemar():
    before = [result(i, correct=i < 5) for i in range(20)]
    after = [result(i, correct=1 <= i < 14) for i in range(20)]
    found = compare_pairs(before, after, correct)
    assert (found.n, found.gained, found.lost, found.test) == (20, 9, 1, MCNEMAR)
    assert found.mean.mean == pytest.approx(8 / 20)
    assert found.p == pytest.approx(22 / 1024)
    assert found.mean.low > 0


def test_repeats_are_one_pair_with_their_mean():
    before = [result(i, correct=False, repeat=r) for i in range(4) for r in range(2)]
    after = [result(i, correct=r == 0, repeat=r) for i in range(4) for r in range(2)]
    found = compare_pairs(before, after, correct)
    assert (found.n, found.gained, found.test) == (4, 4, PERMUTATION)
    assert found.mean.mean == 0.5
    assert found.p == 2 / 16


def test_cycles_of_a_question_are_one_pair():
    before = [result(i, question=f"q{i // 4}", cycle="abcd"[i % 4]) for i in range(12)]
    after = [
        result(i, correct=i % 4 < 2, question=f"q{i // 4}", cycle="abcd"[i % 4]) for i in range(12)
    ]
    assert compare_pairs(before, after, correct).n == 3


def test_only_samples_that_count_in_both_are_pairs():
    before = [result(0), result(1, fault="broken"), result(2)]
    after = [result(0, correct=True), result(1, correct=True), result(3, correct=True)]
    found = compare_pairs(before, after, correct)
    assert (found.n, found.gained) == (1, 1)
    nothing = compare_pairs(before[:1], after[1:], correct)
    assert nothing.n == 0
    assert math.isnan(nothing.p)


def test_graded_scores_take_sign_flips():
    before = [result(i, score=0.2) for i in range(6)]
    after = [result(i, score=0.7) for i in range(6)]
    found = compare_pairs(before, after, lambda each: each.score)
    assert found.test == PERMUTATION
    assert found.p == 2 / 64


def test_all_comparisons_are_adjusted_together():
    before = [result(i) for i in range(6)]
    one, two = (
        compare_pairs(before, [result(i, correct=i < n) for i in range(6)], correct) for n in (6, 2)
    )
    adjusted = with_holm([one, two])
    assert [each.p_holm for each in adjusted] == pytest.approx([2 * one.p, max(2 * one.p, two.p)])
