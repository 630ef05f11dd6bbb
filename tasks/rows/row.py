"""Rows of a data set read from disk: every fault names the file and the row.

Nothing here opens a picture, and nothing here touches a network. A row that can't be read is
found out when that row is asked for, so that it spares the others.
"""

from __future__ import annotations

import hashlib
import math
from abc import ABC, abstractmethod
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from typing import Any

from pixel_env.errors import DataError


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a file, with typed access to its columns.

    Attributes:
        values: column name to value.
        origin: file and row number (from 1), as error messages show them.
        late: columns that are read when asked for, such as embedded pictures: column name to a
            function that reads the value and can be pickled.
        position: which row of its file it is, from 1; 0 where that is not known.
    """

    values: Mapping[str, Any]
    origin: str
    late: Mapping[str, Callable[[], Any]] = field(default_factory=dict)
    position: int = 0

    def __contains__(self, column: str) -> bool:
        """Tells whether the row has a column, and something in it."""
        return column in self.late or self.values.get(column) is not None

    def value(self, column: str) -> Any:
        """Returns a column that is there, whatever it is.

        Raises:
            DataError: the column is missing.
        """
        if column not in self.values:
            names = ", ".join(sorted([*self.values, *self.late])) or "none"
            raise self.fault(f"column {column!r} is missing; the columns are {names}")
        return self.values[column]

    def text(self, column: str) -> str:
        """Returns a column that holds text.

        Raises:
            DataError: the column is missing, or holds something else.
        """
        value = self.value(column)
        if not isinstance(value, str):
            raise self.fault(f"expected text in column {column!r}, got {value!r:.80}")
        return value

    def sentence(self, column: str) -> str:
        """Returns a column that holds text that isn't blank, in one line.

        Raises:
            DataError: the column is missing, blank, or holds something else.
        """
        text = " ".join(self.text(column).split())
        if not text:
            raise self.fault(f"expected text in column {column!r}, it is blank")
        return text

    def name(self, column: str) -> str:
        """Returns a column that holds a name: text that isn't blank, or a whole number.

        Raises:
            DataError: the column is missing, blank, or holds something else.
        """
        value = self.value(column)
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        if isinstance(value, str) and value.strip():
            return value.strip()
        raise self.fault(f"expected a name or a number in column {column!r}, got {value!r:.80}")

    def number(self, column: str) -> float:
        """Returns a column that holds a finite number.

        Raises:
            DataError: the column is missing, or holds something else.
        """
        value = self.value(column)
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        try:
            number = float(value) if is_number else math.nan
        except OverflowError:  # a whole number of hundreds of digits
            number = math.inf
        if not math.isfinite(number):
            raise self.fault(f"expected a number in column {column!r}, got {value!r:.80}")
        return number

    def flag(self, column: str) -> bool:
        """Returns a column that holds true or false.

        Raises:
            DataError: the column is missing, or holds something else.
        """
        value = self.value(column)
        if not isinstance(value, bool):
            raise self.fault(f"expected true or false in column {column!r}, got {value!r:.80}")
        return value

    def texts(self, column: str) -> tuple[str, ...]:
        """Returns a column that holds a list of texts, at least one.

        Raises:
            DataError: the column is missing, or holds something else.
        """
        value = self.value(column)
        is_list = isinstance(value, list | tuple) and len(value) > 0
        if not is_list or not all(isinstance(entry, str) for entry in value):
            raise self.fault(f"expected a list of texts in column {column!r}, got {value!r:.80}")
        return tuple(value)

    def fault(self, sentence: str) -> DataError:
        """Builds the error that names this row."""
        return DataError(f"{self.origin}: {sentence}")


class Rows(ABC):
    """The rows of one or more files, in order; each is read when it is asked for."""

    @abstractmethod
    def __len__(self) -> int:
        """Returns how many rows there are."""

    @abstractmethod
    def __getitem__(self, index: int) -> Row:
        """Returns row `index`, from 0.

        Raises:
            DataError: the row can't be read.
        """

    @abstractmethod
    def columns(self) -> frozenset[str]:
        """Returns the columns that the rows have; those of the first one where they may differ."""

    @abstractmethod
    def origin(self, index: int) -> str:
        """Names file and row without reading the row."""

    @abstractmethod
    def digest(self) -> str:
        """Returns a short text that changes when the files change."""

    def file_digest(self, index: int) -> str:
        """Returns the digest of the file that a row is in, as it was when first asked for."""
        return self._first_digest

    @cached_property
    def _first_digest(self) -> str:
        return self.digest()

    def each(self) -> Iterator[Row | DataError]:
        """Yields all rows in order; the fault itself where one can't be read."""
        for index in range(len(self)):
            try:
                yield self[index]
            except DataError as fault:
                yield fault


class JoinedRows(Rows):
    """The rows of several files as one; each row knows which file it is of."""

    def __init__(self, parts: Sequence[Rows]) -> None:
        """Takes the parts, in order."""
        self._parts = parts
        self._starts = [0]
        for part in parts:
            self._starts.append(self._starts[-1] + len(part))

    def __len__(self) -> int:
        return self._starts[-1]

    def __getitem__(self, index: int) -> Row:
        part, place = self.place(index)
        return self._parts[part][place]

    def place(self, index: int) -> tuple[int, int]:
        """Returns in which part a row is, and where in it; both from 0."""
        if not 0 <= index < len(self):
            raise IndexError(index)
        part = bisect_right(self._starts, index) - 1
        return part, index - self._starts[part]

    def each(self) -> Iterator[Row | DataError]:
        """Yields the rows of all parts."""
        return chain.from_iterable(part.each() for part in self._parts)

    def columns(self) -> frozenset[str]:
        """Returns the columns of the first part."""
        return self._parts[0].columns()

    def origin(self, index: int) -> str:
        """Names file and row."""
        part, place = self.place(index)
        return self._parts[part].origin(place)

    def file_digest(self, index: int) -> str:
        """Returns the digest of the part that a row is in, whatever the others are."""
        part, place = self.place(index)
        return self._parts[part].file_digest(place)

    def digest(self) -> str:
        """Returns one text for all files."""
        joined = ":".join(part.digest() for part in self._parts)
        return hashlib.sha256(joined.encode()).hexdigest()[:16]


class NestedRows(Rows):
    """One row for each entry of a list in a column: several questions about one picture.

    An entry's columns go before those of the row around it. `entry` is its number, "3-2" for the
    second entry of the third row, both from 1.
    """

    def __init__(self, outer: Rows, column: str) -> None:
        """Reads how many entries each row has.

        Args:
            outer: the rows around.
            column: the column that holds a list of structs. A row where it holds none stays one
                row, which is a fault.
        """
        self._outer = outer
        self._column = column
        self._starts = [0]
        for row in outer.each():
            self._starts.append(self._starts[-1] + max(len(self._entries(row)), 1))

    def __len__(self) -> int:
        return self._starts[-1]

    def __getitem__(self, index: int) -> Row:
        if not 0 <= index < len(self):
            raise IndexError(index)
        place = bisect_right(self._starts, index) - 1
        return self._inner(self._outer[place], place, index - self._starts[place])

    def each(self) -> Iterator[Row | DataError]:
        """Yields the entries of all rows."""
        for place, row in enumerate(self._outer.each()):
            for number in range(max(len(self._entries(row)), 1)):
                try:
                    yield row if isinstance(row, DataError) else self._inner(row, place, number)
                except DataError as fault:
                    yield fault

    def columns(self) -> frozenset[str]:
        """Returns the columns of the rows around."""
        return self._outer.columns()

    def origin(self, index: int) -> str:
        """Names file, row and entry."""
        place = bisect_right(self._starts, index) - 1
        return f"{self._outer.origin(place)} entry {index - self._starts[place] + 1}"

    def digest(self) -> str:
        """Returns the digest of the rows around."""
        return self._outer.digest()

    def file_digest(self, index: int) -> str:
        """Returns the digest of the file that the row around is in."""
        return self._outer.file_digest(bisect_right(self._starts, index) - 1)

    def _entries(self, row: Row | DataError) -> Sequence[Any]:
        entries = () if isinstance(row, DataError) else row.values.get(self._column)
        return entries if isinstance(entries, list) else ()

    def _inner(self, row: Row, place: int, number: int) -> Row:
        entries = self._entries(row)
        if not entries or not isinstance(entries[number], dict):
            raise row.fault(
                f"expected a list of questions in column {self._column!r}, "
                f"got {row.values.get(self._column)!r:.80}"
            )
        values = {**row.values, **entries[number], "entry": f"{place + 1}-{number + 1}"}
        return Row(values, f"{row.origin} entry {number + 1}", row.late, row.position)
