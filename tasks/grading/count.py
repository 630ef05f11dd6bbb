"""Grades a count as TallyQA does: the whole number, exactly."""

from __future__ import annotations

import re

from pixel_env.errors import DataError
from pixel_env.types import Grade, Sample

from .spelling import NUMBER_WORDS, THOUSANDS, loose, plain, stated, unwrapped

MAX_DIGITS = 9
"""A longer number is none that was counted, and would drown every other in an average error."""

_COUNT = re.compile(rf"({THOUSANDS}|[0-9]+|{'|'.join(NUMBER_WORDS)})(?: (.+))?")
_ASKED = re.compile(r"\bhow many (.+)")


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
    label ("Answer: 3"), or the number and the words that the question has after "how many". Any
    other noun may count something else, and a sentence, a range, a sign, a decimal point or a
    second number leaves open which number is meant.

    Args:
        answer: the declared answer.
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
    """
    said = unwrapped(answer)
    if said is None:
        return None
    number = _number(said, question)
    label = stated(said) if number is None else None
    return number if label is None else _number(label, question)


def _number(text: str, question: str) -> int | None:
    match = _COUNT.fullmatch(loose(text))
    if match is None or (match[2] is not None and not _is_asked(match[2], question)):
        return None
    digits = match[1].replace(",", "")
    if digits in NUMBER_WORDS:
        return NUMBER_WORDS.index(digits)
    return int(digits) if len(digits) <= MAX_DIGITS else None


def _is_asked(noun: str, question: str) -> bool:
    """Whether words begin what a question counts; one thing may stand without its plural's s."""
    asked = _ASKED.search(plain(question))
    if asked is None:
        return False
    said, wanted = noun.split(), asked[1].rstrip("?. ").split()[: len(noun.split())]
    return said == wanted or [*said[:-1], f"{said[-1]}s"] == wanted
