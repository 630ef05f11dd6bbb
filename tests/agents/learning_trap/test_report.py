"""The table of arms against numbers counted by hand."""

import math
from dataclasses import replace

import pytest

from pixel_env.agents.evaluation.results import EpisodeResult
from pixel_env.agents.learning_trap.arms import ARMS
from pixel_env.agents.learning_trap.report import reading, score_arm, table

ARM = {arm.name: arm for arm in ARMS}


def episode(index, category, calls, correct, errors=0):
    return EpisodeResult(
        index=index,
        sample_id=str(index),
        category=category,
        answer="x",
        parsed="x",
        score=float(correct),
        correct=correct,
        n_calls=calls,
        n_operations=calls - errors,
        n_operation_errors=errors,
        n_turns=calls + 1,
        truncated=False,
        env_error="",
    )


SEEDS = [
    [
        episode(0, "hard", 1, True),
        episode(1, "hard", 2, False, errors=1),
        episode(2, "hard", 0, False),
        episode(3, "easy", 0, True),
    ],
    [
        episode(0, "hard", 1, True),
        episode(1, "hard", 0, True),
        episode(2, "hard", 0, False),
        episode(3, "easy", 1, True, errors=1),
    ],
]


def test_shares_are_counted_over_all_seeds():
    line = score_arm(ARM["curiosity"], SEEDS)
    assert line.by_seed == (0.5, 0.75)
    assert line.accuracy.mean == pytest.approx(5 / 8)
    assert (line.hard.mean, line.easy.mean) == pytest.approx((3 / 6, 1.0))
    assert line.rapr_by_seed == (0.5, 0.5)
    assert line.hard_by_seed == pytest.approx((1 / 3, 2 / 3))
    assert (line.rapr, line.rapr_hard, line.rapr_easy) == pytest.approx((4 / 8, 3 / 6, 1 / 2))
    assert line.selectivity == pytest.approx(0.0)
    assert line.looked_right == pytest.approx(2 / 3)
    assert line.unlooked_right == pytest.approx(1 / 3)
    assert line.unlooked_right_easy == 1.0
    assert line.successful == pytest.approx(3 / 8)
    assert line.error_rate == pytest.approx(2 / 5)


def test_the_interval_resamples_samples_and_keeps_their_seeds_together():
    same = score_arm(ARM["curiosity"], [SEEDS[0]] * 5)
    once = score_arm(ARM["curiosity"], [SEEDS[0]])
    assert same.accuracy == once.accuracy  # five copies of a seed say no more than one


def test_episodes_that_the_data_failed_are_left_out():
    broken = replace(SEEDS[0][2], env_error="unreadable")
    line = score_arm(ARM["curiosity"], [[*SEEDS[0][:2], broken, SEEDS[0][3]]])
    assert line.by_seed == pytest.approx((2 / 3,))
    assert line.hard.mean == pytest.approx(1 / 2)


def test_the_table_has_one_line_an_arm():
    written = table([score_arm(ARM["curiosity"], SEEDS), score_arm(ARM["warm-start"], SEEDS)])
    lines = written.splitlines()
    assert len(lines) == 4
    assert lines[2].startswith("| RL with curiosity | 62.5% |")
    assert {line.count("|") for line in lines} == {14}


def ends(rapr, hard, name):
    line = score_arm(ARM[name], SEEDS)
    alone = {"rapr_by_seed": (rapr, 0.0), "hard_by_seed": (hard, 0.0)}
    return replace(line, rapr=rapr, hard=replace_mean(line.hard, hard), **alone)


def replace_mean(estimate, mean):
    return estimate._replace(mean=mean)


@pytest.mark.parametrize(
    ("without", "paid", "verdict"),
    [
        ((0.05, 0.2), (0.7, 0.4), "The trap appears"),
        ((0.15, 0.2), (0.7, 0.4), "does not appear"),  # calls did not die out
        ((0.05, 0.2), (0.5, 0.4), "does not appear"),  # the bonus did not hold it
        ((0.05, 0.3), (0.7, 0.4), "does not appear"),  # it made too little difference
    ],
)
def test_the_trap_appears_only_where_all_three_marks_are_met(without, paid, verdict):
    text = reading([ends(*without, "no-curiosity"), ends(*paid, "curiosity")])
    assert verdict in text
    assert f"appears on {int(verdict == 'The trap appears')} of 2 seeds" in text
    assert math.isclose(100 * (paid[1] - without[1]), float(text.split(" points")[0].split()[-1]))


@pytest.mark.parametrize(("refused", "verdict"), [(0.9, "is farmed"), (0.2, "is not farmed")])
def test_a_bonus_is_called_farmed_where_more_calls_fail_than_before(refused, verdict):
    start = replace(ends(0.4, 0.1, "warm-start"), error_rate=0.6)
    paid = replace(ends(0.7, 0.2, "curiosity"), error_rate=refused)
    text = reading([start, paid])
    assert f"60.0% are refused after the warm start, and {refused:.1%}" in text
    assert verdict in text


def test_the_best_of_the_other_bonuses_is_named():
    lines = [
        ends(0.0, 0.1, "no-curiosity"),
        ends(0.9, 0.9, "curiosity"),  # the paper's own is no other bonus
        ends(0.4, 0.2, "adaptive"),
        ends(0.6, 0.35, "executed"),
    ]
    others = reading(lines).split("Of the other bonuses, ")[1]
    assert others.startswith('"RL, bonus for executed operations only"')
    assert "+25.0 points" in others
    assert "RaPR 60.0%" in others


def silent(name):
    """An arm that never made a call."""
    quiet = [[replace(each, n_calls=0, n_operation_errors=0) for each in seed] for seed in SEEDS]
    return score_arm(ARM[name], quiet)


def test_nothing_is_claimed_where_no_call_was_made():
    arms = ("warm-start", "no-curiosity", "curiosity", "executed")
    text = reading([silent(name) for name in arms])
    assert text == "No arm made a call of an operation, so nothing follows about the trap.\n"
    text = reading([silent("warm-start"), silent("no-curiosity"), ends(0.7, 0.4, "curiosity")])
    assert "nothing for the RL to lose" in text
    assert "can't be compared" in text
    for claim in ("trap appears", "does not appear", "farmed", "nan"):
        assert claim not in text


def test_a_bonus_that_stopped_all_calls_is_neither_farmed_nor_the_best():
    calls = score_arm(ARM["warm-start"], SEEDS)
    text = reading([calls, ends(0.0, 0.1, "no-curiosity"), silent("curiosity"), silent("executed")])
    assert "After the RL with the bonus no call is made" in text
    assert "The trap does not appear" in text
    assert "farmed" not in text
    assert "Of the other bonuses" not in text
