"""What an operation is: a checked action in, new views and one sentence of feedback out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ..errors import OperationError
from ..history import History
from ..types import Box, View

GivenAction = Mapping[str, Any]
"""An action as a policy gave it: a dict in which any field may be missing or wrong."""

_MISSING = object()


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
    """

    feedback: str
    views: tuple[View, ...] = ()
    answer: str | None = None
    target_image: int | None = None
    requested_box: Box | None = None
    executed_box: Box | None = None


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


def field_of(action: GivenAction, name: str) -> Any:
    """Returns a field of an action.

    Raises:
        OperationError: kind "bad_arguments", the field is missing.
    """
    value = action.get(name, _MISSING)
    if value is _MISSING:
        raise OperationError("bad_arguments", f"The action lacks its field {name!r}.")
    return value


def whole_number(value: object) -> int | None:
    """Reads a Python or numpy integer; None for anything else, booleans included."""
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value[()]
    if isinstance(value, int | np.integer):
        is_number = not isinstance(value, bool | np.timedelta64)  # a timedelta64 is a signedinteger
        return int(value) if is_number else None
    return None


def described(value: object) -> str:
    """Describes a wrong value in a few characters, whatever it is.

    >>> described(7), described("x" * 10_000), described(np.zeros((3, 4)))
    ('7', 'a value of type str', 'an array of shape (3, 4)')
    """
    if value is None:
        return "None"
    number = whole_number(value)
    if isinstance(value, bool | float | np.floating) or (
        number is not None and abs(number) < 10**12
    ):
        return f"{value}"
    if isinstance(value, np.ndarray) and value.ndim:
        return f"an array of shape {value.shape}"
    return f"a value of type {type(value).__name__}"
