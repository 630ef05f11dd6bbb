"""Answering: ends the episode."""

from __future__ import annotations

from typing import ClassVar

from ..errors import OperationError
from ..history import History
from ..reading import GivenAction, described, field_of
from .base import Operation, Outcome

MAX_ANSWER_CHARS = 4096
"""A longer answer is refused: grading compares it letter by letter."""


class Answer(Operation):
    """Declares the answer. Reads `text`: the answer alone, of at most `MAX_ANSWER_CHARS`.

    >>> from pixel_env.actions import answer
    >>> Answer().execute(answer("B"), history=None).answer
    'B'
    """

    name: ClassVar[str] = "answer"
    code: ClassVar[int] = 0

    def execute(self, action: GivenAction, history: History) -> Outcome:
        """Takes the answer; see `Operation.execute`."""
        text = field_of(action, "text")
        if not isinstance(text, str):
            raise OperationError("bad_arguments", f"text must be text, got {described(text)}.")
        if len(text) > MAX_ANSWER_CHARS:
            raise OperationError(
                "bad_arguments",
                f"An answer has at most {MAX_ANSWER_CHARS} characters, got {len(text)}.",
            )
        return Outcome("The answer was taken.", answer=str(text))
