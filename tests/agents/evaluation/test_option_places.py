"""Places of right and chosen options, counted by hand."""

from __future__ import annotations

import pytest
from made_results import result

from pixel_env.agents.evaluation.option_places import audit_places, chosen_place
from pixel_env.agents.evaluation.statistics import wilson_interval

CHOICES = ("red", "Dark blue", "red ", "green")


@pytest.mark.parametrize(
    ("parsed", "place"),
    [
        ("A", 0),
        ("d", 3),
        ("E", None),
        ("dark blue", 1),
        ("GREEN ", 3),
        ("red", None),
        ("", None),
        (None, None),
        ("purple", None),
    ],
)
def test_place_of_what_was_understood(parsed, place):
    assert chosen_place(parsed, CHOICES) == place


def answered(index, right, chosen, n_choices=4, **fields):
    fields = {"n_choices": n_choices, "right_choice": right, "chosen": chosen, **fields}
    return result(index, correct=right == chosen, **fields)


def test_counts_and_accuracy_by_place():
    audit = audit_places(
        [
            answered(0, 0, 0),
            answered(1, 0, 1),
            answered(2, 1, 1),
            answered(3, 2, None),
            answered(4, 3, 1),
            answered(5, 3, 1, fault="broken"),
            result(6),
        ]
    )
    assert [(place.letter, place.n_right, place.n_chosen) for place in audit.places] == [
        ("A", 2, 1),
        ("B", 1, 3),
        ("C", 1, 0),
        ("D", 1, 0),
    ]
    assert audit.n_none == 1
    assert audit.places[0].accuracy == wilson_interval(1, 2)
    # expected 5/4 each; (9/16 + 3 * 1/16) / (5/4)
    assert audit.right.statistic == pytest.approx(0.6)
    # four named an option, one expected each: 0 + 4 + 1 + 1
    assert audit.chosen.statistic == pytest.approx(6.0)
    assert audit.chosen.degrees == 3
    # accuracies 1/2, 1, 0, 0: mean 3/8, variance (1/64 + 25/64 + 9/64 + 9/64) / 4
    assert audit.recall_spread == pytest.approx((44 / 64 / 4) ** 0.5)


def test_always_the_first_option_is_found_out():
    audit = audit_places([answered(i, i % 4, 0) for i in range(80)])
    assert audit.right.p == pytest.approx(1.0)
    assert audit.chosen.statistic == pytest.approx(240.0)
    assert audit.chosen.p < 1e-40
    assert [place.accuracy.mean for place in audit.places] == [1, 0, 0, 0]


def test_samples_with_two_options_expect_nothing_at_the_third():
    audit = audit_places([answered(0, 0, 0, n_choices=2), answered(1, 1, 1), answered(2, 3, 0)])
    # expected 1/2 + 1/4 + 1/4 at A and B, 1/2 at C and D; right at A, B and D
    assert audit.right.statistic == pytest.approx(0 + 0 + 0.5 + 0.5)


def test_tests_take_one_episode_of_each_sample():
    once = audit_places([answered(i, i % 4, 0) for i in range(8)])
    often = audit_places([answered(i, i % 4, 0, repeat=k) for i in range(8) for k in range(3)])
    assert often.chosen == once.chosen
    assert often.places[0].n_chosen == 24


def test_free_answers_have_no_places():
    assert audit_places([result(0), result(1)]) is None
