"""Answering: ends the episode."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from ..errors import OperationError
from ..history import History
from ..reading import GivenAction, described, field_of
from .arguments import Argument
from .base import Operation, Outcome
from .terms import Terms
from .values import TextArgument

MAX_ANSWER_CHARS = 4096
"""A longer answer is refused: grading compares it letter by letter."""


class Answer(Operation):
    """Declares the answer. Reads `text`: the answer alone, of at most `MAX_ANSWER_CHARS`.

    >>> from pixel_env.actions import answer
    >>> Answer().do(answer("B"), history=None).answer
    'B'
    """

    name: ClassVar[str] = "answer"
    description: ClassVar[str] = "Gives the final answer."
    arguments: ClassVar[tuple[Argument, ...]] = (TextArgument("text", max_chars=MAX_ANSWER_CHARS),)
    is_answer: ClassVar[bool] = True

    def do(self, action: GivenAction, history: History) -> Outcome:
        """Takes the answer; see `Operation.do`."""
        text = field_of(action, "text")
        if not isinstance(text, str):
            raise OperationError("bad_arguments", f"text must be text, got {described(text)}.")
        if len(text) > MAX_ANSWER_CHARS:
            raise OperationError(
                "bad_arguments",
                f"An answer has at most {MAX_ANSWER_CHARS} characters, got {len(text)}.",
            )
        return Outcome(answer=str(text))

    def tell(self, facts: Mapping[str, Any], terms: Terms) -> str:
        """Confirms that it was taken."""
        return "The answer was taken."
