"""Grades a count as TallyQA does: the whole number, exactly."""

from __future__ import annotations

import re

from pixel_env.errors import DataError
from pixel_env.types import Grade, Sample

from .last_line import is_spoilt
from .message_lines import message_lines
from .spelling import NUMBER_WORDS, THOUSANDS, is_short, loose, plain, stated, unwrapped

MAX_DIGITS = 9
"""A longer number is none that was counted, and would drown every other in an average error."""

_COUNT = re.compile(rf"({THOUSANDS}|[0-9]+|{'|'.join(NUMBER_WORDS)})(?: (.+))?")
_ASKED = re.compile(r"\bhow many (?:of (?:the|these|those) )?(.+)")
_VERB = re.compile(r" (?:are|is|were|was) ")
_NONE = ("none", "there are none")
_IRREGULAR = {
    **{"person": "people", "man": "men", "woman": "women", "child": "children", "foot": "feet"},
    **{"tooth": "teeth", "goose": "geese", "mouse": "mice", "leaf": "leaves", "knife": "knives"},
    **{"shelf": "shelves", "loaf": "loaves"},
}


def grade_count(sample: Sample, answer: str) -> Grade:
    """Grades a count: 1 where the number is an accepted one, with `error` where one was read.

    Args:
        sample: the sample; each of its `answers` is a whole number in digits or words.
        answer: the declared answer; see `declared_count` for what is read as a number.

    Returns:
        The grade; `error` is the number read minus the true one, the nearest where several are
        accepted.

    Raises:
        DataError: an accepted answer is no whole number.
    """
    trues = [declared_count(str(gold)) for gold in sample.answers]
    if not trues or None in trues:
        raise DataError(f"{sample.origin}: expected whole numbers, got {sample.answers!r:.80}")
    number = declared_count(answer, sample.question)
    if number is None:
        return Grade(score=0.0, correct=False, parsed=None)
    error = min((number - true for true in trues if true is not None), key=abs)
    return Grade(float(error == 0), error == 0, str(number), float(error))


def declared_count(answer: str, question: str = "") -> int | None:
    """Reads the one whole number that a declared answer is.

    The answer is the number alone, in digits or as a word from zero to twenty, with or without a
    label ("Answer: 3"), or the number and the words that the question has after "how many". "No"
    before those words is 0, and so is "none" where the question asks how many. Any other noun may
    count something else, and a sentence, a range, a sign, a decimal point or a second number
    leaves open which number is meant. Of a message in prose, the last line is read if it is such
    a number and the line before it is none.

    Args:
        answer: the declared answer or the message, of any length.
        question: what was asked.

    Returns:
        The number, from 0 to 999,999,999; None where the answer is none.

    Example:
        >>> declared_count("Three."), declared_count("1,200")
        (3, 1200)
        >>> declared_count("3 red dogs", "How many red dogs are there?")
        3
        >>> declared_count("3 cats", "How many red dogs are there?") is None
        True
        >>> declared_count("None.", "How many dogs are there?"), declared_count("None.") is None
        (0, True)
    """
    message = unwrapped(answer)
    if message is None:
        return None
    number = _number(message, question)
    label = stated(message) if number is None else None
    if label is not None:
        return _number(label, question)
    return _number_of_last_line(message, question) if number is None else number


def _number_of_last_line(message: str, question: str) -> int | None:
    """Reads a number on a line of its own, unless the line before it is another one."""
    lines = [line.text for line in message_lines(message)[-2:]]
    if len(lines) < 2 or is_spoilt(lines[0]) or _number(lines[0], question) is not None:
        return None
    return _number(lines[1], question)


def _number(text: str, question: str) -> int | None:
    if not is_short(text):
        return None
    spelt = loose(text)
    if _is_none(spelt, question):
        return 0
    match = _COUNT.fullmatch(spelt)
    if match is None or (match[2] is not None and not _is_asked(match[2], question)):
        return None
    digits = match[1].replace(",", "")
    if digits in NUMBER_WORDS:
        return NUMBER_WORDS.index(digits)
    return int(digits) if len(digits) <= MAX_DIGITS else None


def _is_none(spelt: str, question: str) -> bool:
    """Whether a text states that there are none of what a question counts."""
    if spelt in _NONE:
        return _ASKED.search(plain(question)) is not None
    no, _, noun = spelt.partition(" ")
    return no == "no" and bool(noun) and _is_asked(noun, question)


def _is_asked(noun: str, question: str) -> bool:
    """Whether words begin what a question counts; one thing may stand in the singular."""
    asked = _ASKED.search(plain(question))
    if asked is None:
        return False
    counted = asked[1].rstrip("?. ")
    named = noun.split()
    for wanted in (counted.split(), _VERB.sub(" ", counted, count=1).split()):
        begun = wanted[: len(named)]
        is_long_enough = len(begun) == len(named) > 0
        if is_long_enough and named[:-1] == begun[:-1] and begun[-1] in _plurals(named[-1]):
            return True
    return False


def _plurals(word: str) -> tuple[str, ...]:
    """A word itself, and the plurals that it may have."""
    regular = f"{word[:-1]}ies" if word.endswith("y") else f"{word}es"
    return word, f"{word}s", regular, _IRREGULAR.get(word, word)
