"""Grades a free answer: an accepted text, up to habits of spelling."""

from __future__ import annotations

from collections.abc import Sequence

from pixel_env.types import Grade, Sample

from .spelling import loose, plain, quantity, stated, unwrapped


def grade_text(sample: Sample, answer: str) -> Grade:
    """Grades a free answer: 1 where it equals an accepted answer; see `exact_text`."""
    said = unwrapped(answer)
    correct = exact_text(answer, sample.answers)
    parsed = None if said is None else loose(said) or None
    return Grade(score=float(correct), correct=correct, parsed=parsed)


def exact_text(answer: str, golds: Sequence[str]) -> bool:
    """Tells whether a declared answer equals one of the accepted answers.

    Case, Unicode form, runs of white space, quotes, brackets around the whole, closing
    punctuation, a leading article and a label ("Answer:") make no difference; nor does how a
    number is written ("three", "1,200", "12 percent"). Order, signs, digits and units do: an
    answer without the accepted one's unit, or with another one, says something else.

    Example:
        >>> exact_text('"The White  House."', ["white house"])
        True
        >>> exact_text("house white", ["white house"])
        False
        >>> exact_text("five km", ["5 km"]), exact_text("5", ["5 km"])
        (True, False)
    """
    said = unwrapped(answer)
    if said is None:
        return False
    whole = plain(answer)
    if whole and any(whole == plain(gold) for gold in golds):
        return True
    forms = {quantity(part) for part in (said, stated(said)) if part} - {""}
    return any(quantity(gold) in forms for gold in golds)
