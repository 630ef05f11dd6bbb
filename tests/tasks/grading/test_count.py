"""Counts, by property; single cases are in `test_conformance.py`."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixel_env.errors import DataError
from pixel_env.tasks.grading import declared_count, grade_count
from pixel_env.types import Sample

SPELT = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen twenty"
)


def sample(*golds, question="How many dogs are there?") -> Sample:
    return Sample("s", question, (), golds, origin="test.json, row 7")


@given(st.integers(0, 999_999_999), st.integers(0, 999_999_999))
def test_error_is_the_number_read_less_the_true_one(said, true):
    for text in (str(said), f"{said:,}", f"({said}).", f"Answer: {said}"):
        grade = grade_count(sample(str(true)), text)
        assert grade.error == said - true
        assert grade.correct is (said == true)
        assert grade.score == float(said == true)
        assert grade.parsed == str(said)


def test_words_from_zero_to_twenty_are_read():
    assert [declared_count(word) for word in SPELT.split()] == list(range(21))
    assert [declared_count(word.title()) for word in SPELT.split()] == list(range(21))


def test_error_is_to_the_nearest_of_several_accepted_numbers():
    assert grade_count(sample("3", "10"), "9").error == -1
    assert grade_count(sample("3", "10"), "10").correct


def test_golds_that_are_numbers_are_read_as_well():
    assert grade_count(sample(4), "four").correct


@pytest.mark.parametrize("golds", [("many",), ("4", "few"), ("",), (), ("3.5",), ("-1",)])
def test_a_gold_that_is_no_whole_number_is_a_fault_of_the_data(golds):
    with pytest.raises(DataError, match=r"test\.json, row 7: expected whole numbers"):
        grade_count(sample(*golds), "4")


@pytest.mark.parametrize(
    "asked", ["How many dogs are there?", "how many DOGS", "So, how many dogs?"]
)
def test_the_noun_after_how_many_may_follow_the_number(asked):
    assert declared_count("2 dogs", asked) == 2
    assert declared_count("1 dog", asked) == 1
    assert declared_count("2 cats", asked) is None
    assert declared_count("2 dogs", "Are there dogs?") is None


@given(st.text(), st.text())
def test_any_text_is_read_without_an_exception(answer, question):
    number = declared_count(answer, question)
    assert number is None or 0 <= number <= 999_999_999


@pytest.mark.parametrize("digits", [10, 400, 4096])
def test_a_number_that_nobody_counted_gives_no_error_to_average(digits):
    grade = grade_count(sample("4"), "9" * digits)
    assert (grade.score, grade.parsed, grade.error) == (0, None, None)
