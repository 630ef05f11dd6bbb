"""The pictures of a page: which files of a folder they are, and that they are pictures."""

from __future__ import annotations

import base64
import io
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from ..errors import DataError
from ..media.border import foreign_bytes
from ..media.picture_files import open_picture, read_picture

MIME = {".png": "image/png", ".jpeg": "image/jpeg", ".jpg": "image/jpeg"}

_PHOTOGRAPH_BYTES = 2**16
"""A PNG from this size on may be a photograph, which JPEG stores in a fraction of the room."""

_JPEG_SHARE = 0.5
"""A PNG is embedded as JPEG where that takes at most this share of its bytes."""


@dataclass(slots=True)
class PagePictures:
    """The pictures that a page may show: those that its records name, inside one folder.

    Attributes:
        root: the folder, resolved; no picture may lie outside, or behind a link.
        found: the checked files by their names relative to the root, as a page asks for them.
    """

    root: Path
    found: dict[str, Path] = field(default_factory=dict)
    _known: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)

    def facts(self, folder: str, name: object) -> dict[str, Any]:
        """Returns what a page has to know of a picture: `name` (from the root), `w` and `h`.

        Args:
            folder: of the record, relative to the root; "" where it is the root.
            name: as the record gives it, relative to that folder.

        Raises:
            DataError: it is missing or no picture, or its name leads out of the folder.
        """
        key = folder, str(name)
        if key not in self._known:
            path = self._path(folder, name)
            with (
                foreign_bytes(f"the picture {name!r} of {self.root / folder}"),
                open_picture(path) as picture,
            ):
                width, height = picture.size
            named = path.relative_to(self.root).as_posix()
            self.found[named] = path
            self._known[key] = {"name": named, "w": width, "h": height}
        return self._known[key]

    def _path(self, folder: str, name: object) -> Path:
        """Returns a picture's file: it lies in the folder, and no link is on the way to it."""
        what = f"the picture {name!r:.80} of {self.root / folder}"
        pure = PurePosixPath(str(name))
        if pure.is_absolute() or ".." in pure.parts:
            raise DataError(f"{what} leads out of that folder")
        path = self.root / folder / pure
        try:
            is_straight = path.resolve() == path
            is_file = stat.S_ISREG(path.lstat().st_mode)
        except FileNotFoundError:
            is_straight, is_file = True, False
        except (OSError, ValueError, RuntimeError) as fault:  # a null character, a loop of links
            raise DataError(f"{what}: {fault}") from fault
        if not is_straight:
            raise DataError(f"{what} leads out of that folder")
        if path.suffix not in MIME or not is_file:
            raise DataError(f"expected a PNG or JPEG picture {name!r} in that folder: {what}")
        return path


def embedded(path: Path) -> str:
    """Returns a picture as a `data:` address; a large photograph becomes JPEG.

    Raises:
        DataError: it can't be read.
    """
    data, kind = read_bytes(path), MIME[path.suffix]
    if kind == "image/png" and len(data) >= _PHOTOGRAPH_BYTES:
        smaller = _as_jpeg(path)
        if len(smaller) <= _JPEG_SHARE * len(data):
            data, kind = smaller, "image/jpeg"
    return f"data:{kind};base64,{base64.b64encode(data).decode('ascii')}"


def read_bytes(path: Path) -> bytes:
    """Returns a file's bytes, and follows no link that was put in its place meanwhile.

    Raises:
        DataError: it can't be read.
    """
    with foreign_bytes(f"the picture {path}"):
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
        with os.fdopen(descriptor, "rb") as stream:
            return stream.read()


def _as_jpeg(path: Path) -> bytes:
    """Returns a picture's file as JPEG."""
    encoded = io.BytesIO()
    with foreign_bytes(f"the picture {path}"):
        read_picture(path).save(encoded, "JPEG", quality=88)
    return encoded.getvalue()
