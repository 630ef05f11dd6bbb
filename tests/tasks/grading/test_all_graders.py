"""What holds for every grader: no exception, any length, only the declared text counts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixel_env.declared import declared_answer
from pixel_env.tasks.grading import grade_anls, grade_choice, grade_count, grade_text
from pixel_env.types import Grade, Sample

FREE = Sample("s", "How many dogs are there?", (), ("4", "12"))
OPTIONS = Sample("s", "?", (), ("rubber",), ("cotton", "rubber", "leather"), 1)
GRADERS = [
    pytest.param(grade_choice, OPTIONS, id="choice"),
    pytest.param(grade_text, FREE, id="text"),
    pytest.param(grade_count, FREE, id="count"),
    pytest.param(grade_anls, FREE, id="anls"),
]
PIECES = st.sampled_from(
    [
        *(
            "4",
            "four",
            ",",
            ".",
            "(",
            ")",
            "B",
            "rubber",
            "answer",
            ":",
            " is ",
            "not ",
            " or ",
            "if",
        ),
        *("\\boxed{", "}", "<answer>", "</answer>", "**", "$", "\\text{", " ", "\n"),
        *("²", "½", "４", "。", "\u200b", "\u0301", "\ud800"),
    ]
)


@pytest.mark.parametrize(("grade", "sample"), GRADERS)
@given(answer=st.text() | st.lists(PIECES, max_size=12).map("".join))
def test_any_text_gets_a_grade_that_repeats(grade, sample, answer):
    result = grade(sample, answer)
    assert isinstance(result, Grade)
    assert 0 <= result.score <= 1
    assert result.correct is (result.score == 1)
    assert result.parsed is None or result.parsed != ""
    assert grade(sample, answer) == result


@pytest.mark.parametrize(("grade", "sample"), GRADERS)
@given(prose=st.text(st.characters(exclude_characters="\\<>{}")), answer=st.sampled_from("B47"))
def test_what_stands_around_a_declaration_makes_no_difference(grade, sample, prose, answer):
    alone = grade(sample, answer)
    message = f"{prose}\\boxed{{{answer}}}{prose}"
    declared = declared_answer(message)
    assert declared == answer
    assert grade(sample, declared) == alone
    assert len(message) > 4096 or grade(sample, message) == alone


@pytest.mark.parametrize(("grade", "sample"), GRADERS)
@pytest.mark.parametrize(
    "piece",
    [
        *("a", " ", "(", "answer: ", "B. ", "not ", "\\text{", "\\boxed{", "<answer>", "½", "1,"),
        *("4 ", "\n", "(A) cotton\n", "This matches (B). ", "> "),
    ],
)
def test_a_million_signs_are_graded(grade, sample, piece):
    """A search that goes back over the text for each of its signs would not finish."""
    assert isinstance(grade(sample, piece * (1_000_000 // len(piece))), Grade)


@pytest.mark.parametrize(
    ("grade", "sample", "answer"),
    [
        (grade_choice, OPTIONS, "Answer: B"),
        (grade_choice, OPTIONS, "B"),
        (grade_choice, OPTIONS, "(B) rubber"),
        (grade_choice, OPTIONS, "This matches option (B)."),
        (grade_count, FREE, "Answer: four"),
        (grade_count, FREE, "4 dogs"),
        (grade_text, FREE, "Answer: four"),
    ],
)
@pytest.mark.parametrize("n_sentences", [1, 100, 40_000])
def test_an_answer_is_read_behind_reasoning_of_any_length(grade, sample, answer, n_sentences):
    reasoning = "The kettle stands near the door. " * n_sentences
    assert grade(sample, f"{reasoning}\n\n{answer}").correct
