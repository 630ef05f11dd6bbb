"""Grades a free answer: the accepted text, up to habits of spelling."""

from __future__ import annotations

from collections.abc import Sequence

from pixel_env.types import Grade, Sample

from .spelling import loose, plain, unwrapped


def grade_text(sample: Sample, answer: str) -> Grade:
    """Grades a free answer: 1 where it equals an accepted answer up to spelling habits."""
    said = unwrapped(answer)
    correct = exact_text(answer, sample.answers)
    parsed = None if said is None else loose(said) or None
    return Grade(score=float(correct), correct=correct, parsed=parsed)


def exact_text(answer: str, golds: Sequence[str]) -> bool:
    """Tells whether a declared answer equals one of the accepted answers.

    Case, Unicode form, runs of white space, quotes, a pair of brackets around the whole,
    closing punctuation and a leading article make no difference. Order, signs and units do.

    Example:
        >>> exact_text('"The White  House."', ["white house"])
        True
        >>> exact_text("house white", ["white house"])
        False
    """
    said = unwrapped(answer)
    if said is None:
        return False
    if any(plain(answer) == plain(gold) != "" for gold in golds):
        return True
    return any(loose(said) == loose(gold) != "" for gold in golds)
