"""Rows of JSON files: one list, or one object a line."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pixel_env.errors import DataError
from pixel_env.media.border import foreign_bytes
from pixel_env.media.files import open_regular

from .row import Row, Rows


class ListRows(Rows):
    """Rows of a JSON list, or of one JSON object a line."""

    def __init__(
        self,
        path: Path,
        entries: Sequence[Any],
        numbers: Sequence[int],
        added: Mapping[str, Any] | None = None,
    ) -> None:
        """Takes what was read.

        Args:
            path: the file, for error messages.
            entries: decoded values, or lines that are decoded when they are asked for.
            numbers: the number of each, from 1.
            added: columns that every row of the file gets.
        """
        self._path = path
        self._entries = entries
        self._numbers = numbers
        self._added = added or {}

    def __len__(self) -> int:
        return len(self._entries)

    def __getitem__(self, index: int) -> Row:
        origin = self.origin(index)
        entry = self._entries[index]
        if isinstance(entry, _Line):
            entry.check_encoding(f"{origin} (in {self._path.parent})")
            entry = _decoded(entry, f"{origin} (in {self._path.parent})")
        if not isinstance(entry, dict):
            raise DataError(
                f"{origin} (in {self._path.parent}): expected an object, got {entry!r:.60}"
            )
        values = {**entry, **self._added} if self._added else entry
        return Row(values, origin, position=self._numbers[index])

    def columns(self) -> frozenset[str]:
        """Returns the columns of the first row that can be read; none where none can."""
        for index in range(len(self)):
            try:
                return frozenset(self[index].values)
            except DataError:
                continue
        return frozenset()

    def origin(self, index: int) -> str:
        """Names file and row."""
        return f"{self._path.name} row {self._numbers[index]}"

    def digest(self) -> str:
        """Returns the SHA-256 of the file, shortened."""
        return hashlib.sha256(self._path.read_bytes()).hexdigest()[:16]


def read_json(path: Path, origin: str = "") -> Any:
    """Reads a JSON file.

    Args:
        path: the file, UTF-8, with or without a byte order mark.
        origin: the row that points to the file, for error messages.

    Raises:
        DataError: the file can't be read, or isn't JSON.
    """
    where = f"{origin}: {path.name}" if origin else str(path)
    return _decoded(_read_text(path, where), where)


def read_json_list(path: Path, key: str = "", added: Mapping[str, Any] | None = None) -> ListRows:
    """Reads the rows of a JSON file that is a list, or an object that holds one under `key`.

    Args:
        path: the file, UTF-8, with or without a byte order mark.
        key: where the list is, in a file that holds an object; a bare list is taken too.
        added: columns that every row gets.

    Raises:
        DataError: the file can't be read, isn't JSON, or holds no list there.
    """
    values = read_json(path)
    if key and isinstance(values, dict):
        values = values.get(key)
    if not isinstance(values, list):
        under = f" under {key!r}" if key else ""
        raise DataError(f"{path}: expected a list of rows{under}, got {values!r:.60}")
    return ListRows(path, values, range(1, len(values) + 1), added)


def read_jsonl(path: Path) -> ListRows:
    """Reads a file with one JSON object a line; blank lines are passed over.

    Args:
        path: the file, UTF-8, with or without a byte order mark.

    Returns:
        The rows in the file's order; their numbers are line numbers, from 1. A line that isn't
        UTF-8, or no JSON object, is found out when its row is asked for.

    Raises:
        DataError: the file can't be read.
    """
    lines = enumerate(_read_text(path, str(path), _ESCAPED).split("\n"), start=1)
    kept = [(_Line(line), number) for number, line in lines if line.strip()]
    return ListRows(path, [line for line, _ in kept], [number for _, number in kept])


_ESCAPED = "surrogateescape"
"""Bytes that aren't UTF-8 become half surrogate pairs: a fault of their line alone."""


class _Line(str):
    """A line that is not decoded yet."""

    __slots__ = ()

    def check_encoding(self, where: str) -> None:
        """Makes sure that the line's bytes were UTF-8, which never decodes to a surrogate.

        Raises:
            DataError: they weren't; `where` names them.
        """
        try:
            self.encode("utf-8")
        except UnicodeEncodeError as fault:
            raise DataError(f"{where}: not valid UTF-8 at character {fault.start + 1}") from None


def _decoded(text: str, where: str) -> Any:
    """Decodes JSON: what `where` names is at fault for whatever comes out of it."""
    with foreign_bytes(f"{where}:", "not valid JSON"):
        return json.loads(text)


def _read_text(path: Path, where: str, errors: str = "strict") -> str:
    """Reads a file of text; `where` is at fault where it is none, or no regular file."""
    with foreign_bytes(f"{where}:"), open_regular(path) as file:
        return file.read().decode("utf-8-sig", errors)
