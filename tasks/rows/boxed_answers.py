r"""Gold answers as Pixel Reasoner's releases write them: in `\boxed{}`, some of them as a list."""

from __future__ import annotations

import re
from collections.abc import Iterable

from pixel_env.declared import declared_answer

MAX_CHARS = 20_000
"""A longer text is no gold answer."""

_ITEM = re.compile(
    r"""\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|([-+]?\d+(?:\.\d+)?|True|False|None))\s*""",
    re.DOTALL,
)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r"}


def accepted_answers(written: Iterable[str]) -> tuple[str, ...]:
    r"""Reads the accepted answers.

    Args:
        written: each as "\\boxed{answer}", as "\\boxed{['one', 'another']}", or bare.

    Returns:
        The answers in order, each once; none where nothing is declared.

    Example:
        >>> accepted_answers([r"\boxed{['27%', '27 %']}", r"\boxed{3}", "B"])
        ('27%', '27 %', '3', 'B')
    """
    answers: dict[str, None] = {}
    for text in written:
        if len(text) > MAX_CHARS:
            continue
        inside = _inside(text)
        listed = listed_texts(inside)
        for answer in [inside] if listed is None else listed:
            if answer.strip():
                answers[answer.strip()] = None
    return tuple(answers)


def listed_texts(text: str) -> list[str] | None:
    r"""Reads a list as Python writes it, of texts and numbers alone; nothing is evaluated.

    Returns:
        Its entries as text; None where the text is no such list.

    Example:
        >>> listed_texts("['a', 'it\\'s', 3]"), listed_texts("[__import__('os')]")
        (['a', "it's", '3'], None)
    """
    text = text.strip()
    if not (text.startswith("[") and text.endswith("]")):
        return None
    entries: list[str] = []
    at, end = 1, len(text) - 1
    while at < end:
        item = _ITEM.match(text, at, end)
        if item is None:
            return None if text[at:end].strip() else entries
        entries.append(_entry(item))
        at = item.end()
        if at < end and text[at] != ",":
            return None
        at += 1
    return entries


def _inside(text: str) -> str:
    r"""The content of a box that is the whole text, as it is; else what the text declares."""
    whole = re.fullmatch(r"\s*\\boxed\s{0,8}\{(\s*\[.*\]\s*)\}\s*", text, re.DOTALL)
    if whole is not None:
        return whole[1]
    if "\\boxed" in text:
        return declared_answer(text) or ""
    return text


def _entry(item: re.Match[str]) -> str:
    single, double, bare = item.groups()
    if bare is not None:
        return bare
    quoted = single if single is not None else double
    return _ESCAPE.sub(lambda sign: _ESCAPED.get(sign[1], sign[1]), quoted)
