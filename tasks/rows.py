"""Rows of a data set read from disk: every fault names the file and the row.

Nothing here looks at a picture, and nothing here touches a network.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from pixel_env.errors import DataError


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a file, with typed access to its columns.

    Attributes:
        values: column name to value.
        origin: file and row number (from 1), as error messages show them.
    """

    values: Mapping[str, Any]
    origin: str

    def text(self, column: str) -> str:
        """Returns a column that holds text.

        Raises:
            DataError: the column is missing, or holds something else.
        """
        value = self._get(column)
        if not isinstance(value, str):
            raise self.fault(f"expected text in column {column!r}, got {value!r:.80}")
        return value

    def name(self, column: str) -> str:
        """Returns a column that holds a name: text that isn't blank, or a whole number.

        Raises:
            DataError: the column is missing, blank, or holds something else.
        """
        value = self._get(column)
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        if isinstance(value, str) and value.strip():
            return value.strip()
        raise self.fault(f"expected a name or a number in column {column!r}, got {value!r:.80}")

    def fault(self, sentence: str) -> DataError:
        """Builds the error that names this row."""
        return DataError(f"{self.origin}: {sentence}")

    def _get(self, column: str) -> Any:
        if column not in self.values:
            held = ", ".join(sorted(self.values)) or "none"
            raise self.fault(f"column {column!r} is missing; the columns are {held}")
        return self.values[column]


@dataclass(frozen=True)
class DataFolder:
    """The one folder that a task set may read, and the way to a file in it.

    Attributes:
        path: the folder; it may itself be a link.
    """

    path: Path

    def file(self, relative: str, origin: str) -> Path:
        """Returns the file that a row points to, after making sure that it lies in the folder.

        Args:
            relative: path as the row gives it, with forward slashes.
            origin: file and row, for error messages.

        Raises:
            DataError: the path is absolute, climbs with "..", leads out of the folder through
                a link, or is no file.
        """
        parts = PurePosixPath(relative).parts
        if not relative.strip() or "\0" in relative:
            raise DataError(f"{origin}: expected the path of a file, got {relative!r:.80}")
        if PurePosixPath(relative).is_absolute() or PureWindowsPath(relative).anchor:
            raise DataError(f"{origin}: expected a relative path, got the absolute {relative!r}")
        if ".." in parts or ".." in PureWindowsPath(relative).parts:
            raise DataError(f"{origin}: expected a path without '..', got {relative!r}")
        try:
            real = (self.path / relative).resolve(strict=True)
        except (OSError, RuntimeError) as error:
            raise DataError(f"{origin}: there is no file {relative!r} in {self.path}") from error
        if not any(real.is_relative_to(root) for root in self._roots()):
            raise DataError(f"{origin}: {relative!r} is a link that leads out of {self.path}")
        if not real.is_file():
            raise DataError(f"{origin}: {relative!r} in {self.path} is not a file")
        return self.path / relative

    def _roots(self) -> tuple[Path, ...]:
        """The folder and, for a snapshot of the Hugging Face cache, the blobs it links to."""
        real = self.path.resolve()
        if real.parent.name == "snapshots":
            return real, real.parent.parent / "blobs"
        return (real,)


def read_json(path: Path, origin: str = "") -> Any:
    """Reads a JSON file.

    Args:
        path: the file, UTF-8, with or without a byte order mark.
        origin: the row that points to the file, for error messages.

    Raises:
        DataError: the file can't be read, or isn't JSON.
    """
    where = f"{origin}: {path.name}" if origin else str(path)
    try:
        return json.loads(_read_text(path, where))
    except (ValueError, RecursionError) as error:
        raise DataError(f"{where}: not valid JSON ({error})") from error


def read_jsonl(path: Path) -> list[Row]:
    """Reads a file with one JSON object a line; blank lines are passed over.

    Args:
        path: the file, UTF-8, with or without a byte order mark.

    Returns:
        The rows in the file's order; their numbers are line numbers, from 1.

    Raises:
        DataError: the file can't be read, or a line isn't a JSON object.
    """
    rows = []
    for number, line in enumerate(_read_text(path, str(path)).split("\n"), start=1):
        if not line.strip():
            continue
        origin = f"{path.name} row {number}"
        try:
            values = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise DataError(f"{origin} (in {path.parent}): not valid JSON ({error})") from error
        if not isinstance(values, dict):
            raise DataError(f"{origin} (in {path.parent}): expected an object, got {line!r:.60}")
        rows.append(Row(values, origin))
    return rows


def _read_text(path: Path, where: str) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{where}: can't be read ({error})") from error
