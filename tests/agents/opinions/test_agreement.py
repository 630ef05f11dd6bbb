"""Agreement of a second score with our own, by hand."""

from __future__ import annotations

import math

import pytest
from made_results import result

from pixel_env.agents.opinions.agreement import cohens_kappa, compare_scores
from pixel_env.agents.opinions.opinion import Opinion


def opinion(index, score, correct=None, **fields):
    verdict = score >= 0.5 if correct is None else correct
    return Opinion(index, 0, "A", score, verdict, **fields)


def test_kappa_by_hand():
    # both right 20, only the first 5, only the second 10, both wrong 15: 0.7, and by chance 0.5
    first = [True] * 25 + [False] * 25
    second = [True] * 20 + [False] * 5 + [True] * 10 + [False] * 15
    assert cohens_kappa(first, second) == pytest.approx((0.7 - 0.5) / (1 - 0.5))
    assert cohens_kappa([True, False], [False, True]) == -1.0
    assert math.isnan(cohens_kappa([True, True], [True, True]))
    assert math.isnan(cohens_kappa([], []))


def test_both_are_scored_on_the_same_answers():
    results = [
        result(0, correct=True),
        result(1),
        result(2, correct=True),
        result(3, truncated=True),
        result(4, fault="broken"),
        result(5),
    ]
    opinions = [
        opinion(0, 1.0),
        opinion(1, 1.0, note="said yes"),
        Opinion(2, 0, "A", fault="KeyError: 2"),
        opinion(5, 0.0),
        opinion(9, 1.0),
    ]
    found = compare_scores("mine", results, opinions)
    assert (found.n, found.n_unanswered, found.faults) == (3, 1, (("2", "KeyError: 2"),))
    assert found.ours.mean == pytest.approx(1 / 3)
    assert found.theirs.mean == pytest.approx(2 / 3)
    assert found.agreement.mean == pytest.approx(2 / 3)
    # observed 2/3, by chance 1/3 * 2/3 + 2/3 * 1/3 = 4/9
    assert found.kappa == pytest.approx((2 / 3 - 4 / 9) / (1 - 4 / 9))
    (item,) = found.differing
    assert (item.index, item.ours_correct, item.theirs_correct, item.note) == (
        1, False, True, "said yes",
    )  # fmt: skip


def test_other_verdicts_come_first_then_the_scores_that_are_furthest_apart():
    results = [result(i, correct=True, score=1.0) for i in range(4)]
    opinions = [opinion(0, 1.0), opinion(1, 0.9), opinion(2, 0.6), opinion(3, 0.4)]
    found = compare_scores("mine", results, opinions)
    assert [item.index for item in found.differing] == [3, 2, 1]
    assert [item.is_verdict for item in found.differing] == [True, False, False]
    assert found.their_score == pytest.approx(2.9 / 4)


def test_repeats_of_a_sample_are_not_independent_in_the_interval():
    results = [result(i, correct=True, repeat=r) for i in range(3) for r in range(4)]
    opinions = [Opinion(i, r, "A", 1.0, True) for i in range(3) for r in range(4)]
    opinions[0] = Opinion(0, 0, "A", 0.0, False)
    found = compare_scores("mine", results, opinions)
    assert (found.n, found.agreement.mean) == (12, pytest.approx(11 / 12))
    assert found.differing[0].repeat == 0


def test_without_an_answer_there_is_nothing_to_agree_on():
    found = compare_scores("mine", [result(0, truncated=True)], [])
    assert (found.n, found.n_unanswered) == (0, 1)
    assert math.isnan(found.agreement.mean)
    assert math.isnan(found.our_score)
