"""Reading what a policy gave, whatever it is, without raising anything but `OperationError`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from .errors import OperationError

GivenAction = Mapping[str, Any]
"""An action as a policy gave it: a dict in which any field may be missing or wrong."""

_MISSING = object()


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
