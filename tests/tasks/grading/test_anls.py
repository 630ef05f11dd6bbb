"""ANLS against its definition and against the published package `anls_star`."""

from __future__ import annotations

import random

import pytest
from anls_star import anls_score
from hypothesis import given
from hypothesis import strategies as st

from pixel_env.tasks.grading import anls, grade_anls
from pixel_env.tasks.grading.anls import levenshtein
from pixel_env.types import Sample

N_PAIRS = 20_000
LETTERS = "abcdé7 "
"""Few letters, so that pairs are often near; none gets longer in small letters or in capitals."""


def sample(*golds: str) -> Sample:
    return Sample("s", "?", (), golds)


@pytest.mark.parametrize(
    ("prediction", "golds", "score"),
    [
        ("ab", ["ac"], 0.5),
        ("a  b", ["axb"], 0.75),
        ("CocaCola", ["Coca Cola", "Coca Cola Company"], 0.8889),
        ("The Coca", ["Coca Cola", "Coca Cola Company"], 0.0),
        ("", [""], 1.0),
    ],
)
def test_golden_rows_of_the_official_scorer(prediction, golds, score):
    assert anls(prediction, golds) == pytest.approx(score, abs=5e-5)


def test_equals_the_published_package_on_normalised_text():
    draw = random.Random(3)

    def text() -> str:
        return " ".join("".join(draw.choices(LETTERS, k=draw.randrange(11))).split())

    def near(gold: str) -> str:
        signs = list(gold)
        for _ in range(draw.randrange(4)):
            place = draw.randrange(len(signs) + 1)
            signs[place : place + draw.randrange(2)] = draw.choice(LETTERS)
        return " ".join("".join(signs).split())

    n_partial = 0
    for _ in range(N_PAIRS):
        golds = [text() for _ in range(draw.choice((1, 1, 2)))]
        prediction = near(golds[0]) if draw.random() < 0.6 else text()
        if draw.random() < 0.3:
            prediction = prediction.upper()
        score = anls(prediction, golds)
        assert score == anls_score(tuple(golds), prediction), (prediction, golds)
        n_partial += 0 < score < 1
    assert n_partial > N_PAIRS / 4


def table_distance(first: str, second: str) -> int:
    """The definition: the whole table, row by row."""
    row = list(range(len(second) + 1))
    for i, sign in enumerate(first, 1):
        above, row = row, [i]
        for j, other in enumerate(second, 1):
            row.append(min(above[j] + 1, row[-1] + 1, above[j - 1] + (sign != other)))
    return row[-1]


@given(st.text(st.sampled_from("abc"), max_size=80), st.text(st.sampled_from("abcd"), max_size=80))
def test_distance_of_letters_equals_the_table(first, second):
    assert levenshtein(first, second) == table_distance(first, second)


@given(st.text(max_size=12), st.text(max_size=12))
def test_distance_of_any_text_equals_the_table(first, second):
    assert levenshtein(first, second) == table_distance(first, second)


@given(
    st.text(st.sampled_from("abAßﬁ \n"), max_size=12),
    st.lists(st.text(st.sampled_from("abAßŉ \t"), max_size=12), min_size=1, max_size=3),
)
def test_equals_the_official_rule_on_text_as_written(prediction, golds):
    nearest = 1.0
    for gold in golds:
        said, true = (" ".join(text.strip().lower().split()) for text in (prediction, gold))
        length = max(len(gold.upper()), len(prediction.upper()))
        nearest = min(nearest, table_distance(said, true) / length if length else 0.0)
    assert anls(prediction, golds) == (1 - nearest if 1 - nearest >= 0.5 else 0)


@given(st.text(max_size=30), st.lists(st.text(max_size=30), max_size=3))
def test_score_is_0_or_from_the_threshold_to_1(prediction, golds):
    score = anls(prediction, golds)
    assert score == 0 or 0.5 <= score <= 1


def test_without_an_accepted_answer_nothing_scores():
    assert anls("x", []) == 0


@given(st.text().filter(lambda text: "\\" not in text and "<" not in text))
def test_every_gold_grades_1_unless_it_is_blank(gold):
    grade = grade_anls(sample("another answer", gold), gold)
    is_blank = not gold.strip()
    assert (grade.score, grade.correct) == ((0, False) if is_blank else (1, True))


@pytest.mark.parametrize("nothing", ["", " ", " " * 4096, "\n\t", "\\boxed{}", "<answer></answer>"])
def test_empty_answer_grades_0(nothing):
    grade = grade_anls(sample("ab", "white house"), nothing)
    assert (grade.score, grade.correct, grade.parsed, grade.error) == (0.0, False, None, None)


@given(st.text(max_size=20), st.integers(0, 60))
def test_blanks_never_pay_more_than_one_letter(text, n_blanks):
    """A policy that learned to add blanks would otherwise be paid for any text."""
    gold = sample("white house")
    spread = (" " * n_blanks).join(f"({text})")
    dense = len(" ".join(spread.split()))
    if "\\" not in text and "<" not in text:
        limit = 1 - table_distance(" ".join(spread.lower().split()), "white house") / (
            max(dense, len("white house")) + 1
        )
        assert grade_anls(gold, spread).score <= max(limit, 0) + 1e-9


@given(st.text("ßﬁﬃŉΐ", min_size=1, max_size=30), st.text("abcde ", max_size=12))
def test_letters_that_grow_in_capitals_dont_pay(letters, other):
    """A policy that learned to write them would otherwise be paid for any text."""
    gold = "white house"
    said = f"({letters}{other})"
    limit = 1 - table_distance(" ".join(said.split()), gold) / max(len(said), len(gold))
    assert grade_anls(sample(gold), said).score <= max(limit, 0) + 1e-9


def test_letters_that_grow_are_measured_by_the_rule_where_the_accepted_answer_has_them():
    assert grade_anls(sample("Straße"), "Strasße").score == anls("Strasße", ["Straße"])
    assert anls("Strase", ["Straße"]) == 1 - 1 / 7


def test_the_longest_answer_is_graded():
    draw = random.Random(0)
    first, second = ("".join(draw.choices("abcdefgh ", k=4000)) for _ in range(2))
    assert grade_anls(sample(second), first).score == anls(first, [second]) == 0
    assert grade_anls(sample(first), first[:3000] + second[:1000]).score > 0.7


def test_a_far_longer_answer_isnt_compared_at_all(monkeypatch):
    def compared(*_):
        raise AssertionError("compared")

    monkeypatch.setitem(anls.__globals__, "levenshtein", compared)
    assert anls("ab " * 1_000_000, ["ab"] * 5) == 0
    assert grade_anls(sample("ab"), "ab " * 1_000_000).parsed is None
