"""The graders, case by case (`grading_cases.jsonl`) and by property."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pixel_env.tasks.grading import (
    MAX_ANSWER_CHARS,
    declared_letter,
    exact_text,
    grade_choice,
    grade_text,
)

from pixel_env.errors import ConfigError
from pixel_env.types import LETTERS, Sample

CASES = [
    json.loads(line)
    for line in (Path(__file__).parent / "grading_cases.jsonl").read_text("utf-8").splitlines()
]
CHOICES = ("cotton", "rubber", "leather", "wood")
OPTIONS = st.lists(
    st.text(min_size=2, max_size=20).filter(lambda text: text.strip() != "" and "\\" not in text),
    min_size=2,
    max_size=6,
    unique_by=lambda text: "".join(filter(str.isalnum, text.casefold())) or text.strip(),
)


def sample(choices=CHOICES, right=1, answers=None):
    return Sample("s", "?", (), answers or (choices[right],), tuple(choices), right)


@pytest.mark.parametrize(
    "case", [c for c in CASES if c["kind"] == "choice"], ids=lambda c: c["reason"]
)
def test_letter_conformance(case):
    assert declared_letter(case["answer"], case["choices"]) == case["expected"]


@pytest.mark.parametrize(
    "case", [c for c in CASES if c["kind"] == "text"], ids=lambda c: c["reason"]
)
def test_text_conformance(case):
    assert exact_text(case["answer"], case["golds"]) is case["expected"]


def test_corpus_is_large_and_every_case_has_its_own_reason():
    reasons = [(case["kind"], case["reason"]) for case in CASES]
    assert len(CASES) >= 120
    assert len(set(reasons)) == len(reasons)


@pytest.mark.parametrize("right", range(4))
@pytest.mark.parametrize(
    "form", ["{}", "({})", "{}.", "Answer: {}", "The answer is ({}).", "\\boxed{{{}}}"]
)
def test_right_letter_grades_1_and_every_other_letter_0(right, form):
    for index, letter in enumerate(LETTERS[:4]):
        grade = grade_choice(sample(right=right), form.format(letter))
        assert grade.correct is (index == right)
        assert grade.score == float(index == right)
        assert grade.parsed == letter


@given(OPTIONS, st.data())
def test_gold_letter_and_letter_with_text_grade_1(options, data):
    right = data.draw(st.integers(0, len(options) - 1))
    shown = sample(options, right)
    assert grade_choice(shown, LETTERS[right]).score == 1
    assert grade_choice(shown, f"({LETTERS[right]})").score == 1


@given(
    st.lists(
        st.from_regex(r"[a-z]{2,8}( [a-z]{2,8}){0,3}", fullmatch=True),
        min_size=2,
        max_size=6,
        unique=True,
    ),
    st.data(),
)
def test_gold_text_grades_1(options, data):
    right = data.draw(st.integers(0, len(options) - 1))
    shown = sample(options, right)
    assert grade_choice(shown, options[right]).score == 1
    assert grade_choice(shown, f"{LETTERS[right]}. {options[right]}").score == 1


@given(st.text(max_size=40).filter(lambda text: "\\" not in text and "<" not in text))
def test_gold_free_answer_grades_1_if_any_of_it_can_be_seen(gold):
    seen = [c for c in gold if unicodedata.category(c) != "Cf" and not c.isspace()]
    assert grade_text(sample(answers=(gold,)), gold).correct is (seen != [])


@pytest.mark.parametrize(
    "nothing", ["", " ", "\n\t", ".", "\\boxed{}", "<answer></answer>", "\u200b"]
)
def test_empty_answer_grades_0(nothing):
    for grade in (grade_choice(sample(), nothing), grade_text(sample(), nothing)):
        assert (grade.score, grade.correct, grade.parsed) == (0.0, False, None)


def test_empty_gold_is_never_matched():
    assert not exact_text("", [""])
    assert not exact_text(" ", [" ", ""])


@given(st.text())
def test_any_text_is_graded_without_an_exception(answer):
    assert declared_letter(answer, CHOICES) in (None, 0, 1, 2, 3)
    assert isinstance(exact_text(answer, ["white house"]), bool)


def test_overlong_text_is_no_answer():
    assert declared_letter("B" + " " * MAX_ANSWER_CHARS, CHOICES) is None
    assert not exact_text("x" * 10_000_000, ["x"])


def test_options_past_z_are_named_by_their_text():
    many = tuple(f"option number {index}" for index in range(30))
    grade = grade_choice(sample(many, right=29), "option number 29")
    assert (grade.correct, grade.parsed) == (True, "option number 29")


def test_choice_grader_refuses_a_sample_without_options():
    with pytest.raises(ConfigError, match="has no options; use grade_text"):
        grade_choice(Sample("s", "?", (), ("white house",)), "B")
