"""Grades a count as TallyQA does: the whole number, exactly."""

from __future__ import annotations

import re

from pixel_env.errors import DataError
from pixel_env.types import Grade, Sample

from .spelling import NUMBER_WORDS, loose, plain, unwrapped

_COUNT = re.compile(
    rf"([0-9]{{1,9}}|[0-9]{{1,3}}(?:,[0-9]{{3}}){{1,2}}|{'|'.join(NUMBER_WORDS)})(?: (.+))?"
)
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

    The answer is the number alone, in digits or as a word from zero to twenty, or the number and
    the words that the question has after "how many". A sentence, a range, a sign, a fraction or
    a second number makes it none: "3 or 4" has to score what "5" scores.

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
    match = None if said is None else _COUNT.fullmatch(loose(said))
    if match is None or (match[2] is not None and not _is_asked(match[2], question)):
        return None
    digits = match[1].replace(",", "")
    return int(digits) if digits.isdecimal() else NUMBER_WORDS.index(digits)


def _is_asked(noun: str, question: str) -> bool:
    """Whether words begin what a question counts; one thing may stand without its plural's s."""
    asked = _ASKED.search(plain(question))
    if asked is None:
        return False
    said, wanted = noun.split(), asked[1].rstrip("?. ").split()[: len(noun.split())]
    return said == wanted or [*said[:-1], f"{said[-1]}s"] == wanted
