"""Values as JSON holds them: texts, numbers, true, false, null, lists and objects."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..errors import ConfigError

Other = Callable[[Any], Any]
"""Turns a value that JSON has no form for into one that it has."""


def plain(value: Any, name: str = "value", other: Other | None = None) -> Any:
    """Turns a value into JSON's types.

    Args:
        value: of JSON's types, tuples, mappings, dataclasses and named tuples (objects of their
            fields) and NumPy's numbers and arrays (lists).
        name: what it is, for the error.
        other: what becomes of everything else: objects, and floats that aren't finite; sets become
            lists then, and keys texts. None refuses objects, sets and keys that are no text, and
            leaves floats as they are.

    Raises:
        ConfigError: it holds something else, and `other` is None.

    Example:
        >>> plain({"box": (np.float64(0.5), 1)}, "info")
        {'box': [0.5, 1]}
        >>> plain({1: {"a"}, "rate": math.nan}, other=repr)
        {'1': ['a'], 'rate': 'nan'}
    """
    if isinstance(value, np.generic | np.ndarray):
        return plain(value.tolist(), name, other)
    if value is None or isinstance(value, str | bool | int | float):
        is_odd = isinstance(value, float) and not math.isfinite(value)
        return other(value) if is_odd and other else value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = dataclasses.fields(value)
        return plain({each.name: getattr(value, each.name) for each in fields}, name, other)
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return plain(value._asdict(), name, other)
    if isinstance(value, Mapping) and (other or all(isinstance(key, str) for key in value)):
        return {str(key): plain(entry, f"{name}.{key}", other) for key, entry in value.items()}
    if isinstance(value, list | tuple) or (other and isinstance(value, set | frozenset)):
        return [plain(entry, f"{name}[{i}]", other) for i, entry in enumerate(value)]
    if other is None:
        raise ConfigError(f"expected {name} to be made of JSON's types, got {type(value).__name__}")
    return other(value)
