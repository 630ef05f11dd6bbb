"""Scores of a hand-made set of episodes."""

from __future__ import annotations

import math

import pytest
from made_results import result

from pixel_env.agents.evaluation.scores import markdown_table, score_group, score_table, table_cells
from pixel_env.agents.evaluation.statistics import wilson_interval

RESULTS = [
    result(0, correct=True, calls=2),
    result(1, correct=True, category="b"),
    result(2, calls=3, errors=2, category="b"),
    result(3, calls=1, errors=1, truncated=True),
    result(4, calls=4, errors=4, fault="rows.jsonl row 5: broken", category="b"),
]


def test_scores_leave_out_faults_of_the_data_and_count_the_rest():
    scores = score_group(RESULTS)
    assert (scores.n, scores.n_env_errors, scores.n_truncated) == (4, 1, 1)
    assert scores.accuracy.mean == 0.5
    assert scores.score.mean == 0.5
    assert scores.rapr.mean == 0.75
    assert scores.operations.mean == (2 + 0 + 1 + 0) / 4
    assert scores.error_rate == 3 / 6


def test_table_holds_all_and_each_category():
    table = score_table(RESULTS)
    assert [(scores.group, scores.n) for scores in table] == [("all", 4), ("a", 2), ("b", 2)]
    assert table[2].n_env_errors == 1


def test_single_category_is_not_repeated():
    assert [scores.group for scores in score_table(RESULTS[:1])] == ["all"]


def test_nothing_counted_is_written_as_dashes():
    (scores,) = score_table([result(0, fault="broken")])
    assert math.isnan(scores.accuracy.mean)
    assert table_cells({"all": scores})[1] == ("all", "0", "-", "-", "-", "-", "-", "0", "1")


def test_markdown_table_has_a_line_for_each_label():
    table = markdown_table({"base": score_group(RESULTS[:2]), "RL": score_group(RESULTS)})
    lines = table.splitlines()
    assert len(lines) == 4
    assert {line.count("|") for line in lines} == {10}
    assert lines[2].startswith(
        "| base | 2 | 100.0% | 34.2 to 100.0 | 50.0% | 1.00 | 0.0% | 0 | 0 |"
    )
    assert lines[3].startswith("| RL | 4 | 50.0% |")


def test_calls_that_failed_count_for_rapr():
    assert score_group([result(0, calls=1, errors=1)]).rapr.mean == pytest.approx(1.0)


def test_repeats_are_averaged_within_samples_first():
    rights = {0: (1, 1, 1), 1: (1, 0, 0), 2: (0, 0, 0), 3: (0, 1, 1)}
    results = [
        result(index, correct=bool(right), repeat=repeat)
        for index, row in rights.items()
        for repeat, right in enumerate(row)
    ]
    scores = score_group(results)
    assert (scores.n, scores.repeats) == (12, 3)
    assert scores.accuracy.mean == pytest.approx((1 + 1 / 3 + 0 + 2 / 3) / 4)
    # samples are resampled whole: four equal samples (all wrong, all right) can be drawn
    assert (scores.accuracy.low, scores.accuracy.high) == pytest.approx((1 / 12, 11 / 12), abs=0.1)
    assert scores.pass_at_k == wilson_interval(3, 4)
    heads, row = table_cells({"all": scores})
    assert heads[:5] == ("", "n", "Avg@3", "95% interval", "pass@3")
    assert row[2] == "50.0%"


def test_interval_of_repeats_is_as_wide_as_that_of_the_samples():
    """Ten identical repeats tell no more than one."""
    right = [index % 2 == 0 for index in range(40)]
    once = score_group([result(i, correct=r) for i, r in enumerate(right)])
    often = score_group(
        [result(i, correct=r, repeat=k) for i, r in enumerate(right) for k in range(10)]
    )
    assert often.accuracy.mean == once.accuracy.mean == 0.5
    width = often.accuracy.high - often.accuracy.low
    assert width == pytest.approx(2 * 1.96 * 0.5 / math.sqrt(40), abs=0.03)


def test_a_sample_left_out_in_one_repeat_weighs_as_much_as_the_others():
    results = [
        result(0, correct=True, repeat=0),
        result(0, fault="broken", repeat=1),
        result(1, repeat=0),
        result(1, repeat=1),
    ]
    scores = score_group(results)
    assert (scores.n, scores.n_env_errors, scores.accuracy.mean) == (3, 1, 0.5)


def test_cycles_are_averaged_after_the_accuracy_in_each():
    results = [
        result(0, correct=True, cycle="0", question="q"),
        result(1, correct=True, cycle="0", question="r"),
        result(2, correct=False, cycle="0", question="s"),
        result(3, correct=True, cycle="1", question="q"),
        result(4, correct=False, cycle="1", question="r"),
    ]
    scores = score_group(results)
    assert scores.accuracy.mean == pytest.approx((2 / 3 + 1 / 2) / 2)
    assert scores.n_cycles == 2
    assert table_cells({"all": scores})[0][2] == "accuracy over cycles"


def test_cycles_of_one_question_are_resampled_together():
    """Four cycles that always agree are one measurement, not four."""
    one = [result(i, correct=i % 2 == 0) for i in range(30)]
    four = [
        result(4 * i + c, correct=i % 2 == 0, cycle=str(c), question=str(i))
        for i in range(30)
        for c in range(4)
    ]
    narrow = wilson_interval(60, 120)
    alone, together = score_group(one).accuracy, score_group(four).accuracy
    assert together.high - together.low > 1.6 * (narrow.high - narrow.low)
    assert together.high - together.low == pytest.approx(alone.high - alone.low, abs=0.04)


def test_score_of_its_own_name_stands_beside_exact_match():
    results = [result(0, correct=True, score=1.0), result(1, score=0.5), result(2, score=0.0)]
    heads, row = table_cells({"all": score_group(results)}, "ANLS")
    assert heads[2:6] == ("accuracy", "95% interval", "ANLS", "95% interval")
    assert (row[2], row[4]) == ("33.3%", "50.0%")


def test_rmse_is_over_answers_that_could_be_read():
    results = [
        result(0, correct=True, error=0.0),
        result(1, error=-3.0),
        result(2, error=4.0),
        result(3),
        result(4, fault="broken", error=100.0),
    ]
    scores = score_group(results)
    assert scores.rmse.mean == pytest.approx(math.sqrt(25 / 3))
    assert scores.n_unread == 1
    heads, row = table_cells({"all": scores})
    assert (heads[4:6], row[4:6]) == (("RMSE", "no number"), ("2.89", "1"))


def test_columns_that_say_nothing_are_left_out():
    heads = table_cells({"all": score_group(RESULTS)})[0]
    assert not {"RMSE", "ANLS", "pass@1"} & set(heads)
