"""What one message does: one call, or one answer."""

from __future__ import annotations

from dataclasses import dataclass

from ...errors import OperationError
from .answers import MAX_ANSWER_CHARS, AnswerStyle, plain_answer
from .calls import Call
from .found_calls import Beside, CallSyntax, FoundCalls, Rules, chosen
from .lookalikes import looks_like_call
from .thinking import MessageParts, split_thinking


@dataclass(frozen=True, slots=True)
class Grammar:
    """How a dialect's messages are read.

    Attributes:
        syntax: how calls are written.
        answers: how answers are declared.
        rules: what counts where a message holds more than one thing.
        how_to_call: feedback to a model that neither calls nor answers; begins a sentence.
    """

    syntax: CallSyntax
    answers: AnswerStyle
    rules: Rules
    how_to_call: str

    def read(self, text: str) -> Call | str:
        """Returns the call of a message, or its answer.

        Calls and answers are searched for outside the thinking; in it only where nothing stands
        outside. What looks like a call is never an answer.

        Raises:
            OperationError: kind "malformed", "bad_arguments", "several_calls" or "no_answer".
        """
        parts = split_thinking(text)
        found = self.syntax.find(parts.content)
        declared = self.answers.declared(parts.content)
        source = parts.content
        if not found and declared is None:
            found, declared = self._in_thinking(parts)
            source = parts.content if declared is None else parts.thinking
        call = self._call(found, declared is not None)
        if call is not None:
            return call
        answer = declared
        if declared is None and self.answers.is_plain:
            answer = plain_answer(parts.last)
        # An answer may spell marks of a call out, escaped; then the message itself holds none.
        if looks_like_call(source) and looks_like_call(source if answer is None else answer):
            raise OperationError("malformed", f"This looks like a call. {self.how_to_call}.")
        return self._checked(answer, is_declared=declared is not None)

    def _in_thinking(self, parts: MessageParts) -> tuple[FoundCalls, str | None]:
        """Finds what thinking holds that nothing follows.

        Prose after it is an answer in a plain dialect; in another one it is ignored, so that
        an answer declared in the thinking counts. A call there does not: it was not made.
        """
        is_last = not parts.content.strip()
        found, declared = FoundCalls(), None
        if is_last:
            found = self.syntax.find(parts.thinking).without_mentions()
        if is_last or not self.answers.is_plain:
            declared = self.answers.declared(parts.thinking)
        return found, declared

    def _call(self, found: FoundCalls, has_answer: bool) -> Call | None:
        """Returns the call that is run, or None where the message answers."""
        rules = self.rules
        if has_answer and rules.beside_answer is Beside.ANSWER:
            return None
        if has_answer and not found.tagged and not rules.is_strict:
            if found.bare:
                raise _both()
            return None  # the tag is only mentioned
        body = chosen(found, rules, self.syntax.tag)
        if body is None:
            return None
        call = self.syntax.read(body)
        if has_answer and rules.beside_answer is Beside.REFUSED:
            raise _both()
        return call

    def _checked(self, answer: str | None, is_declared: bool) -> str:
        """Refuses an answer that is missing, or too long."""
        if answer is None:
            raise OperationError(
                "no_answer", f"{self.how_to_call}, or give your final answer: {self.answers.how}."
            )
        if is_declared and len(answer) > MAX_ANSWER_CHARS:
            raise OperationError(
                "no_answer",
                f"An answer may hold {MAX_ANSWER_CHARS} characters, got {len(answer)}.",
            )
        return answer


def _both() -> OperationError:
    """Returns the refusal of a call beside an answer."""
    return OperationError(
        "several_calls", "Write either one call or the answer in a message, got both."
    )
