r"""How a dialect declares answers: `\boxed{}`, `<answer>`, or a whole message without a call."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from ...declared import as_declaration, declared_answer
from ...operations.answer import MAX_ANSWER_CHARS as MAX_PLAIN_CHARS

MAX_ANSWER_CHARS = 2_000
"""A longer declared answer is refused; a message that answers as a whole may be of any length."""

_CUT = "... "
_FIRST_WORD = re.compile(r"\A\S*\s+")
_FENCED = re.compile(r"```\w{0,9}\n([^`]*)```")


@dataclass(frozen=True, slots=True)
class AnswerStyle:
    """One way of declaring an answer.

    Attributes:
        how: how it is done, written in the prompt after "the answer and" or "your final answer:".
        brief: the same in few words, after "then".
        write: writes an answer so that it is read back.
        is_plain: whether a message that declares nothing is itself the answer.
    """

    how: str
    brief: str
    write: Callable[[str], str]
    is_plain: bool = False

    def declared(self, text: str) -> str | None:
        """Returns what a text declares in a box or a tag, or None."""
        return declared_answer(text)


def plain_answer(text: str) -> str | None:
    r"""Returns what a text answers as a whole, or None where it is blank.

    Of a text that is too long for an answer the end is taken, from the start of a word: reasoning
    comes first, and an answer last. An ellipsis marks the cut, so that no grader takes its first
    words for those of the message.

    >>> plain_answer(" The mug is red.</answer> "), plain_answer("```\nB\n```")
    ('The mug is red.', 'B')
    """
    answer = text.strip().removesuffix("</answer>").rstrip()
    fenced = _FENCED.fullmatch(answer)
    answer = fenced[1].strip() if fenced else answer
    if len(answer) > MAX_PLAIN_CHARS:
        answer = answer[len(_CUT) - MAX_PLAIN_CHARS :]
        answer = _CUT + (_FIRST_WORD.sub("", answer) or answer)
    return answer or None


def in_tags(text: str) -> str:
    r"""Writes an answer in `<answer>`; in `\boxed{}` with escapes where that would change it.

    >>> in_tags("B"), in_tags("</answer>")
    ('<answer>B</answer>', '\\boxed{</answer>}')
    """
    tagged = f"<answer>{text}</answer>"
    return tagged if declared_answer(tagged) == text.strip() else as_declaration(text)


def in_plain(text: str) -> str:
    r"""Writes an answer as it is, or in `<answer>` where it would be read as a declaration.

    >>> in_plain("B"), in_plain("\\boxed{B")
    ('B', '\\boxed{B')
    """
    return text if declared_answer(text) is None else in_tags(text)


BOXED = AnswerStyle(r"put it in \boxed{}", r"answer in \boxed{}", as_declaration)
TAGGED = AnswerStyle("put it in <answer></answer>", "answer in <answer></answer>", in_tags)
TAGGED_OR_PLAIN = AnswerStyle(TAGGED.how, TAGGED.brief, in_tags, is_plain=True)
PLAIN = AnswerStyle("write nothing but it", "write nothing but the answer", in_plain, is_plain=True)
