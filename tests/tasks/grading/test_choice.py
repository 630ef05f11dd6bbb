"""Letters and options' texts, by property; single cases are in `test_conformance.py`."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixel_env.errors import ConfigError
from pixel_env.operations.answer import MAX_ANSWER_CHARS
from pixel_env.tasks.grading import declared_letter, grade_choice
from pixel_env.types import LETTERS, Sample

CHOICES = ("cotton", "rubber", "leather", "wood")
OPTIONS = st.lists(
    st.text(min_size=2, max_size=20).filter(lambda text: text.strip() != "" and "\\" not in text),
    min_size=2,
    max_size=6,
    unique_by=lambda text: "".join(filter(str.isalnum, text.casefold())) or text.strip(),
)


def sample(choices=CHOICES, right=1, answers=None):
    return Sample("s", "?", (), answers or (choices[right],), tuple(choices), right)


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


@pytest.mark.parametrize(
    "nothing", ["", " ", "\n\t", ".", "\\boxed{}", "<answer></answer>", "\u200b"]
)
def test_empty_answer_grades_0(nothing):
    grade = grade_choice(sample(), nothing)
    assert (grade.score, grade.correct, grade.parsed, grade.error) == (0.0, False, None, None)


@given(st.text())
def test_any_text_is_graded_without_an_exception(answer):
    assert declared_letter(answer, CHOICES) in (None, 0, 1, 2, 3)


PIECES = [
    "A",
    "B",
    "b",
    "(C)",
    "rubber",
    "cotton",
    "or",
    "not",
    "is",
    "answer",
    ":",
    ".",
    ",",
    "\n",
]


@given(st.lists(st.sampled_from(PIECES), max_size=8).map(" ".join))
def test_an_option_is_read_only_if_its_letter_or_text_was_said(answer):
    index = declared_letter(answer, CHOICES)
    if index is not None:
        words = answer.casefold().replace("(", " ").replace(")", " ").split()
        assert {"abcd"[index], CHOICES[index]} & set(words)


@given(st.sampled_from("ABCD"), st.sampled_from("ABCD"), st.sampled_from([" or ", ", ", "/", "\n"]))
def test_two_letters_are_never_read_as_one(first, second, between):
    if first != second:
        for answer in (first + between + second, f"({first}){between}({second})"):
            assert declared_letter(answer, CHOICES) is None


def test_a_declared_answer_has_a_bound_and_a_message_has_none():
    overlong = "B" + " because it shines" * MAX_ANSWER_CHARS
    assert declared_letter(f"\\boxed{{{overlong}}}", CHOICES) is None
    assert declared_letter("B" + " " * MAX_ANSWER_CHARS, CHOICES) == 1
    assert declared_letter("It shines.\n" * MAX_ANSWER_CHARS + "\nB", CHOICES) == 1


def test_options_past_z_are_named_by_their_text():
    many = tuple(f"option number {index}" for index in range(30))
    grade = grade_choice(sample(many, right=29), "option number 29")
    assert (grade.correct, grade.parsed) == (True, "option number 29")


def test_choice_grader_refuses_a_sample_without_options():
    with pytest.raises(ConfigError, match="has no options; use grade_text"):
        grade_choice(Sample("s", "?", (), ("white house",)), "B")
