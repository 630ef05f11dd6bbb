"""Plain arguments of an operation: a whole number, a number, one of a few values, a text."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from gymnasium import spaces
from gymnasium.spaces import Space

from ..config import EnvConfig
from ..errors import OperationError
from ..fields import Choice, UnicodeText
from ..history import History
from ..reading import described, finite_number, json_whole_number, quoted, whole_number
from .arguments import Argument, as_float
from .terms import CallTerms, listed

_ABSENT = object()

N_FLAT_STEPS = 5
"""Between how many evenly spread numbers a flat action chooses."""


@dataclass(frozen=True)
class _Value(Argument):
    """A value that means the same in every dialect.

    Attributes:
        description: what it is, for the schema.
        default: its value where a call leaves it out; None: a call must give it.
    """

    description: str = field(default="", compare=False)
    default: Any = None

    @property
    def is_required(self) -> bool:
        """Whether a call must give it."""
        return self.default is None

    def absent(self) -> Any:
        """Returns the default."""
        return self.built(self.default)

    @property
    @abstractmethod
    def allowed(self) -> str:
        """What follows "must be" in a sentence."""

    @abstractmethod
    def taken(self, value: Any) -> Any:
        """Returns a value in an action as the operation takes it; None for a wrong one."""

    def taken_from_json(self, value: Any) -> Any:
        """The same for a JSON value."""
        return self.taken(value)

    def check(self, value: Any, history: History) -> Any:
        """Returns the value; see `Argument.check`."""
        plain = as_plain(value)
        taken = self.taken(plain)
        if taken is None:
            raise self._refusal(self.name, described(plain))
        return taken

    def read(self, given: Mapping[str, Any], keys: Sequence[str], terms: CallTerms) -> Any:
        """Reads the value; see `Argument.read`."""
        value = given.get(keys[0], _ABSENT)
        if value is _ABSENT:
            if self.default is None:
                raise self._refusal(keys[0], "nothing")
            return self.built(self.default)
        taken = self.taken_from_json(value)
        if taken is None:
            raise self._refusal(keys[0], quoted(value))
        return self.built(taken)

    def write(self, value: Any, terms: CallTerms) -> str:
        """Writes the value."""
        return json.dumps(as_plain(value))

    def _refusal(self, key: str, got: str) -> OperationError:
        return OperationError("bad_arguments", f"{key} must be {self.allowed}, got {got}.")

    def _schema(self, **more: Any) -> dict[str, Any]:
        schema = more if self.default is None else {**more, "default": self.default}
        return {**schema, "description": self.description or self.name.replace("_", " ")}


def as_plain(value: Any) -> Any:
    """Returns a NumPy scalar, or an array of one number without axes, as a Python value."""
    is_scalar = isinstance(value, np.generic) or (isinstance(value, np.ndarray) and value.ndim == 0)
    return value.item() if is_scalar else value


@dataclass(frozen=True)
class WholeArgument(_Value):
    """A whole number in a range.

    Attributes:
        low: the least.
        high: the most.

    >>> WholeArgument("zoom", low=1, high=8).allowed
    'a whole number from 1 to 8'
    """

    low: int = 0
    high: int = 100

    @property
    def allowed(self) -> str:
        """What follows "must be" in a sentence."""
        return f"a whole number from {self.low} to {self.high}"

    @property
    def flat_values(self) -> tuple[Any, ...]:
        """All of them."""
        return tuple(range(self.low, self.high + 1))

    def space(self, config: EnvConfig) -> Space[Any]:
        """Returns the range."""
        return spaces.Discrete(self.high - self.low + 1, start=self.low)

    def neutral(self) -> Any:
        """Returns the least."""
        return self.low

    def taken(self, value: Any) -> Any:
        """Returns a whole number in the range."""
        number = whole_number(value)
        return number if number is not None and self.low <= number <= self.high else None

    def taken_from_json(self, value: Any) -> Any:
        """Takes 2.0 for 2 too."""
        return self.taken(json_whole_number(value))

    def schema(self, terms: CallTerms) -> dict[str, Any]:
        """Returns the range."""
        return self._schema(type="integer", minimum=self.low, maximum=self.high)


@dataclass(frozen=True)
class NumberArgument(_Value):
    """A number in a range, a float.

    Attributes:
        low: the least.
        high: the most.

    >>> NumberArgument("gain", low=0.5, high=2).allowed
    'a number from 0.5 to 2'
    """

    low: float = 0.0
    high: float = 1.0

    @property
    def allowed(self) -> str:
        """What follows "must be" in a sentence."""
        return f"a number from {self.low:g} to {self.high:g}"

    @property
    def flat_values(self) -> tuple[Any, ...]:
        """Some of them, from the least to the most."""
        return tuple(float(value) for value in np.linspace(self.low, self.high, N_FLAT_STEPS))

    def space(self, config: EnvConfig) -> Space[Any]:
        """Returns the range."""
        return spaces.Box(self.low, self.high, shape=(), dtype=np.float64)

    def neutral(self) -> Any:
        """Returns the least, as an element of the space."""
        return np.array(self.low, np.float64)

    def built(self, value: Any) -> Any:
        """Turns a number into an element of the space."""
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return np.array(as_float(value), np.float64) if is_number else value

    def taken(self, value: Any) -> Any:
        """Returns a number in the range."""
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        number = finite_number(as_float(value)) if is_number else None
        return number if number is not None and self.low <= number <= self.high else None

    def taken_from_json(self, value: Any) -> Any:
        """Takes digits in a text too."""
        return self.taken(finite_number(value))

    def schema(self, terms: CallTerms) -> dict[str, Any]:
        """Returns the range."""
        return self._schema(type="number", minimum=self.low, maximum=self.high)


@dataclass(frozen=True)
class ChoiceArgument(_Value):
    """One of a few whole numbers, or one of a few texts.

    Attributes:
        values: all of them.

    >>> ChoiceArgument("degrees", values=(90, 180, 270)).allowed
    '90, 180 or 270'
    """

    values: tuple[int, ...] | tuple[str, ...] = ()

    @property
    def allowed(self) -> str:
        """What follows "must be" in a sentence."""
        return listed([json.dumps(value) for value in self.values], "or")

    @property
    def is_text(self) -> bool:
        """Whether the values are texts."""
        return isinstance(self.values[0], str)

    @property
    def flat_values(self) -> tuple[Any, ...]:
        """All of them."""
        return self.values

    def space(self, config: EnvConfig) -> Space[Any]:
        """Returns the values."""
        return Choice(self.values)

    def neutral(self) -> Any:
        """Returns the first one."""
        return self.values[0]

    def taken(self, value: Any) -> Any:
        """Returns one of the values."""
        taken = value if self.is_text else whole_number(value)
        return taken if isinstance(taken, int | str) and taken in self.values else None

    def taken_from_json(self, value: Any) -> Any:
        """Takes 90.0 for 90 too."""
        return self.taken(value if self.is_text else json_whole_number(value))

    def schema(self, terms: CallTerms) -> dict[str, Any]:
        """Returns the values."""
        kind = "string" if self.is_text else "integer"
        return self._schema(type=kind, enum=list(self.values))


@dataclass(frozen=True)
class TextArgument(_Value):
    """A text. A flat action gives it as it gives an answer.

    Attributes:
        max_chars: most characters, at least 1.
    """

    max_chars: int = 1000
    column: ClassVar[str] = "answer"

    @property
    def is_text(self) -> bool:
        """Whether its value is a text: yes."""
        return True

    @property
    def allowed(self) -> str:
        """What follows "must be" in a sentence."""
        return f"text of at most {self.max_chars} characters"

    def space(self, config: EnvConfig) -> Space[Any]:
        """Returns texts of the length."""
        return UnicodeText(self.max_chars)

    def neutral(self) -> Any:
        """Returns the empty text."""
        return ""

    def taken(self, value: Any) -> Any:
        """Returns a text that is not too long."""
        return str(value) if isinstance(value, str) and len(value) <= self.max_chars else None

    def schema(self, terms: CallTerms) -> dict[str, Any]:
        """Returns the length."""
        return self._schema(type="string", maxLength=self.max_chars)
