"""Which spellings of a declared answer say the same thing; shared by the graders."""

from __future__ import annotations

import re
import unicodedata

from pixel_env.declared import declared_answer
from pixel_env.operations.answer import MAX_ANSWER_CHARS

NUMBER_WORDS = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    *("eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen"),
    *("eighteen", "nineteen", "twenty"),
)
"""The words that are read as numbers; each stands at its own value."""

_WRAPPER = re.compile(r"\\boxed|\\fbox|<answer>", re.IGNORECASE)
_FONT = re.compile(r"\\(?:text|math)[a-z]{0,2}\s?\{([^{}]*)\}")
_QUOTES = str.maketrans(
    {"‘": "'", "’": "'", "‚": "'", "“": '"', "”": '"', "„": '"', "«": '"', "»": '"'}
    | dict.fromkeys("‐‑‒–—−", "-")
)
_PAIRS = {"(": ")", "[": "]", "{": "}"} | {sign: sign for sign in "\"'`*_$"}
_ARTICLE = re.compile(r"^(?:a|an|the) (?=\S)")


def opened(answer: str) -> str | None:
    """Opens a box or answer tag that was left in a declared answer.

    Returns:
        What was declared, otherwise as written; None where the box is empty or not closed, and
        for a text too long to be an answer.
    """
    if len(answer) > MAX_ANSWER_CHARS:
        return None
    return declared_answer(answer) if _WRAPPER.search(answer) else answer


def unwrapped(answer: str) -> str | None:
    """`opened`, in one Unicode form, without plain LaTeX text and Markdown's bold."""
    inside = opened(answer)
    if inside is None:
        return None
    return _FONT.sub(r"\1", even(inside)).replace("**", "")


def even(text: str) -> str:
    """One Unicode form, straight quotes, plain dashes, nothing invisible."""
    folded = unicodedata.normalize("NFKC", text).translate(_QUOTES)
    return "".join(sign for sign in folded if unicodedata.category(sign) != "Cf")


def plain(text: str) -> str:
    """Unicode form, quotes, case and white space evened out; every visible character kept."""
    return " ".join(even(even(text).casefold()).split())


def loose(text: str) -> str:
    """`plain` without closing punctuation, enclosing brackets and quotes, and leading article."""
    return _ARTICLE.sub("", stripped(plain(text)))


def stripped(text: str) -> str:
    """Takes off closing punctuation and pairs around the whole, as long as any is left."""
    before = ""
    while text != before:
        before = text
        text = text.strip().rstrip(".,;:!?").rstrip()
        inside, closing = text[1:-1], _PAIRS.get(text[:1])
        is_pair = inside != "" and closing == text[-1]
        if is_pair and text[0] not in inside and text[-1] not in inside:
            text = inside
    return text
