"""Options of a question: out of its text, out of columns, and which of them is right."""

from __future__ import annotations

import re
from typing import Any

from pixel_env.types import LETTERS

from .row import Row

_OPTION = re.compile(r"^\s*(?:\(([A-Z])\)|([A-Z])[.):](?=\s))[ \t]*", re.MULTILINE)
_INSTRUCTION = re.compile(
    r"\n\s*(?:Answer with the option's letter|Please select|Select the (?:correct|best)"
    r"|Choose the (?:correct|best))[^\n]*\s*$",
    re.IGNORECASE,
)
_SPACES = re.compile(r"[^\S\n]+")
_LINE_ENDS = re.compile(r"(?:\n ?)+")
_HEADING = re.compile(r"\n\s*(?:options|choices)\s*:?\s*$", re.IGNORECASE)


def split_question(text: str) -> tuple[str, tuple[str, ...]]:
    r"""Splits a question from options that stand under it, each on a line of its own.

    An instruction in the last line ("Answer with the option's letter ...") is left out. Lines are
    options where their letters are A, B, ... in order and there are at least two.

    Returns:
        The question and the options without letters, each in one line; no options where the text
        has none.

    Example:
        >>> split_question("What is it?\n(A) a cup\n(B) a mug\nAnswer with the option's letter.")
        ('What is it?', ('a cup', 'a mug'))
        >>> split_question("How many?")
        ('How many?', ())
    """
    # Runs of white space first: the patterns below would try each of a long one anew.
    text = _LINE_ENDS.sub("\n", _SPACES.sub(" ", text.replace("\r\n", "\n")))
    text = _INSTRUCTION.sub("", "\n" + text)
    question, *parts = _OPTION.split(text)
    letters = [first or second for first, second in zip(parts[::3], parts[1::3], strict=True)]
    choices = tuple(" ".join(part.split()) for part in parts[2::3])
    if len(choices) < 2 or letters != list(LETTERS[: len(letters)]):
        return " ".join(text.split()), ()
    return " ".join(_HEADING.sub("", question.rstrip()).split()), choices


def checked_choices(row: Row, values: Any, column: str) -> tuple[str, ...]:
    """Returns options that a column lists, each in one line, without letters of their own.

    Raises:
        DataError: not a list of at least two texts, or one is blank.
    """
    if not isinstance(values, list | tuple) or len(values) < 2:
        raise row.fault(f"expected a list of options in column {column!r}, got {values!r:.80}")
    if not all(isinstance(value, str | int | float) for value in values):
        raise row.fault(f"expected options as text in column {column!r}, got {values!r:.80}")
    choices = tuple(" ".join(str(value).split()) for value in values)
    marked = [_OPTION.match(choice) for choice in choices]
    if all(mark and (mark[1] or mark[2]) == LETTERS[i] for i, mark in enumerate(marked)):
        choices = tuple(_OPTION.sub("", choice, count=1) for choice in choices)
    if "" in choices:
        raise row.fault(f"a blank option in column {column!r}: {choices}")
    return choices


def right_choice(row: Row, column: str, choices: tuple[str, ...], answer: Any = None) -> int:
    """Reads which option a column says is right: by index from 0, by letter, or by its text.

    A letter is taken for a letter even where it is some option's text.

    Args:
        row: the row.
        column: where it says so.
        choices: the options.
        answer: what to read instead of the column's value.

    Raises:
        DataError: it names none of the options, or several.
    """
    value = row.value(column) if answer is None else answer
    shown = LETTERS[: len(choices)]
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < len(choices):
        return value
    if isinstance(value, str):
        letter = value.strip().strip("().").upper()
        if len(letter) == 1 and letter in shown:
            return shown.index(letter)
        index = index_of_text(value, choices)
        if index is not None:
            return index
    raise row.fault(
        f"expected {_with_article(column)} from {shown[0]} to {shown[-1]}, or the text of one "
        f"option, got {value!r:.80}"
    )


def index_of_text(text: str, choices: tuple[str, ...]) -> int | None:
    """Returns the one option with a text, up to white space; None where none or several have it."""
    said = " ".join(text.split())
    found = [index for index, choice in enumerate(choices) if choice == said]
    return found[0] if len(found) == 1 else None


def _with_article(noun: str) -> str:
    return f"an {noun}" if noun[:1] in "aeiou" else f"a {noun}"
