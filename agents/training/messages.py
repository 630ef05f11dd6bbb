"""What processes send each other, as bytes: JSON with arrays behind it; nothing is unpickled.

Whoever reaches the port of a training could send a pickle that runs code. A message of this form
can only become numbers, texts, arrays and dataclasses of this package.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pixel_env.errors import ConfigError, DataError

_PACKAGE = "pixel_env."
_HEAD = 8
"""Bytes of the length of the JSON."""
_TAG = "$"
"""The key of what JSON has no form for: {"$": kind, "of": content}."""
_KINDS_OF_ARRAYS = "biuf"
"""NumPy's kinds of dtypes that are sent: booleans, whole numbers, floats."""


def packed(value: Any) -> bytes:
    """Writes a value down.

    Args:
        value: of JSON's types, tuples, paths, mappings, NumPy's numbers and arrays, and dataclasses
            of this package. One dataclass object that occurs twice is the same one when unpacked.

    Raises:
        ConfigError: it holds something else.
    """
    writer = _Writer()
    root = writer.plain(value)
    arrays = [[array.dtype.str, list(array.shape)] for array in writer.arrays]
    text = json.dumps({"root": root, "objects": writer.objects, "arrays": arrays}).encode()
    parts = [len(text).to_bytes(_HEAD, "little"), text]
    return b"".join([*parts, *(array.tobytes() for array in writer.arrays)])


def unpacked(message: bytes) -> Any:
    """Reads what `packed` wrote.

    Raises:
        DataError: it is no such message.
    """
    try:
        end = _HEAD + int.from_bytes(message[:_HEAD], "little")
        content = json.loads(message[_HEAD:end])
        return _Reader(content, memoryview(message)[end:]).value(content["root"])
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError) as fault:
        raise DataError(f"another process sent no readable message: {fault}") from fault


class _Writer:
    """Collects the arrays and the dataclasses of a value."""

    def __init__(self) -> None:
        self.arrays: list[np.ndarray[Any, Any]] = []
        self.objects: list[Any] = []
        self._places: dict[int, int] = {}

    def plain(self, value: Any) -> Any:
        """Returns what JSON can write of a value."""
        if value is None or isinstance(value, bool | int | float | str):
            return value
        if isinstance(value, np.generic):
            return self.plain(value.item())
        if isinstance(value, np.ndarray) and value.dtype.kind in _KINDS_OF_ARRAYS:
            self.arrays.append(np.ascontiguousarray(value).reshape(value.shape))
            return {_TAG: "array", "of": len(self.arrays) - 1}
        if isinstance(value, list):
            return [self.plain(each) for each in value]
        if isinstance(value, tuple):
            return {_TAG: "tuple", "of": [self.plain(each) for each in value]}
        if isinstance(value, Mapping):
            return {_TAG: "dict", "of": [[self.plain(k), self.plain(v)] for k, v in value.items()]}
        if isinstance(value, Path):
            return {_TAG: "path", "of": str(value)}
        if dataclasses.is_dataclass(value) and type(value).__module__.startswith(_PACKAGE):
            return {_TAG: "object", "of": self._place(value)}
        raise ConfigError(f"{type(value).__name__} can't be sent to another process: {value!r:.80}")

    def _place(self, value: Any) -> int:
        """Returns the number of a dataclass object; each is written once."""
        if id(value) not in self._places:
            fields = [field.name for field in dataclasses.fields(value) if field.init]
            content = [[name, self.plain(getattr(value, name))] for name in fields]
            kind = type(value)
            self._places[id(value)] = len(self.objects)
            self.objects.append([kind.__module__, kind.__qualname__, content])
        return self._places[id(value)]


class _Reader:
    """Makes a value of what `_Writer` collected."""

    def __init__(self, content: dict[str, Any], data: memoryview) -> None:
        self._content = content
        self._made: dict[int, Any] = {}
        self._arrays = []
        start = 0
        for dtype, shape in content["arrays"]:
            kind = np.dtype(dtype)
            if kind.kind not in _KINDS_OF_ARRAYS:
                raise ValueError(f"an array of {dtype!r:.20}")
            n_bytes = kind.itemsize * int(np.prod(shape, dtype=object))
            array = np.frombuffer(data[start : start + n_bytes], kind).reshape(shape)
            self._arrays.append(array.copy())  # one that can be written to
            start += n_bytes

    def value(self, plain: Any) -> Any:
        """Returns the value behind JSON's form of it."""
        if isinstance(plain, list):
            return [self.value(each) for each in plain]
        if not isinstance(plain, dict):
            return plain
        kind, of = plain[_TAG], plain["of"]
        if kind == "array":
            return self._arrays[of]
        if kind == "tuple":
            return tuple(self.value(each) for each in of)
        if kind == "dict":
            return {self.value(key): self.value(each) for key, each in of}
        if kind == "path":
            return Path(of)
        if of not in self._made:
            self._made[of] = self._object(*self._content["objects"][of])
        return self._made[of]

    def _object(self, module: str, name: str, fields: Any) -> Any:
        """Makes a dataclass of this package; nothing is imported for it."""
        found = getattr(sys.modules[module], name) if module.startswith(_PACKAGE) else None
        if not isinstance(found, type) or not dataclasses.is_dataclass(found):
            raise ValueError(f"{module!r:.80} has no dataclass {name!r:.80}")
        return found(**{field: self.value(each) for field, each in fields})
