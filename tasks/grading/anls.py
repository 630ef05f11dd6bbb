"""Average normalised Levenshtein similarity (ANLS), the score of InfographicsVQA.

Minesh Mathew et al., "InfographicVQA", WACV 2022, after Ali Furkan Biten et al., "Scene Text
Visual Question Answering", ICCV 2019. The rule is the official scorer's: texts are compared in
small letters with their white space evened out, but divided by the lengths as they were written,
in capitals, where "ß" is two letters.
"""

from __future__ import annotations

from collections.abc import Sequence

from pixel_env.types import Grade, Sample

from .spelling import is_short, opened

THRESHOLD = 0.5
"""A lower similarity counts as none: it is another answer, not a misspelt one."""

_NO_LETTER = "\N{REPLACEMENT CHARACTER}"

STRAY_BLANKS = 1
"""How many needless blanks in an answer are measured as they stand."""


def grade_anls(sample: Sample, answer: str) -> Grade:
    """Grades a free answer by ANLS; `correct` is equality under the same evening out.

    The official rule divides by the length as written, so that it pays for blanks: ten of them
    score 0.8 against any word of two letters. An answer is therefore measured without the blanks
    around it, and where it holds more than `STRAY_BLANKS` needless ones, without those. Letters
    that get longer in capitals ("ß", "ﬃ") would pay in the same way: where an answer has more of
    them than any accepted one, they count once.

    Args:
        sample: the sample; its `answers` are all accepted.
        answer: the declared answer.
    """
    text = (opened(answer) or "").strip()
    even = _even(text)
    if not even or not is_short(text):
        return Grade(score=0.0, correct=False, parsed=None)
    if len(text) > len(" ".join(text.split())) + STRAY_BLANKS:
        text = " ".join(text.split())
    correct = any(even == _even(gold) for gold in sample.answers)
    if _growth(text) > max(map(_growth, sample.answers), default=0):
        text = "".join(sign if not _growth(sign) else _NO_LETTER for sign in text)
    return Grade(score=anls(text, sample.answers), correct=correct, parsed=even)


def anls(prediction: str, golds: Sequence[str]) -> float:
    """Returns the ANLS of one answer: 1 less the smallest normalised distance; 0 under 0.5.

    Args:
        prediction: the answer, as written.
        golds: the accepted answers, as written; at least one.

    Returns:
        0, or a number in [0.5, 1].

    Example:
        >>> round(anls("CocaCola", ["Coca Cola", "Coca Cola Company"]), 4)
        0.8889
        >>> anls("The Coca", ["Coca Cola", "Coca Cola Company"])
        0.0
    """
    similarity = max((1 - _normalised_distance(prediction, gold) for gold in golds), default=0.0)
    return similarity if similarity >= THRESHOLD else 0.0


def levenshtein(first: str, second: str) -> int:
    """Returns the smallest number of characters to insert, delete or replace.

    One column of the usual table is held as the bits of two integers, which mark where it rises
    and falls (Gene Myers, "A fast bit-vector algorithm for approximate string matching based on
    dynamic programming", JACM 1999; the form of Heikki Hyyrö, 2003).

    Example:
        >>> levenshtein("kitten", "sitting")
        3
    """
    if not first or not second:
        return len(first) + len(second)
    if len(first) < len(second):
        first, second = second, first  # fewer steps, each over longer integers
    places: dict[str, int] = {}
    for place, sign in enumerate(first):
        places[sign] = places.get(sign, 0) | 1 << place
    everywhere = (1 << len(first)) - 1
    last = 1 << len(first) - 1
    rises, falls, distance = everywhere, 0, len(first)
    for sign in second:
        here = places.get(sign, 0)
        level = (((here & rises) + rises) ^ rises) | here | falls
        rising = falls | ~(level | rises)
        falling = level & rises
        distance += bool(rising & last) - bool(falling & last)
        rising = rising << 1 | 1
        rises = (falling << 1 | ~(level | rising)) & everywhere
        falls = rising & level & everywhere
    return distance


def _normalised_distance(prediction: str, gold: str) -> float:
    """The distance of the evened texts over the longer text's length as written, in capitals."""
    text, true = _even(prediction), _even(gold)
    longest = max(len(prediction.upper()), len(gold.upper()))
    if text == true or longest == 0:
        return 0.0
    if 2 * abs(len(text) - len(true)) > longest:
        return 1.0  # at least as many characters are added or missing: under the threshold
    return levenshtein(text, true) / longest


def _growth(text: str) -> int:
    """How many letters a text has more in capitals."""
    return len(text.upper()) - len(text)


def _even(text: str) -> str:
    return " ".join(text.strip().lower().split())
