"""What looks like a call in a message, and which of it is run."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field, replace
from enum import Enum

from ...errors import OperationError
from .calls import Call

MAX_PIECES = 32
"""So many pieces of a message are checked, which keeps the time in proportion to its length."""


class Beside(Enum):
    """What is done with a message that holds a call and a declared answer."""

    REFUSED = "refused"
    CALL = "call"
    ANSWER = "answer"


@dataclass(frozen=True, slots=True)
class Rules:
    """What a dialect does with a message that holds more than one thing, as its publisher does.

    Attributes:
        beside_answer: which of a call and a declared answer counts.
        runs_first: whether of several calls the first is run and all that follows it ignored;
            otherwise several calls are refused.
        is_strict: whether a tag that is out of place is refused even where one call is clear.
    """

    beside_answer: Beside = Beside.REFUSED
    runs_first: bool = False
    is_strict: bool = False


@dataclass(frozen=True, slots=True)
class Piece:
    """One thing that looks like a call.

    Attributes:
        body: its text, without tags around it.
        is_alone: whether nothing but closing marks stands between its end and its closing tag,
            or the end of the message.
    """

    body: str
    is_alone: bool = True


@dataclass(slots=True)
class FoundCalls:
    """All that looks like a call in a text.

    Attributes:
        tagged: pieces within the dialect's tag.
        bare: pieces outside it.
        mentions: what stands in tags that hold no piece; None in one that is not closed.
        n_openings: opening tags, also those that no piece follows.
        n_closings: closing tags.
    """

    tagged: list[Piece] = field(default_factory=list)
    bare: list[Piece] = field(default_factory=list)
    mentions: list[str | None] = field(default_factory=list)
    n_openings: int = 0
    n_closings: int = 0

    def __bool__(self) -> bool:
        """Whether there is anything at all."""
        return bool(self.tagged or self.bare or self.n_openings or self.n_closings)

    @property
    def n_pieces(self) -> int:
        """How many pieces there are."""
        return len(self.tagged) + len(self.bare)

    def without_mentions(self) -> FoundCalls:
        """Returns the pieces alone: in thinking, a tag that nothing follows calls nothing."""
        return replace(self, mentions=[], n_openings=len(self.tagged), n_closings=0)


class CallSyntax(ABC):
    """One way of writing calls.

    Attributes:
        tag: name of the tag around a call.
    """

    tag: str

    @abstractmethod
    def find(self, text: str) -> FoundCalls:
        """Finds all that looks like a call; raises nothing."""

    @abstractmethod
    def read(self, body: str) -> Call:
        """Reads the body of one piece.

        Raises:
            OperationError: it is no call.
        """


def chosen(found: FoundCalls, rules: Rules, tag: str) -> str | None:
    """Returns the body of the call that is run, or None where there is none.

    Raises:
        OperationError: kind "several_calls", or "malformed" where tags stand without a call.
    """
    if rules.is_strict:
        _check_tags(found, tag)
    pieces = found.tagged or found.bare
    if not pieces:
        if found.mentions:
            return _inside(found.mentions[0], tag)
        if found.n_closings:
            raise OperationError("malformed", f"Got </{tag}> without <{tag}> before it.")
        return None
    first = pieces[0]
    if not rules.runs_first:
        if len(pieces) > 1:
            raise OperationError(
                "several_calls", f"Write one call in a message, got {len(pieces)}."
            )
        if found.tagged and not first.is_alone:
            raise _not_closed(tag)
    return first.body


def several(n_calls: int) -> OperationError:
    """Returns the refusal of several calls."""
    return OperationError("several_calls", f"Write one call in a message, got {n_calls}.")


def _check_tags(found: FoundCalls, tag: str) -> None:
    """Refuses what a strict dialect refuses before it reads the calls."""
    n_calls = max(found.n_openings, found.n_pieces)
    if n_calls > 1:
        raise several(n_calls)
    if found.n_closings > 1:
        raise OperationError("malformed", f"Write </{tag}> once, got it {found.n_closings} times.")
    if found.mentions:
        _inside(found.mentions[0], tag)


def _inside(mention: str | None, tag: str) -> str:
    """Returns what stands in a tag, so that the refusal can name what is wrong with it."""
    if mention is None:
        raise _not_closed(tag)
    return mention


def _not_closed(tag: str) -> OperationError:
    """Returns the refusal of a call without its end."""
    return OperationError("malformed", f"The call is not closed: end it with </{tag}>.")
