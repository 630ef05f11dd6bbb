"""What an operation is: a checked action in, new views and one sentence of feedback out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, TypeVar

from ..history import History
from ..reading import GivenAction
from ..types import View
from .arguments import Argument, BoxArgument
from .frames import FramesArgument
from .terms import PLAIN, Terms

Kind = TypeVar("Kind", bound=Argument)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an operation gave.

    Attributes:
        views: the new views, in the order shown.
        answer: the declared answer; None for an operation that goes on.
        facts: what `info` has about it, by key. The environment's own keys mean the same in every
            operation: `target_image` (number of the view that it was carried out on, from 1),
            `requested_box` and `executed_box` (fractions of the source), `view_box` (of the target
            view), `clamped`, `frames` (numbers of the selected frames, from 1).
        feedback: one sentence for the policy; `Operation.execute` fills it.
    """

    views: tuple[View, ...] = ()
    answer: str | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    feedback: str = ""


class Operation(ABC):
    """One thing that an action can do. Stateless: one instance serves every episode.

    Attributes:
        name: the operation's name, in actions, in `info`, and in the calls of dialects that have no
            other for it.
        description: one sentence about it, for the schema.
        arguments: what it is given.
        needs_clip: whether it works on clips only.
        is_answer: whether it is the answer, which is no call and ends the episode.
        refusals: by the kind of an `OperationError` that `do` raises, the sentence for dialects
            whose coordinates or numbers aren't the environment's.
        recorded: keys of its facts that recorded trajectories keep, beside the environment's own.
    """

    name: ClassVar[str]
    description: ClassVar[str] = ""
    arguments: ClassVar[tuple[Argument, ...]] = ()
    needs_clip: ClassVar[bool] = False
    is_answer: ClassVar[bool] = False
    refusals: ClassVar[Mapping[str, str]] = {}
    recorded: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def do(self, action: GivenAction, history: History) -> Outcome:
        """Checks the fields that the operation uses (`value`), and does it.

        Changes nothing: the caller adds the views to the history.

        Args:
            action: as given; its fields may be missing or of any type.
            history: what was shown so far.

        Raises:
            OperationError: it can't be done; the message has why and what is allowed.
            DataError: the sample's files can't be read.
        """

    @abstractmethod
    def tell(self, facts: Mapping[str, Any], terms: Terms) -> str:
        """Describes in one sentence what was done.

        Args:
            facts: those of the outcome, and `views_added`: numbers of the new views, from 1, where
                there are any.
            terms: how whoever reads it speaks of views and boxes.
        """

    def execute(self, action: GivenAction, history: History) -> Outcome:
        """Does it; the outcome has its feedback, in the environment's terms. See `do`."""
        outcome = self.do(action, history)
        facts = dict(outcome.facts)
        if outcome.views:
            first = len(history.views) + 1
            facts["views_added"] = tuple(range(first, first + len(outcome.views)))
        return replace(outcome, facts=facts, feedback=self.tell(facts, PLAIN))

    def value(self, name: str, action: GivenAction, history: History) -> Any:
        """Reads one of the operation's arguments from an action.

        Raises:
            OperationError: it is missing or wrong.
        """
        argument = next(each for each in self.arguments if each.name == name)
        return argument.check(argument.given(action), history)

    @property
    def box(self) -> BoxArgument | None:
        """The argument for the region that is read, where there is one."""
        return self._first(BoxArgument)

    @property
    def frames(self) -> FramesArgument | None:
        """The argument for the frames that are read, where there is one."""
        return self._first(FramesArgument)

    def _first(self, kind: type[Kind]) -> Kind | None:
        return next((each for each in self.arguments if isinstance(each, kind)), None)
