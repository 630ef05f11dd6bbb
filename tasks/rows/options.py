"""Options of a question: out of its text, out of columns, and which of them is right."""

from __future__ import annotations

import math
import re
from typing import Any

from pixel_env.types import LETTERS

from .row import Row

_OPTION = re.compile(r"\s*(?:\(([A-Z])\)|([A-Z])[.):](?=\s))[ \t]*")
_INSTRUCTION = re.compile(
    r"\s*(?:Answer with the option's letter|Please select|Select the (?:correct|best)"
    r"|Choose the (?:correct|best))",
    re.IGNORECASE,
)
_HEADING = re.compile(r"(?:options|choices) ?:?", re.IGNORECASE)
_CARRIED = re.compile(
    r"\s*(?:option |choice )?(?:[(\[]([A-Za-z])[)\]]\s*|([A-Za-z])(?:[.):]\s*|\s[-–—]\s+))(?=\S)",
    re.IGNORECASE,
)
_PAIRED = ({"label", "text"}, {"labels", "texts"}, {"letter", "text"})


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
    lines = text.replace("\r\n", "\n").split("\n")
    last = max((place for place, line in enumerate(lines) if line.strip()), default=0)
    if _INSTRUCTION.match(lines[last]):
        del lines[last:]
    parts: list[tuple[str, list[str]]] = [("", [])]  # a letter, and the lines that follow it
    for number, line in enumerate(lines, 1):
        option = _OPTION.match(line if number == len(lines) else f"{line}\n")
        if option is not None:
            parts.append((option[1] or option[2], []))
        parts[-1][1].append(line[option.end() :] if option else line)
    question, *choices = (" ".join(" ".join(part).split()) for _, part in parts)
    letters = [letter for letter, _ in parts[1:]]
    if len(choices) < 2 or letters != list(LETTERS[: len(letters)]):
        return " ".join(" ".join(lines).split()), ()
    above = [line for line in parts[0][1] if line.strip()]
    if above and _HEADING.fullmatch(" ".join(above[-1].split())):
        question = " ".join(" ".join(above[:-1]).split())
    return question, tuple(choices)


def listed_choices(row: Row, column: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Returns the options of a column that holds a list, or an object of letters or numbers.

    Args:
        row: the row.
        column: a list of options; {"A": "a cup", "B": "a mug"}, the keys letters from A or
            numbers from 0 or 1; or {"label": ["A", "B"], "text": ["a cup", "a mug"]}.

    Returns:
        The options, as `checked_choices` returns them, and the names that the row gives them; no
        names where it lists them without.

    Raises:
        DataError: it holds something else.
    """
    values = row.value(column)
    if not isinstance(values, dict):
        return checked_choices(row, values, column), ()
    paired = next((names for names in _PAIRED if set(values) == names), None)
    if paired is not None:
        names, texts = (values[name] for name in sorted(paired))
    else:
        filled = {str(name): value for name, value in values.items() if value is not None}
        names = sorted(filled, key=lambda name: (len(name), name.upper()))
        texts = [filled[name] for name in names]
    choices = checked_choices(row, texts, column)
    named = tuple(str(name).strip().upper() for name in names or ())
    starts = (tuple(LETTERS), tuple(map(str, range(99))), tuple(map(str, range(1, 99))))
    if not any(named == start[: len(choices)] for start in starts):
        raise row.fault(
            f"expected options under the letters from A, or numbers from 0 or 1, in column "
            f"{column!r}, got {values!r:.80}"
        )
    return choices, named


def checked_choices(row: Row, values: Any, column: str) -> tuple[str, ...]:
    """Returns options that a column lists, each in one line, without letters of their own.

    Raises:
        DataError: not a list of at least two texts, or one is blank.
    """
    if not isinstance(values, list | tuple) or len(values) < 2:
        raise row.fault(f"expected a list of options in column {column!r}, got {values!r:.80}")
    if not all(isinstance(value, str | int | float) for value in values):
        raise row.fault(f"expected options as text in column {column!r}, got {values!r:.80}")
    if any(isinstance(value, float) and not math.isfinite(value) for value in values):
        raise row.fault(f"expected options in column {column!r}, got {values!r:.80}")
    numbers = [value for value in values if isinstance(value, float)]
    if all(number.is_integer() for number in numbers):  # whole numbers beside a missing one
        values = [int(value) if isinstance(value, float) else value for value in values]
    choices = _without_letters(row, tuple(" ".join(str(value).split()) for value in values), column)
    if "" in choices:
        raise row.fault(f"a blank option in column {column!r}: {choices}")
    return choices


def _without_letters(row: Row, choices: tuple[str, ...], column: str) -> tuple[str, ...]:
    """Takes letters off options that carry them in order, as they will be shown under.

    Raises:
        DataError: they carry letters in another order, or not all of them do; shown under
            letters of ours as well, neither the question nor an answer would be clear.
    """
    marks = [_CARRIED.match(choice) for choice in choices]
    letters = [(mark[1] or mark[2]).upper() if mark else "" for mark in marks]
    shown = list(LETTERS[: len(choices)])
    if letters == shown:
        return tuple(
            choice[mark.end() :] for choice, mark in zip(choices, marks, strict=True) if mark
        )
    at_own_place = [letter for letter, own in zip(letters, shown, strict=False) if letter == own]
    is_partly = 2 <= len(at_own_place) == len([letter for letter in letters if letter])
    is_mixed = "" not in letters and sorted(letters) == shown
    first = LETTERS.find(letters[0]) if letters[0] else -1
    is_shifted = first > 0 and letters == list(LETTERS[first : first + len(letters)])
    if is_partly or is_mixed or is_shifted:
        raise row.fault(
            f"options in column {column!r} carry letters of their own, which aren't those from "
            f"{shown[0]} to {shown[-1]} in order: {choices!r:.120}; leave the letters out"
        )
    return choices


def right_choice(row: Row, column: str, choices: tuple[str, ...], answer: Any = None) -> int:
    """Reads which option a column marks as right: by index from 0, by letter, or by its text.

    A letter is taken for a letter even where it is some option's text.

    Args:
        row: the row.
        column: where it is marked.
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
    wanted = " ".join(text.split())
    found = [index for index, choice in enumerate(choices) if choice == wanted]
    return found[0] if len(found) == 1 else None


def _with_article(noun: str) -> str:
    return f"an {noun}" if noun[:1] in "aeiou" else f"a {noun}"
