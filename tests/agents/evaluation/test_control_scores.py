"""Differences that controls make, paired by sample."""

from __future__ import annotations

import pytest
from made_results import result

from pixel_env.agents.evaluation.control_scores import compare, control_cells
from pixel_env.agents.evaluation.scores import score_group
from pixel_env.agents.evaluation.statistics import bootstrap_interval


def run(rights, **fields):
    return [result(index, correct=bool(right), **fields) for index, right in enumerate(rights)]


def test_difference_is_paired_by_sample():
    found = compare("blank-views", run([1, 1, 1, 0]), run([0, 1, 0, 1], n_replaced=2))
    assert found.difference.mean == -0.25
    assert found.difference == bootstrap_interval([-1.0, 0.0, -1.0, 1.0])
    assert (found.n_pairs, found.n_replaced, found.scores.accuracy.mean) == (4, 8, 0.5)


def test_equal_answers_have_a_difference_without_width():
    """Two unpaired intervals would overlap by tens of points here."""
    rights = [1, 0] * 10
    assert compare("random-crop", run(rights), run(rights)).difference == (0, 0, 0)


def test_samples_that_count_in_one_run_only_are_no_pair():
    broken = [*run([0, 1]), result(2, fault="broken"), result(3, correct=True)]
    found = compare("no-operations", run([1, 1, 1]), broken)
    assert (found.n_pairs, found.difference.mean) == (2, -0.5)


def test_repeats_of_a_sample_count_once_as_their_mean():
    plain = [result(0, correct=bool(r), repeat=k) for k, r in enumerate([1, 1, 0, 0])]
    after = [result(0, correct=False, repeat=k) for k in range(4)]
    found = compare("no-operations", plain, after)
    assert (found.n_pairs, found.difference.mean) == (1, -0.5)


def test_rows_stand_beside_the_run_without_a_control():
    plain = run([1, 1, 1, 1], calls=1)
    after = run([1, 0, 0, 0], calls=1, n_replaced=1)
    rows = control_cells(score_group(plain), [compare("blank-views", plain, after)])
    heads, none, blank = (dict(zip(rows[0], row, strict=True)) for row in rows)
    assert (none["control"], none["accuracy"], none["difference"]) == ("none", "100.0%", "")
    assert (blank["control"], blank["accuracy"]) == ("blank-views", "25.0%")
    assert (blank["difference"], blank["operations"], blank["replaced"]) == ("-75.0", "1.00", "4")
    gained = control_cells(score_group(run([0])), [compare("x", run([0]), run([1]))])[2]
    assert gained[4] == "+100.0"
    assert heads["n"] == "n"
    assert pytest.approx(-1.0) == compare("x", run([1]), run([0])).difference.mean
