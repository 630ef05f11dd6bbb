r"""How a dialect declares answers: `\boxed{}`, `<answer>`, or a whole message without a call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ...actions import answer
from ...declared import as_declaration, declared_answer
from ...errors import OperationError
from ...types import Action

MAX_ANSWER_CHARS = 2_000


@dataclass(frozen=True, slots=True)
class AnswerStyle:
    """One way of declaring an answer.

    Attributes:
        how: how it is done, told to the model after "the answer and" or "your final answer:".
        brief: the same in few words, after "then".
        write: writes an answer so that it is read back.
        is_plain: whether a message that declares nothing is itself the answer.
    """

    how: str
    brief: str
    write: Callable[[str], str]
    is_plain: bool = False

    def declared(self, text: str) -> str | None:
        """Returns what a message declares in a box or a tag, or None."""
        return declared_answer(after_thinking(text) if self.is_plain else text)

    def read(self, text: str, call: str) -> Action:
        """Makes the action of a message that calls nothing.

        Args:
            text: the message.
            call: how a call is written, told to a model that did neither.

        Raises:
            OperationError: kind "no_answer".
        """
        declared = self.declared(text)
        if declared is None and self.is_plain:
            declared = after_thinking(text).strip() or None
        if declared is None:
            raise OperationError("no_answer", f"{call}, or give your final answer: {self.how}.")
        if len(declared) > MAX_ANSWER_CHARS:
            raise OperationError(
                "no_answer",
                f"An answer may hold {MAX_ANSWER_CHARS} characters, got {len(declared)}.",
            )
        return answer(declared)


def after_thinking(text: str) -> str:
    """Returns what a message says after its thinking, which a `</think>` alone may end.

    Thinking that was not brought to an end leaves nothing after it.

    >>> after_thinking("<think>Red? No.</think>Blue"), after_thinking("<think>Red?")
    ('Blue', '')
    """
    return text.rpartition("</think>")[2].partition("<think>")[0]


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
