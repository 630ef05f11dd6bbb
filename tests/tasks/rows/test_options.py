"""Options out of a question's text, and which of them is right."""

from __future__ import annotations

import pytest

from pixel_env.errors import DataError
from pixel_env.tasks.rows.options import (
    checked_choices,
    index_of_text,
    right_choice,
    split_question,
)
from pixel_env.tasks.rows.row import Row

ROW = Row({"answer": 1}, "q.jsonl row 3")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Q?\n(A) x\n(B) y", ("Q?", ("x", "y"))),
        ("Q?\nA. x\nB. y\nC. z", ("Q?", ("x", "y", "z"))),
        ("Q?\nOptions:\nA) x\nB) y", ("Q?", ("x", "y"))),
        ("Q?\nA: x\nB: y\nPlease select the right one.", ("Q?", ("x", "y"))),
        ("Q\r\nmore?\r\n(A) x\r\nlong\r\n(B) y", ("Q more?", ("x long", "y"))),
        ("Q?\n(A) x\n(C) y", ("Q? (A) x (C) y", ())),
        ("Is (A) or (B) on the left?", ("Is (A) or (B) on the left?", ())),
        ("A. Smith is where?", ("A. Smith is where?", ())),
        ("Q?\n\n\n(A) x\n \n(B) y\n\n", ("Q?", ("x", "y"))),
        ("Q?\nChoices\nA.\nx\nB.\ny", ("Q?", ("x", "y"))),
        ("Answer with the option's letter", ("", ())),
        ("", ("", ())),
    ],
)
def test_options_stand_under_the_question(text, expected):
    assert split_question(text) == expected


def test_a_million_blank_lines_are_split():
    """A search that goes back over the blank lines for each of them would not finish."""
    blank = "\n" * 500_000 + " " * 500_000
    assert split_question(f"Q?{blank}\n(A) x{blank}\n(B) y{blank}") == ("Q?", ("x", "y"))
    assert split_question(blank) == ("", ())


def test_listed_options_lose_letters_of_their_own():
    assert checked_choices(ROW, ["(A) x", "(B) y"], "choices") == ("x", "y")
    assert checked_choices(ROW, ["A vest", "B road"], "choices") == ("A vest", "B road")
    assert checked_choices(ROW, [1, 2.5], "choices") == ("1", "2.5")
    assert checked_choices(ROW, [1.0, 2.0], "choices") == ("1", "2")
    assert checked_choices(ROW, ["a) x", "b) y"], "choices") == ("x", "y")
    assert checked_choices(ROW, ["A - x", "B - y"], "choices") == ("x", "y")
    assert checked_choices(ROW, ["[A] x", "[B] y"], "choices") == ("x", "y")


@pytest.mark.parametrize(
    "options",
    [
        ["A. Smith", "Bob"],
        ["J. Smith", "A. Miller", "K. Jones"],
        ["A", "B"],
        ["(A)", "(B)"],
        ["a.m.", "p.m."],
        ["A vest", "B road"],
        ["none", "A: x"],
    ],
)
def test_other_letters_belong_to_the_options(options):
    assert checked_choices(ROW, options, "choices") == tuple(options)


@pytest.mark.parametrize(
    "options",
    [["B. x", "A. y"], ["B. x", "C. y"], ["A. x", "B. y", "none of these"], ["(B) x", "(A) y"]],
)
def test_letters_in_another_order_are_refused(options):
    with pytest.raises(DataError, match=r"^q\.jsonl row 3: .*carry letters of their own"):
        checked_choices(ROW, options, "choices")


@pytest.mark.parametrize("values", ["xy", ["x"], [], None, [["x"], "y"], ["x", " "], ["x", None]])
def test_options_of_the_wrong_type_are_refused(values):
    with pytest.raises(DataError, match=r"^q\.jsonl row 3: .*'choices'"):
        checked_choices(ROW, values, "choices")


@pytest.mark.parametrize(
    ("answer", "index"), [(0, 0), (2, 2), ("B", 1), ("(c)", 2), ("b.", 1), ("a  cup", 0)]
)
def test_right_option_by_index_letter_or_text(answer, index):
    assert right_choice(ROW, "answer", ("a cup", "a mug", "a jar"), answer) == index


@pytest.mark.parametrize("answer", [3, -1, True, "D", "d", "AB", "", "a pot", ["A"], 1.0])
def test_answer_that_names_no_option_is_refused(answer):
    with pytest.raises(DataError, match="expected an answer from A to C"):
        right_choice(ROW, "answer", ("a cup", "a mug", "a jar"), answer)


def test_text_of_two_options_names_none():
    assert index_of_text("x", ("x", "y", "x")) is None
    assert index_of_text(" y ", ("x", "y", "x")) == 1


LONG = {
    "blank lines": "What?" + "\n" * 200_000 + "(A) x\n(B) y",
    "blank lines of spaces": "What?" + "\n \t" * 100_000 + "(A) x\n(B) y",
    "spaces before an option": "What?\n" + " " * 200_000 + "(A) x\n(B) y",
    "spaces behind a heading": "What?\nOptions" + " " * 200_000 + ":\n(A) x\n(B) y",
    "spaces behind the last option": "What?\n(A) x\n(B) y" + " \n" * 100_000,
}


@pytest.mark.parametrize("text", LONG.values(), ids=LONG)
def test_a_question_is_split_in_time_that_grows_with_its_length(text):
    """Quadratic work on these would take minutes."""
    assert split_question(text) == ("What?", ("x", "y"))
