"""What a parquet file may unpack to: a few kilobytes of it can hold gigabytes of text."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pixel_env.errors import DataError


def text_columns(metadata: Any) -> list[str]:
    """Names the columns of text that can stay as they are stored: each text once, however often.

    Those inside lists and structs can't: pyarrow fails on large ones.

    Args:
        metadata: of a parquet file.
    """
    columns = (metadata.schema.column(place) for place in range(len(metadata.schema)))
    texts = [each.path for each in columns if each.logical_type.type == "STRING"]
    return [path for path in texts if "." not in path]


def check_names(path: Path, names: Sequence[str]) -> None:
    """Refuses a file in which a name means several columns.

    Raises:
        DataError: it does.
    """
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise DataError(f"{path} has several columns called {twice[0]!r}")


def unpacked_bytes(metadata: Any, columns: Sequence[str]) -> int:
    """Returns how many bytes columns have as they are encoded, by a file's footer."""
    n_bytes = 0
    for group in range(metadata.num_row_groups):
        part = metadata.row_group(group)
        chunks = (part.column(place) for place in range(part.num_columns))
        n_bytes += sum(
            chunk.total_uncompressed_size
            for chunk in chunks
            if chunk.path_in_schema.split(".")[0] in columns
        )
    return n_bytes


def longest_text(array: Any) -> int:
    """Returns the bytes of the longest text in an array of any kind."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = array.type
    if pa.types.is_dictionary(kind):
        return longest_text(array.dictionary)
    if pa.types.is_struct(kind) or pa.types.is_list(kind) or pa.types.is_large_list(kind):
        parts = array.flatten()
        return max(map(longest_text, parts if isinstance(parts, list) else [parts]), default=0)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return int(pc.max(pc.binary_length(array)).as_py() or 0)
    return 0
