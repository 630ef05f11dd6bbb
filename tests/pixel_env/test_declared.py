"""Only what a message declares is its answer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixel_env.declared import as_declaration, declared_answer


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (r"\boxed{B}", "B"),
        (r"so \boxed{ B }.", "B"),
        (r"\boxed {B}", "B"),
        ("<answer>B</answer>", "B"),
        ("<ANSWER>\nred mug\n</Answer>", "red mug"),
        (r"\boxed{\text{B}}", "B"),
        (r"\boxed{\textbf{\mathrm{B}}}", "B"),
        (r"\boxed{3\text{ apples}}", "3 apples"),
        (r"\boxed{\frac{1}{2}}", r"\frac{1}{2}"),
        (r"\boxed{35\%}", "35%"),
        (r"\boxed{\{1, 2\}}", "{1, 2}"),
        (r"\boxed{\boxed{A}}", "A"),
        (r"<answer>The answer is \boxed{B}.</answer>", "B"),
        (r"\boxed{A. rubber}", "A. rubber"),
        (r"\boxed{['a', 'b']}", "['a', 'b']"),
        ("<think>It shines.</think>\n<answer>B. rubber", "B. rubber"),
        ("<answer>2 < 3", "2 < 3"),
        (r"<answer>\boxed{B}", "B"),
    ],
)
def test_reads_boxes_and_answer_tags(text, answer):
    assert declared_answer(text) == answer


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Based on the image, the answer is (C)",
        "After zooming in I am sure. Answer: B",
        "There are 4 lights.",
        "I don't know",
        r"\boxed{B",
        "boxed{B}",
        r"\boxed{}",
        r"\boxed{ \text{} }",
        "<answer></answer>",
        "<answer>",
        "<answer>B</b>",
        "<answer>B <tool_call>{}",
        "B</answer>",
        "</answer>B<answer>",
        r"\boxed{a\}",
    ],
)
def test_prose_and_half_declarations_declare_nothing(text):
    assert declared_answer(text) is None


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (r"\boxed{A} no, \boxed{B}", "B"),
        (r"<answer>A</answer> then \boxed{B}", "B"),
        (r"\boxed{A} then <answer>B</answer>", "B"),
        (r"<think>perhaps \boxed{A}</think> It is \boxed{B}", "B"),
        (r"<think>it must be \boxed{A}</think>", "A"),
        (r"\boxed{A} and \boxed{never closed", "A"),
        (r"\boxed{open \boxed{B}", "B"),
        ("<answer>A</answer><answer>B", "B"),
        (r"\boxed{A}, or <answer>B", "B"),
        ("<answer>A</answer> as <answer>B</b>", "A"),
        (r"\boxed{A <answer> B}", "A <answer> B"),
        (r"an unmatched { before \boxed{B}", "B"),
        (r"an unmatched } before \boxed{B}", "B"),
        (r"<answer>A</answer>\boxed{<answer>}", "<answer>"),
    ],
)
def test_the_last_whole_declaration_wins(text, answer):
    assert declared_answer(text) == answer


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (r"<tool_response>\boxed{A}</tool_response>", None),
        ("<tool_response><answer>A</answer></tool_response>", None),
        (r"\boxed{A}<TOOL_RESPONSE>\boxed{B}</TOOL_RESPONSE>", "A"),
        (r"<tool_response>\boxed{A}</tool_response>\boxed{B}", "B"),
        (
            r"<tool_response>x</tool_response> \boxed{B} <tool_response>\boxed{C}</tool_response>",
            "B",
        ),
        (r"<tool_response>\boxed{A}", "A"),
        ("<tool_response><answer>A</tool_response>", None),
        ("<tool_response>x</tool_response><answer>B", "B"),
        (r"\boxed{<tool_response>a</tool_response>}", "<tool_response>a</tool_response>"),
    ],
)
def test_what_an_operation_returned_declares_nothing(text, answer):
    assert declared_answer(text) == answer


def test_an_empty_last_declaration_takes_the_answer_back():
    assert declared_answer(r"\boxed{A}, to be written as \boxed{}") is None


@given(st.text())
def test_any_text_is_read_without_an_error(text):
    for message in (text, "\\boxed{" + text):
        declared = declared_answer(message)
        assert declared is None or (declared and declared == declared.strip())


@given(st.text(alphabet=st.sampled_from("ab \\{}%$<>/answer")))
def test_a_written_declaration_reads_back_as_the_same_answer(text):
    assert declared_answer(as_declaration(text)) == (text.strip() or None)


@given(st.text())
def test_a_written_declaration_of_any_text_reads_back(text):
    assert declared_answer(as_declaration(text)) == (text.strip() or None)


@pytest.mark.parametrize(
    "piece",
    [
        *(r"\boxed{", "{", "}", "<answer>", "</answer>", r"\boxed", "\\", r"\text{", " "),
        *(r"\boxed{a}", "<tool_response>", r"<tool_response></tool_response>\boxed{a}"),
    ],
)
def test_a_million_signs_are_read(piece):
    """A search that goes back over the text for each of its signs would not finish."""
    text = piece * (1_000_000 // len(piece))
    for message in (text, "\\boxed{" + text + "}"):
        declared = declared_answer(message)
        assert declared is None or len(declared) <= len(message)
