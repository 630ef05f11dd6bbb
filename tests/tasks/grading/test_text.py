"""Free answers, by property; single cases are in `test_conformance.py`."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixel_env.operations.answer import MAX_ANSWER_CHARS
from pixel_env.tasks.grading import exact_text, grade_text
from pixel_env.types import Sample

WORDS = {0: "zero", 1: "one", 9: "nine", 12: "twelve", 13: "thirteen", 20: "twenty"}


def sample(*golds: str) -> Sample:
    return Sample("s", "?", (), golds)


@given(st.text(max_size=40).filter(lambda text: "\\" not in text and "<" not in text))
def test_gold_answer_grades_1_if_any_of_it_can_be_seen(gold):
    seen = [sign for sign in gold if unicodedata.category(sign) != "Cf" and not sign.isspace()]
    assert grade_text(sample(gold), gold).correct is (seen != [])


@given(st.integers(0, 10**12), st.integers(0, 10**12), st.sampled_from(["", " km", "%", " dogs"]))
def test_separators_never_make_two_numbers_equal(first, second, unit):
    said, gold = f"{first:,}{unit}", f"{second}{unit}"
    assert exact_text(said, [gold]) is (first == second)


@pytest.mark.parametrize("number", WORDS)
@pytest.mark.parametrize("unit", ["", " km", " percent"])
def test_a_number_word_is_its_number_and_no_other(number, unit):
    for other in WORDS:
        assert exact_text(WORDS[number] + unit, [f"{other}{unit}"]) is (number == other)
        assert exact_text(f"{other}{unit}", [WORDS[number].upper() + unit]) is (number == other)


@given(st.text(max_size=20), st.text(max_size=20))
def test_equality_doesnt_depend_on_which_is_the_gold(first, second):
    plain = [text for text in (first, second) if not {"\\", "<", "*"} & set(text)]
    if len(plain) == 2 and "answer" not in (first + second).casefold():
        assert exact_text(first, [second]) is exact_text(second, [first])


@pytest.mark.parametrize(
    "nothing", ["", " ", "\n\t", ".", "\\boxed{}", "<answer></answer>", "\u200b"]
)
def test_empty_answer_grades_0(nothing):
    grade = grade_text(sample("white house"), nothing)
    assert (grade.score, grade.correct, grade.parsed, grade.error) == (0.0, False, None, None)


def test_empty_gold_is_never_matched():
    assert not exact_text("", [""])
    assert not exact_text(" ", [" ", ""])
    assert not exact_text("x", [])


@given(st.text())
def test_any_text_is_graded_without_an_exception(answer):
    assert isinstance(exact_text(answer, ["white house", "3"]), bool)


def test_overlong_text_is_no_answer():
    assert exact_text("x" * MAX_ANSWER_CHARS, ["x" * MAX_ANSWER_CHARS])
    assert not exact_text("x" * (MAX_ANSWER_CHARS + 1), ["x" * (MAX_ANSWER_CHARS + 1)])
