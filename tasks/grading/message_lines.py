"""The lines of a message, without what only sets them: Markdown's marks, fences, rules."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

_MARK = re.compile(r"^(?:#{1,6}\s+|>\s*)+")
_RULE = re.compile(r"[-=*_~`]{3,}(?:[a-z]{0,10})")
_MATHEMATICS = re.compile(r"\\[()\[\]]")
_EMPHASIS = re.compile(r"(?<![\w*_])[*_]{1,3}(?=\S)|(?<=[^\s*_])[*_]{1,3}(?![\w*_])")


@dataclass(frozen=True, slots=True)
class Line:
    """One line that isn't blank.

    Attributes:
        text: its text; runs of white space are one blank.
        opens: whether blank lines, or a rule, stand above it.
    """

    text: str
    opens: bool


def message_lines(message: str) -> list[Line]:
    r"""Returns the lines of a message, in order.

    Args:
        message: a message, `unwrapped`.

    Example:
        >>> [line.text for line in message_lines("## Answer\n\n> *C*\n")]
        ['Answer', 'C']
    """
    found: list[Line] = []
    opens = True
    for written in message.split("\n"):
        text = " ".join(_MATHEMATICS.sub("", _MARK.sub("", written.strip())).split())
        if not text or _RULE.fullmatch(text):
            opens = True
            continue
        found.append(Line(_without_signs(_EMPHASIS.sub("", text)), opens))
        opens = False
    return found


def _without_signs(text: str) -> str:
    """Takes an emoji or a tick off the front of a line."""
    if text.isascii():
        return text
    is_sign = (unicodedata.category(each) in ("So", "Mn") or each == " " for each in text)
    return text[next((n for n, sign in enumerate(is_sign) if not sign), len(text)) :]
