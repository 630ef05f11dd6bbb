"""Scores of a hand-made set of episodes."""

from __future__ import annotations

import math

import pytest
from pixel_env.agents.scores import (
    COLUMNS,
    EpisodeResult,
    cells,
    markdown_table,
    score_group,
    score_table,
)


def result(index, correct=False, calls=0, errors=0, category="a", truncated=False, fault=""):
    return EpisodeResult(
        index=index,
        sample_id=str(index),
        category=category,
        answer=None if truncated or fault else "A",
        parsed=None,
        score=float(correct),
        correct=correct,
        n_calls=calls,
        n_operations=calls - errors,
        n_operation_errors=errors,
        n_turns=calls + 1,
        truncated=truncated,
        env_error=fault,
    )


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
    assert cells(scores) == ("all", "0", "-", "-", "-", "-", "-", "0", "1")


def test_markdown_table_has_a_line_for_each_label():
    table = markdown_table({"base": score_group(RESULTS[:2]), "RL": score_group(RESULTS)})
    lines = table.splitlines()
    assert len(lines) == 4
    assert {line.count("|") for line in lines} == {len(COLUMNS) + 1}
    assert lines[2].startswith(
        "| base | 2 | 100.0% | 34.2 to 100.0 | 50.0% | 1.00 | 0.0% | 0 | 0 |"
    )
    assert lines[3].startswith("| RL | 4 | 50.0% |")


def test_calls_that_failed_count_for_rapr():
    assert score_group([result(0, calls=1, errors=1)]).rapr.mean == pytest.approx(1.0)
