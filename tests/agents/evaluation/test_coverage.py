"""Right and wrong answers with and without a zoom on the target, counted by hand."""

from __future__ import annotations

import math

import pytest
from made_results import result

from pixel_env.agents.evaluation.coverage import saw, score_coverage
from pixel_env.agents.evaluation.statistics import wilson_interval


def episode(index, correct, share, magnification=0.0, **fields):
    return result(
        index, correct=correct, coverage=share, iou=share / 2, magnification=magnification, **fields
    )


RESULTS = [
    episode(0, True, 1.0, 4.0),
    episode(1, True, 0.75, 8.0),
    episode(2, False, 0.8, 2.0),
    episode(3, False, 0.7, 9.0),
    episode(4, False, 0.0),
    episode(5, True, 0.0),
    episode(6, True, 1.0, fault="broken"),
    result(7, correct=True),
]


def test_failures_are_split_into_never_saw_it_and_saw_it_and_answered_wrong():
    scores = score_coverage(RESULTS, "all")
    assert scores.n == 6
    assert (scores.right_seen, scores.wrong_seen) == (2, 1)
    assert (scores.right_unseen, scores.wrong_unseen) == (1, 2)
    assert scores.accuracy_seen == wilson_interval(2, 3)
    assert scores.accuracy_unseen == wilson_interval(1, 3)
    assert scores.share == pytest.approx((1 + 0.75 + 0.8 + 0.7) / 6)
    assert scores.iou == pytest.approx((1 + 0.75 + 0.8 + 0.7) / 12)
    assert scores.magnification == 4.0


def test_three_quarters_of_the_target_are_seen():
    assert saw(episode(0, True, 0.75))
    assert not saw(episode(0, True, 0.7499))


def test_coverage_of_nothing_known():
    assert score_coverage([result(0), episode(1, True, 1.0, fault="broken")], "all") is None
    never = score_coverage([episode(0, False, 0.0)], "all")
    assert math.isnan(never.magnification)
    assert math.isnan(never.accuracy_seen.mean)
