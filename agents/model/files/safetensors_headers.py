"""What a safetensors file says that it holds, checked against its size; no tensor is read."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pixel_env.errors import DataError
from pixel_env.media.files import open_regular

MAX_HEADER_BYTES = 32 * 2**20
"""A longer header is refused; those of published models have under 1 MB a file."""

MAX_SIDES = 8
"""Most sides of a tensor."""

BITS = {
    **{"BOOL": 8, "U8": 8, "I8": 8, "F8_E4M3": 8, "F8_E5M2": 8, "F8_E8M0": 8},
    **{"F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8, "I16": 16, "U16": 16, "F16": 16, "BF16": 16},
    **{"I32": 32, "U32": 32, "F32": 32, "I64": 64, "U64": 64, "F64": 64, "C64": 64},
    **{"F4": 4, "F6_E2M3": 6, "F6_E3M2": 6},
}
"""Bits of a number, by the format's names of dtypes."""

FLOATS = frozenset(name for name in BITS if name.startswith(("F", "BF")))


@dataclass(frozen=True, slots=True)
class StoredTensor:
    """One tensor of a file.

    Attributes:
        dtype: by the format's name, such as "BF16".
        shape: its sides.
    """

    dtype: str
    shape: tuple[int, ...]

    @property
    def n_numbers(self) -> int:
        """How many numbers it holds."""
        return math.prod(self.shape)


def read_header(path: Path) -> dict[str, StoredTensor]:
    """Reads which tensors a file holds.

    Raises:
        DataError: it is no regular file, is cut, or its header is damaged; the message names it.
    """
    try:
        with open_regular(path) as file:
            size = os.fstat(file.fileno()).st_size
            head = file.read(8)
            n_bytes = int.from_bytes(head, "little")
            if len(head) < 8 or n_bytes > size - 8:
                raise ValueError(f"it ends inside its header ({size:,} bytes in all)")
            if n_bytes > MAX_HEADER_BYTES:
                raise ValueError(f"its header has {n_bytes:,} bytes, over {MAX_HEADER_BYTES:,}")
            return _tensors(json.loads(file.read(n_bytes).decode("utf-8")), size - 8 - n_bytes)
    except (OSError, ValueError, RecursionError) as fault:
        reason = fault.strerror if isinstance(fault, OSError) and fault.strerror else str(fault)
        raise DataError(f"{path} can't be read as safetensors: {reason}") from fault


def _tensors(header: Any, n_data: int) -> dict[str, StoredTensor]:
    """Checks a header against the bytes behind it; its tensors must fill them without overlap."""
    if not isinstance(header, Mapping):
        raise ValueError(f"its header is no object but {type(header).__name__}")
    entries = {name: each for name, each in header.items() if name != "__metadata__"}
    spans = sorted(_span(name, entry) for name, entry in entries.items())
    end = 0
    for start, stop, name in spans:
        if start != end:
            raise ValueError(f"tensor {name!r} starts at byte {start}, not at {end}")
        end = stop
    if end != n_data:
        raise ValueError(f"its tensors take {end:,} bytes, and {n_data:,} are there")
    return {
        name: StoredTensor(entry["dtype"], tuple(entry["shape"])) for name, entry in entries.items()
    }


def _span(name: str, entry: Any) -> tuple[int, int, str]:
    """Returns where a tensor lies, after checking that its dtype and shape take as many bytes."""
    if not isinstance(entry, Mapping):
        raise ValueError(f"tensor {name!r} has no dtype and shape")
    found: list[Any] = [entry.get(key) for key in ("dtype", "shape", "data_offsets")]
    dtype, shape, offsets = found
    if not isinstance(dtype, str) or dtype not in BITS:
        raise ValueError(f"tensor {name!r} has an unknown dtype, {dtype!r:.40}")
    if not _are_sizes(shape) or not _are_sizes(offsets) or len(offsets) != 2:
        raise ValueError(f"tensor {name!r} has no shape and offsets of whole numbers")
    start, stop = offsets
    if math.prod(shape) * BITS[dtype] != (stop - start) * 8:
        raise ValueError(f"tensor {name!r} of shape {shape!r:.60} and {dtype} has other offsets")
    return start, stop, name


def _are_sizes(found: Any) -> bool:
    if not isinstance(found, list) or len(found) > MAX_SIDES:
        return False
    return all(type(each) is int and 0 <= each < 2**63 for each in found)
