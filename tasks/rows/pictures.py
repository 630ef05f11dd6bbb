"""The picture of a row: a file in the folder, bytes in the row, or bytes written as base64."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pixel_env.errors import DataError
from pixel_env.media.pictures import ImageSource

from .folders import DataFolder
from .row import Row

_DATA_URI = re.compile(r"data:[\w.+/-]{0,80}(?:;[\w=.+-]{1,80})*;base64,", re.IGNORECASE)


@dataclass(frozen=True)
class EmbeddedPicture:
    """Finds a picture whose bytes are in the row; it can be sent to another process.

    Attributes:
        read: reads the row's value: bytes, base64 text, or a struct of bytes and path as the hub
            stores pictures.
        column: where the value is, for error messages.
        origin: file and row, for error messages.
        folder: where a struct without bytes points into.
    """

    read: Callable[[], Any]
    column: str
    origin: str
    folder: DataFolder

    def __call__(self) -> Path | bytes:
        """Returns the picture's file, or the bytes of one.

        Raises:
            DataError: there is none, or its text isn't base64.
        """
        value = self.read()
        if isinstance(value, dict):
            path, value = value.get("path"), value.get("bytes")
            if value is None and isinstance(path, str):
                return self.folder.file(path, self.origin)
        if isinstance(value, str):
            value = self._decoded(value)
        if not isinstance(value, bytes) or not value:
            raise DataError(
                f"{self.origin}: expected a picture in column {self.column!r}, got {value!r:.40}"
            )
        return value

    def _decoded(self, text: str) -> bytes:
        address = _DATA_URI.match(text)
        packed = "".join(text[address.end() if address else 0 :].split())
        try:
            return base64.b64decode(packed, validate=True)
        except (binascii.Error, ValueError) as error:
            raise DataError(
                f"{self.origin}: expected base64 in column {self.column!r}, "
                f"got {text!r:.40} ({error})"
            ) from error


def embedded_picture(row: Row, column: str, folder: DataFolder) -> ImageSource:
    """Returns the picture whose bytes are in a row's column, as bytes, struct or base64.

    Raises:
        DataError: the column is missing.
    """
    read = row.late.get(column)
    if read is None:
        read = _Given(row.value(column))
    opener = EmbeddedPicture(read, column, row.origin, folder)
    return ImageSource(opener, name=f"{column!r} ({row.origin})")


def pictures(row: Row, column: str, folder: DataFolder) -> tuple[ImageSource, ...]:
    """Returns the pictures that a column lists: one, or a list of at least one.

    Each is a path in the folder, a `file://` address of one, a data URI, bytes, or a struct of
    bytes and path as the hub stores pictures. Of a late column, a list is read to be counted; one
    picture is not.

    Raises:
        DataError: the column is missing or holds something else, or a file can't be reached.
    """
    read = row.late.get(column) or _Given(row.value(column))
    if column in row.late and column == "image":
        return (embedded_picture(row, column, folder),)
    value = read()
    if not isinstance(value, list | tuple):
        return (_listed(row, column, folder, value, read),)
    if not value:
        raise row.fault(f"expected at least one picture in column {column!r}, got {value!r:.80}")
    return tuple(
        _listed(row, column, folder, entry, _Entry(read, place))
        for place, entry in enumerate(value)
    )


def _listed(
    row: Row, column: str, folder: DataFolder, value: Any, read: Callable[[], Any]
) -> ImageSource:
    """One picture of a column, by what it is; `read` gives it again."""
    if isinstance(value, dict) and value.get("bytes") is None:
        value = value.get("path")
    if isinstance(value, str) and value[:5].lower() != "data:":
        return picture_file(value, row.origin, (folder,))[1]
    if not isinstance(value, str | bytes | dict):
        raise row.fault(
            f"expected pictures in column {column!r}, as paths, bytes or data URIs, "
            f"got {value!r:.80}"
        )
    opener = EmbeddedPicture(read, column, row.origin, folder)
    return ImageSource(opener, name=f"{column!r} ({row.origin})")


def picture_file(
    relative: str, origin: str, folders: Sequence[DataFolder]
) -> tuple[Path, ImageSource]:
    """Returns the picture that a row points to, in the first folder that has it.

    Raises:
        DataError: none has it, or the path leads out of the folder.
    """
    folder = next((each for each in folders if each.has(relative)), folders[0])
    path = folder.file(relative, origin)
    return path, ImageSource(path, name=f"{path} ({origin})")


def picture(row: Row, column: str, folders: Sequence[DataFolder]) -> ImageSource:
    """Returns the picture of a row, a path in one of `folders` or embedded.

    Raises:
        DataError: the column is missing, or the file can't be reached.
    """
    if column not in row.late and isinstance(row.value(column), str):
        return picture_file(row.text(column), row.origin, folders)[1]
    return embedded_picture(row, column, folders[0])


@dataclass(frozen=True)
class _Entry:
    """One value of a list that is read again when it is used."""

    read: Callable[[], Any]
    place: int

    def __call__(self) -> Any:
        return self.read()[self.place]


@dataclass(frozen=True)
class _Given:
    """A value that is at hand already."""

    value: Any

    def __call__(self) -> Any:
        return self.value
