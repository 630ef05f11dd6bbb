"""Records of JSON as they are read again: whatever is wrong with one is a fault that names it."""

from __future__ import annotations

import dataclasses
import json
import math
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from ..errors import DataError

Made = TypeVar("Made")

_INTS = 2**63
"""Whole numbers of a record are smaller: larger ones fit no array."""


def parsed(text: str | bytes, where: str) -> Any:
    """Returns the value of a JSON text.

    Args:
        text: the text, in UTF-8 where it is bytes.
        where: what it is, for the error: file and line.

    Raises:
        DataError: it is no JSON, or can't be read: it is nested too deep, a number is too long.

    Example:
        >>> parsed('{"a": [1', "a.jsonl, line 3")
        Traceback (most recent call last):
        pixel_env.errors.DataError: a.jsonl, line 3: not valid JSON (Expecting ',' delimiter)
    """
    try:
        return json.loads(text if isinstance(text, str) else text.decode("utf-8"))
    except json.JSONDecodeError as fault:
        raise DataError(f"{where}: not valid JSON ({fault.msg})") from None
    except UnicodeDecodeError as fault:
        raise DataError(f"{where}: not valid UTF-8 (byte {fault.start})") from None
    except (ValueError, RecursionError) as fault:
        reason = "it is nested too deep" if isinstance(fault, RecursionError) else str(fault)
        raise DataError(f"{where}: can't be read ({reason})") from None


def record(kind: type[Made], values: Any, where: str) -> Made:
    """Makes a dataclass of a JSON object whose values have the types of its fields.

    Args:
        kind: a dataclass of texts, numbers, booleans, null, and tuples and objects of these.
        values: the object; lists become tuples. Other keys than the fields' are a fault.
        where: what it is, for the error: file and line.

    Raises:
        DataError: it is none, a field is missing, or of another type.
    """
    if not isinstance(values, dict):
        raise DataError(f"{where}: expected an object, got {_shortly(values)}")
    types, known = get_type_hints(kind), [each.name for each in dataclasses.fields(kind)]  # type: ignore[arg-type]
    if unknown := sorted(set(values) - set(known)):
        raise DataError(f"{where}: it has {unknown[0]!r}, which is none of {', '.join(known)}")
    missing, made = dataclasses.MISSING, {}
    for each in dataclasses.fields(kind):  # type: ignore[arg-type]
        if each.name not in values and each.default is each.default_factory is missing:
            raise DataError(f"{where}: it has no {each.name!r}")
    for name, value in values.items():
        if not _is_of(value, types[name]):
            kind_of = types[name]
            expected = kind_of.__name__ if type(kind_of) is type else str(kind_of)
            raise DataError(f"{where}: expected {name} to be {expected}, got {_shortly(value)}")
        made[name] = tuple(value) if isinstance(value, list) else value
    return kind(**made)


def _is_of(value: Any, kind: Any) -> bool:
    """Whether a value of JSON is of a field's type."""
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return any(_is_of(value, each) for each in inner)
    if kind is float:
        return _is_number(value)
    if kind is int:
        return isinstance(value, int) and not isinstance(value, bool) and abs(value) < _INTS
    if origin is tuple:
        return isinstance(value, list) and all(_is_of(each, inner[0]) for each in value)
    if kind is NoneType:
        return value is None
    return isinstance(value, origin or kind)


def _is_number(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return math.isfinite(value) if isinstance(value, float) else abs(value) < _INTS


def _shortly(value: Any) -> str:
    return f"{value!r:.60}" if isinstance(value, str | bool) else type(value).__name__
