"""What an operation is given: each kind of argument as a field of an action, and as one of a call.

A kind defines what its field of the action space is, how a value in an action is checked, how it is
read from a call's JSON and written there, and how a row of whole numbers reaches it. Names, the
coordinate frame and the numbering are the dialect's: `CallTerms`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from gymnasium import spaces
from gymnasium.spaces import Space

from ..config import EnvConfig
from ..errors import OperationError
from ..history import History
from ..media.geometry import FULL, Box, check_box
from ..reading import (
    CODE,
    GivenAction,
    described,
    field_of,
    finite_number,
    quoted,
    whole_number,
)
from .terms import CallTerms


@dataclass(frozen=True)
class Argument(ABC):
    """One argument of an operation, and the field of an action that holds it.

    Attributes:
        name: the field's name in an action; in a call too, where the dialect has no other.
        column: which number of a flat action gives its value: "box", "target", "frame", "answer";
            "" for one of its own, an index into `flat_values`.
    """

    name: str
    column: ClassVar[str] = ""

    @property
    def is_required(self) -> bool:
        """Whether a call must give it."""
        return True

    @property
    def is_text(self) -> bool:
        """Whether its value is a text."""
        return False

    @property
    def flat_values(self) -> tuple[Any, ...]:
        """The values that a flat action chooses from, where the column is of its own."""
        return ()

    @abstractmethod
    def space(self, config: EnvConfig) -> Space[Any]:
        """Returns the space of the field."""

    @abstractmethod
    def neutral(self) -> Any:
        """Returns a fresh value for actions of other operations."""

    def absent(self) -> Any:
        """Returns the value that stands for none, where an action needn't give one."""
        return self.neutral()

    def built(self, value: Any) -> Any:
        """Returns a field's value for what a caller gave; what is none is passed on as it is."""
        return value

    def given(self, action: GivenAction) -> Any:
        """Returns a field's value in an action; one by name gives it as `act` takes it.

        Raises:
            OperationError: it is missing, and required.
        """
        if self.name not in action and not self.is_required:
            return self.absent()
        value = field_of(action, self.name)
        if not isinstance(action.get(CODE), str):
            return value
        try:
            return self.built(value)
        except TypeError:  # the check refuses it, in its own words
            return value

    @abstractmethod
    def check(self, value: Any, history: History) -> Any:
        """Reads a field's value, which may be anything.

        Raises:
            OperationError: it is none; the message has what is allowed.
        """

    @abstractmethod
    def schema(self, terms: CallTerms) -> dict[str, Any]:
        """Returns the JSON schema."""

    @abstractmethod
    def read(self, given: Mapping[str, Any], keys: Sequence[str], terms: CallTerms) -> Any:
        """Reads the argument of a call.

        Args:
            given: the call's arguments, JSON values by name.
            keys: names that it may have there; refusals name the first one, and there is
                none where the dialect doesn't write it.
            terms: the dialect's.

        Raises:
            OperationError: it is missing or wrong.
        """

    @abstractmethod
    def write(self, value: Any, terms: CallTerms) -> str:
        """Writes a field's value as the JSON of a call's argument."""


@dataclass(frozen=True)
class BoxArgument(Argument):
    """A region of a view: (4,) float64, x1, y1, x2, y2, fractions of the view.

    Attributes:
        of: name of the `ViewArgument` for the view; "" for the first one.
    """

    name: str = "bbox"
    of: str = "target_image"
    column: ClassVar[str] = "box"

    def space(self, config: EnvConfig) -> Space[Any]:
        """Returns four numbers from 0 to 1."""
        return spaces.Box(0.0, 1.0, shape=(4,), dtype=np.float64)

    def neutral(self) -> Any:
        """Returns the whole view."""
        return np.array(FULL)

    def built(self, value: Any) -> Any:
        """Turns a list or a tuple of numbers into an array."""
        if isinstance(value, list | tuple) and all(isinstance(x, int | float) for x in value):
            return np.array([as_float(edge) for edge in value], dtype=np.float64)
        return value

    def check(self, value: Any, history: History) -> tuple[Box, bool]:
        """Returns the box, and whether an overshoot was clamped."""
        return check_box(value)

    def schema(self, terms: CallTerms) -> dict[str, Any]:
        """Returns four numbers in the dialect's frame."""
        return terms.box_schema()

    def read(self, given: Mapping[str, Any], keys: Sequence[str], terms: CallTerms) -> Any:
        """Reads four finite numbers, whatever their range: that depends on the view."""
        named = [key for key in keys if key in given]
        if len(named) > 1:
            raise OperationError("bad_arguments", f"Give {' or '.join(named)}, not both.")
        box = given.get(named[0] if named else keys[0])
        if not isinstance(box, list) or len(box) != 4:
            raise OperationError(
                "bad_box", f"{keys[0]} must be a list of 4 numbers, got {quoted(box)}."
            )
        numbers = [number for number in map(finite_number, box) if number is not None]
        if len(numbers) != 4:
            raise OperationError(
                "bad_box", f"{keys[0]} must be 4 plain finite numbers {terms.box_unit}."
            )
        return numbers

    def write(self, value: Any, terms: CallTerms) -> str:
        """Takes what `CallTerms.box` wrote, as the view decides it."""
        return str(value)


@dataclass(frozen=True)
class ViewArgument(Argument):
    """Which view is meant: its number, from 1; the first one where a call leaves it out."""

    name: str = "target_image"
    column: ClassVar[str] = "target"

    @property
    def is_required(self) -> bool:
        """Whether a call must give it: no."""
        return False

    def space(self, config: EnvConfig) -> Space[Any]:
        """Returns the numbers that a view can have."""
        return spaces.Discrete(config.max_view_number, start=1)

    def neutral(self) -> Any:
        """Returns the first view."""
        return 1

    def check(self, value: Any, history: History) -> int:
        """Returns the number of a view that was shown."""
        number = whole_number(value)
        if number is None:
            raise OperationError(
                "bad_image", f"{self.name} must be a whole number, got {described(value)}."
            )
        history.view(number, self.name)
        return number

    def schema(self, terms: CallTerms) -> dict[str, Any]:
        """Returns the dialect's way of naming a view."""
        return terms.view_schema()

    def read(self, given: Mapping[str, Any], keys: Sequence[str], terms: CallTerms) -> Any:
        """Reads the number as the dialect names views."""
        return terms.read_view(given, keys[0] if keys else "")

    def write(self, value: Any, terms: CallTerms) -> str:
        """Writes the dialect's name of the view."""
        return terms.write_view(int(value))


def as_float(value: float) -> float:
    """Converts a number; an int beyond all floats becomes infinite."""
    try:
        return float(value)
    except OverflowError:
        return float("inf")
