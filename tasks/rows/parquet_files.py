"""Rows of parquet files, with embedded pictures read one row at a time.

Opening reads the footers and the small columns. A late column (the pictures) is read when a row's
value is asked for, page by page up to that row; a walk forward through a row group goes on where
the last read stopped, so that reading in order reads every page once.
"""

from __future__ import annotations

import hashlib
import threading
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from pixel_env.errors import ConfigError, DataError
from pixel_env.media.border import foreign_bytes, reason_of
from pixel_env.media.files import open_regular

from .parquet_limits import check_names, longest_text, text_columns, unpacked_bytes
from .row import JoinedRows, Row, Rows

KEPT_BYTES = 32 * 2**20
"""Most bytes of late values that stay in memory, for lanes that read a few rows apart."""

AT_ONCE_BYTES = 64 * 2**20
"""Most bytes of text that are made of the small columns at once, where one text is in many rows."""

UNPACKED_BYTES = 10**9
"""Most bytes that the small columns may unpack to; a few kilobytes can hold more."""

BUFFER_BYTES = 2**20
"""How much of a column is read from the file at once."""


class ParquetRows(Rows):
    """The rows of one parquet file. Safe to use from several threads, and can be pickled.

    Attributes:
        path: the file.
    """

    def __init__(self, path: Path, columns: Sequence[str] = (), late: Sequence[str] = ()) -> None:
        """Reads the footer and the small columns.

        Args:
            path: the file.
            columns: the columns to read of those that are there; all where none is named.
            late: columns that are read row by row, when they are asked for. Columns of binary
                values are in any case.

        Raises:
            ConfigError: pyarrow is not installed.
            DataError: the file is no readable parquet.
        """
        self.path = path
        self._wanted = tuple(columns)
        self._given_late = tuple(late)
        self._lock = threading.Lock()
        self._cursors: dict[str, _Cursor] = {}
        self._schema = self._file.schema_arrow
        check_names(self.path, self._schema.names)
        names = [name for name in self._schema.names if not columns or name in columns]
        self.late = tuple(name for name in names if name in late or self._is_binary(name))
        self._small = [name for name in names if name not in self.late]
        self._n_rows = self._file.metadata.num_rows
        _ = self._table

    def __len__(self) -> int:
        return int(self._n_rows)

    def __getitem__(self, index: int) -> Row:
        if not 0 <= index < len(self):
            raise IndexError(index)
        values = {}
        if self._small:
            with foreign_bytes(f"{self.origin(index)} of {self.path.parent}"):
                values = self._table.slice(index, 1).to_pylist()[0]
        return self._row(index, values)

    def each(self) -> Iterator[Row | DataError]:
        """Yields all rows, faster than one by one."""
        index = 0
        n_at_once = min(max(AT_ONCE_BYTES // max(self._longest_text, 1), 1), 1024)
        for batch in self._table.to_batches(max_chunksize=n_at_once):
            try:
                rows = batch.to_pylist()
            except Exception:  # the border of foreign bytes: one of these rows can't be read
                rows = [None] * batch.num_rows
            for values in rows:
                yield self._at(index) if values is None else self._row(index, values)
                index += 1

    def _at(self, index: int) -> Row | DataError:
        """Returns a row, or its fault."""
        try:
            return self[index]
        except DataError as fault:
            return fault

    def columns(self) -> frozenset[str]:
        """Returns the columns that the rows have."""
        return frozenset(self.late).union(self._small)

    def origin(self, index: int) -> str:
        """Names file and row."""
        return f"{self.path.name} row {index + 1}"

    def digest(self) -> str:
        """Returns a checksum of the file's size and footer, which holds every column's size."""
        with self.path.open("rb") as file:
            size = file.seek(-8, 2) + 8
            length = int.from_bytes(file.read(4), "little")
            file.seek(max(size - 8 - length, 0))
            footer = file.read(length)
        return hashlib.sha256(f"{size}:".encode() + footer).hexdigest()[:16]

    def cell(self, column: str, index: int) -> Any:
        """Reads one value of a late column.

        Args:
            column: its name.
            index: the row, from 0.

        Raises:
            DataError: the value can't be read.
        """
        with self._lock:
            if column not in self._cursors:
                self._cursors[column] = _Cursor(self.path, column)
            return self._cursors[column].read(index, self.origin(index))

    def __getstate__(self) -> dict[str, Any]:
        """Leaves open files, the lock and the table behind: they are opened again when used."""
        unsent = ("_file", "_table", "_longest_text", "_lock", "_cursors", "_schema")
        return {name: value for name, value in self.__dict__.items() if name not in unsent}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._lock = threading.Lock()
        self._cursors = {}

    @cached_property
    def _file(self) -> Any:
        return _opened(self.path)

    @cached_property
    def _table(self) -> Any:
        """The small columns, packed as pyarrow keeps them."""
        with foreign_bytes(f"{self.path}"):
            self._check_unpacked()
            return self._file.read(columns=self._small, use_threads=False)

    def _check_unpacked(self) -> None:
        """Refuses small columns that would unpack to more than memory has room for."""
        n_bytes = unpacked_bytes(self._file.metadata, self._small)
        nested = [
            name for name in self._small if self._file.schema_arrow.field(name).type.num_fields
        ]
        if nested and n_bytes <= UNPACKED_BYTES:  # the same text may stand in many of their rows
            for batch in self._file.iter_batches(8, columns=nested, use_threads=False):
                n_bytes += batch.nbytes
                if n_bytes > UNPACKED_BYTES:
                    break
        if n_bytes > UNPACKED_BYTES:
            raise DataError(
                f"{self.path} can't be read: its columns {', '.join(self._small)} unpack to more "
                f"than {UNPACKED_BYTES // 10**6:,} MB"
            )

    @cached_property
    def _longest_text(self) -> int:
        """Bytes of the longest text of the small columns, of which many rows may be."""
        with foreign_bytes(f"{self.path}"):
            chunks = (chunk for column in self._table.columns for chunk in column.chunks)
            return max(map(longest_text, chunks), default=0)

    def _row(self, index: int, values: dict[str, Any]) -> Row:
        late = {column: partial(self.cell, column, index) for column in self.late}
        return Row(values, self.origin(index), late, position=index + 1)

    def _is_binary(self, name: str) -> bool:
        """Whether a column holds bytes: alone, in a struct as the hub stores them, in a list."""
        import pyarrow.types as kinds

        kind = self._schema.field(name).type
        while kinds.is_list(kind) or kinds.is_large_list(kind):
            kind = kind.value_type
        inside = [field.type for field in kind] if kinds.is_struct(kind) else [kind]
        return any(kinds.is_binary(each) or kinds.is_large_binary(each) for each in inside)


def read_parquets(
    paths: Sequence[Path], columns: Sequence[str] = (), late: Sequence[str] = ()
) -> Rows:
    """Reads one or more parquet files as one, in the order given; raises as `ParquetRows`."""
    parts = [ParquetRows(path, columns, late) for path in paths]
    return parts[0] if len(parts) == 1 else JoinedRows(parts)


class _Cursor:
    """A place in one column of a file; it moves forward row by row."""

    def __init__(self, path: Path, column: str) -> None:
        self._file = _opened(path)
        self._column = column
        self._starts = [0]
        for group in range(self._file.metadata.num_row_groups):
            n_rows = self._file.metadata.row_group(group).num_rows
            self._starts.append(self._starts[-1] + n_rows)
        self._values: Iterator[Any] = iter(())
        self._group = -1
        self._next = 0
        self._kept: OrderedDict[int, tuple[Any, int]] = OrderedDict()
        self._n_bytes = 0

    def read(self, index: int, origin: str) -> Any:
        """Returns a row's value."""
        if index in self._kept:
            self._kept.move_to_end(index)
            return self._kept[index][0]
        group = bisect_right(self._starts, index) - 1
        try:
            if group != self._group or index < self._next:
                self._values, self._group = self._walk(group), group
                self._next = self._starts[group]
            while self._next < index:
                self._keep(next(self._values))
            value = next(self._values)
        except StopIteration as fault:
            self._group = -1
            raise DataError(f"{origin}: column {self._column!r} ends before this row") from fault
        except Exception as fault:  # the border of foreign bytes
            self._group = -1
            where = f"{origin}: column {self._column!r}"
            raise DataError(f"{where} can't be read: {reason_of(fault)}") from fault
        self._keep(value)
        return value

    def _walk(self, group: int) -> Iterator[Any]:
        batches = self._file.iter_batches(
            batch_size=1, row_groups=[group], columns=[self._column], use_threads=False
        )
        return (batch.column(0)[0].as_py() for batch in batches)

    def _keep(self, value: Any) -> None:
        """Remembers the value of the next row, and forgets the longest unused ones."""
        size = _size(value)
        self._n_bytes -= self._kept.pop(self._next, (None, 0))[1]
        self._kept[self._next] = (value, size)
        self._next += 1
        self._n_bytes += size
        while self._n_bytes > KEPT_BYTES and len(self._kept) > 1:
            self._n_bytes -= self._kept.popitem(last=False)[1][1]


def _size(value: Any) -> int:
    """Bytes that a value takes, roughly."""
    if isinstance(value, bytes | str):
        return len(value)
    if isinstance(value, dict):
        return sum(map(_size, value.values()))
    return sum(map(_size, value)) if isinstance(value, list) else 64


def _opened(path: Path) -> Any:
    """Opens a parquet file; pages of a column are read one after the other.

    Raises:
        ConfigError: pyarrow is not installed.
        DataError: the file is no readable parquet.
    """
    try:
        from pyarrow import parquet
    except ImportError as error:
        raise ConfigError(
            f"reading {path} needs pyarrow, which is not installed: "
            "pip install 'pixel-reason[data]'"
        ) from error
    with foreign_bytes(f"{path}", "can't be read as parquet"):
        with open_regular(path):  # a pipe would block
            metadata = parquet.read_metadata(path)
        return parquet.ParquetFile(
            path,
            metadata=metadata,
            read_dictionary=text_columns(metadata),
            buffer_size=BUFFER_BYTES,
            pre_buffer=False,
        )
