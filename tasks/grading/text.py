"""Grades a free answer: an accepted text, up to habits of spelling."""

from __future__ import annotations

from collections.abc import Sequence

from pixel_env.types import Grade, Sample

from .spelling import is_short, loose, plain, quantity, stated, unwrapped


def grade_text(sample: Sample, answer: str) -> Grade:
    """Grades a free answer: 1 where it equals an accepted answer; see `exact_text`."""
    text = unwrapped(answer)
    correct = exact_text(answer, sample.answers)
    parsed = loose(text) or None if text is not None and is_short(text) else None
    return Grade(score=float(correct), correct=correct, parsed=parsed)


def exact_text(answer: str, golds: Sequence[str]) -> bool:
    """Tells whether a declared answer equals one of the accepted answers.

    Case, Unicode form, runs of white space, quotes, brackets around the whole, closing
    punctuation, a leading article and a label ("Answer:") make no difference; nor does how a
    number is written ("three", "1,200", "12 percent"), a time ("3:40pm") or a score ("2 - 0").
    Order, signs, digits and units do: an answer without the accepted one's unit, or with another
    one, is another answer. A message of any length may close with its label.

    Example:
        >>> exact_text('"The White  House."', ["white house"])
        True
        >>> exact_text("house white", ["white house"])
        False
        >>> exact_text("five km", ["5 km"]), exact_text("5", ["5 km"])
        (True, False)
        >>> exact_text("3:40 p.m.", ["3:40pm"]), exact_text("2-0", ["2 - 0"])
        (True, True)
    """
    text = unwrapped(answer)
    if text is None:
        return False
    whole = plain(answer) if is_short(answer) else ""
    if whole and any(whole == plain(gold) for gold in golds):
        return True
    parts = [part for part in (text, stated(text)) if part and is_short(part)]
    forms = {quantity(part) for part in parts} - {""}
    return any(quantity(gold) in forms for gold in golds)
