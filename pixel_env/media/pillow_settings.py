"""Pillow's settings for the whole process, put aside while this package reads a picture.

Other libraries set them to their own ends. What a picture gives here must not depend on that.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from PIL import Image as PillowImage
from PIL import ImageFile, PngImagePlugin

MAX_TEXT_BYTES = 64 * 2**20
"""Most bytes of one text or colour profile of a PNG, unpacked. Editors write some of many MiB, and
Pillow refuses the picture from 1 MiB."""

_OURS: tuple[tuple[Any, str, Any], ...] = (
    (PillowImage, "MAX_IMAGE_PIXELS", None),  # `rgb.MAX_PIXELS` is the limit here
    (ImageFile, "LOAD_TRUNCATED_IMAGES", False),  # half a picture is a fault, never half grey
    (PngImagePlugin, "MAX_TEXT_CHUNK", MAX_TEXT_BYTES),
    (PngImagePlugin, "MAX_TEXT_MEMORY", 2 * MAX_TEXT_BYTES),
)


class _Aside:
    """Counts who reads, so that the first puts the settings aside and the last puts them back."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._n_readers = 0
        self._before: list[Any] = []

    def enter(self) -> None:
        with self._lock:
            self._n_readers += 1
            if self._n_readers == 1:
                self._before = [getattr(module, name) for module, name, _ in _OURS]
                for module, name, value in _OURS:
                    setattr(module, name, value)

    def leave(self) -> None:
        with self._lock:
            self._n_readers -= 1
            if self._n_readers == 0:
                for (module, name, value), before in zip(_OURS, self._before, strict=True):
                    if getattr(module, name) == value:  # else another thread set it meanwhile
                        setattr(module, name, before)


_ASIDE = _Aside()


@contextmanager
def own_settings() -> Iterator[None]:
    """Reads pictures under this package's settings; the process's own come back afterwards.

    Several threads may be inside at once: none waits for another's decoding.
    """
    _ASIDE.enter()
    try:
        yield
    finally:
        _ASIDE.leave()
