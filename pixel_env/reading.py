"""Reading what a policy gave, whatever it is, without raising anything but `OperationError`."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from .errors import OperationError

GivenAction = Mapping[str, Any]
"""An action as a policy gave it: a dict in which any field may be missing or wrong."""

CODE = "operation"
"""The field of an action that holds the code of its operation, or its name."""

MAX_INTEGER_CHARS = 15
"""A longer integer in JSON is read as a float, which is exact up to here and cheap beyond."""

MAX_QUOTE_CHARS = 40
"""How much of a wrong value is repeated in a sentence to the model."""

_MISSING = object()
_DECIMAL = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,20})?")


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


def quoted(value: object) -> str:
    r"""Quotes a value from a model's text so that it is short, one line and plain ASCII.

    >>> quoted("zoom\nin"), quoted([1, 2])
    ('"zoom\\nin"', '[1, 2]')
    """
    text = json.dumps(value)
    return text if len(text) <= MAX_QUOTE_CHARS else text[:MAX_QUOTE_CHARS] + "..."


def json_whole_number(value: object) -> int | None:
    """Returns a JSON number, or one as digits in a text, as an integer if it is one.

    >>> json_whole_number(2.0), json_whole_number("2"), json_whole_number("two")
    (2, 2, None)
    """
    number = _number(value)
    if number is None:
        return None
    return int(number) if abs(number) < 10**MAX_INTEGER_CHARS and number == int(number) else None


def finite_number(value: object) -> float | None:
    """Returns a JSON number, or one as digits in a text, as it is if it is finite, else None.

    >>> finite_number(0.5), finite_number("-0.5"), finite_number("1e9")
    (0.5, -0.5, None)
    """
    number = _number(value)
    return number if number is not None and math.isfinite(number) else None


def _number(value: object) -> int | float | None:
    """Returns a number, also one in plain decimal digits within a text."""
    if isinstance(value, str):
        digits = _DECIMAL.fullmatch(value.strip(" "))
        return None if digits is None else (float(value) if digits[1] else int(value))
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None
