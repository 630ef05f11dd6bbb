"""What an operation is: a checked action in, new views and one sentence of feedback out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from ..history import History
from ..media.geometry import Box
from ..reading import GivenAction
from ..types import View


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an operation gave.

    Attributes:
        feedback: one sentence for the policy.
        views: the new views, in the order shown.
        answer: the declared answer; None for an operation that goes on.
        target_image: number of the view that was looked into, from 1, where there is one.
        requested_box: the box as asked for, fractions of the source.
        executed_box: the box as read, fractions of the source.
        view_box: the box as told in `feedback`, padded, as fractions of the view looked into.
        clamped: whether an overshoot of the box was clamped to the view.
        frames: numbers of the selected frames, from 1, in the order of the views.
    """

    feedback: str
    views: tuple[View, ...] = ()
    answer: str | None = None
    target_image: int | None = None
    requested_box: Box | None = None
    executed_box: Box | None = None
    view_box: Box | None = None
    clamped: bool | None = None
    frames: tuple[int, ...] | None = None


LOOK_KEYS = ("target_image", "requested_box", "executed_box", "view_box", "clamped", "frames")
"""Those facts of an `Outcome` that go into `info` under their names, where there are any."""


class Operation(ABC):
    """One thing that an action can do. Stateless: one instance serves every episode.

    Attributes:
        name: the operation's name.
        code: its number in `Action["operation"]`.
    """

    name: ClassVar[str]
    code: ClassVar[int]

    @abstractmethod
    def execute(self, action: GivenAction, history: History) -> Outcome:
        """Checks the fields that the operation uses, and does it.

        Changes nothing: the caller adds the views to the history.

        Args:
            action: as given; its fields may be missing or of any type.
            history: what was shown so far.

        Raises:
            OperationError: it can't be done; the sentence says why and what is allowed.
            DataError: the sample's files can't be read.
        """
