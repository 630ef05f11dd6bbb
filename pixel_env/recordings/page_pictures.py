"""The pictures of a page: linked, and loaded when they are seen, or embedded in it."""

from __future__ import annotations

import base64
import io
import os
from dataclasses import dataclass
from html import escape
from pathlib import Path
from urllib.parse import quote

from ..errors import DataError
from ..media.border import foreign_bytes
from ..media.picture_files import open_picture, read_picture

MIME = {".png": "image/png", ".jpeg": "image/jpeg", ".jpg": "image/jpeg"}

_PHOTOGRAPH_BYTES = 2**16
"""A PNG from this size on may be a photograph, which JPEG stores in a fraction of the room."""

_JPEG_SHARE = 0.5
"""A PNG is embedded as JPEG where that takes at most this share of its bytes."""


@dataclass(frozen=True, slots=True)
class PagePictures:
    """Writes the pictures of a folder of recorded episodes as elements of a page.

    Attributes:
        root: the folder, resolved; no picture may lie outside.
        page_folder: where the page will lie, for links; None embeds the pictures.
    """

    root: Path
    page_folder: Path | None = None

    def element(self, name: object) -> str:
        """Returns the element of one picture.

        Args:
            name: as a record gives it, relative to the folder.

        Raises:
            DataError: it is missing or no picture, or its name leads out of the folder.
        """
        path = self._path(name)
        with foreign_bytes(f"the picture {name!r} of {self.root}"):
            with open_picture(path) as picture:
                width, height = picture.size
            source = self._embedded(path) if self.page_folder is None else self._link(path)
        return f'<img alt="" loading="lazy" width="{width}" height="{height}" src="{source}">'

    def _path(self, name: object) -> Path:
        try:
            path = (self.root / str(name)).resolve()
            is_file = path.is_file()
        except (OSError, ValueError, RuntimeError) as fault:  # a null character, a loop of links
            raise DataError(f"the picture {name!r:.80} of {self.root}: {fault}") from fault
        if not path.is_relative_to(self.root):
            raise DataError(f"the picture {name!r} of {self.root} leads out of that folder")
        if path.suffix not in MIME or not is_file:
            raise DataError(f"expected a PNG or JPEG picture {name!r} in {self.root}, found none")
        return path

    def _link(self, path: Path) -> str:
        return escape(quote(Path(os.path.relpath(path, self.page_folder)).as_posix()))

    def _embedded(self, path: Path) -> str:
        data, kind = path.read_bytes(), MIME[path.suffix]
        if kind == "image/png" and len(data) >= _PHOTOGRAPH_BYTES:
            smaller = _as_jpeg(path)
            if len(smaller) <= _JPEG_SHARE * len(data):
                data, kind = smaller, "image/jpeg"
        return f"data:{kind};base64,{base64.b64encode(data).decode('ascii')}"


def _as_jpeg(path: Path) -> bytes:
    """Returns a picture's file as JPEG."""
    encoded = io.BytesIO()
    read_picture(path).save(encoded, "JPEG", quality=88)
    return encoded.getvalue()
