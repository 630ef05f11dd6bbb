"""JSON files of a model's folder: regular, of bounded size, and an object."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from pixel_env.errors import DataError
from pixel_env.media.files import open_regular

MAX_BYTES = 64 * 2**20
"""A larger file is refused; the tokenizers of published models have some 11 MB."""


def read_object(path: Path) -> dict[str, Any]:
    """Reads a JSON file that holds an object.

    Raises:
        DataError: it is no regular file, too large, no JSON, or no object; the message names it.
    """
    try:
        with open_regular(path) as file:
            if (n_bytes := os.fstat(file.fileno()).st_size) > MAX_BYTES:
                raise DataError(f"{path} has {n_bytes:,} bytes, and over {MAX_BYTES:,} are refused")
            found = json.loads(file.read(MAX_BYTES + 1).decode("utf-8"))
    except (OSError, ValueError, RecursionError) as fault:
        reason = fault.strerror if isinstance(fault, OSError) and fault.strerror else str(fault)
        raise DataError(f"{path} can't be read as JSON: {reason}") from fault
    if not isinstance(found, dict):
        raise DataError(f"{path}: expected a JSON object, got {type(found).__name__}")
    return found
