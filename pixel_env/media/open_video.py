"""Opens a video file with one of the two readers."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

from ..errors import ConfigError, DataError, unknown_name
from .border import foreign_bytes
from .video import MAX_DECODE_S, Video, VideoMedia, open_file

BACKENDS = ("auto", "decord", "pyav")
"""What decodes video files; "auto" is PyAV, or decord where PyAV is not installed."""


def check_backend(backend: str) -> None:
    """Checks the name of a backend.

    Raises:
        ConfigError: there is none of that name.
    """
    if backend not in BACKENDS:
        raise unknown_name("backend", backend, BACKENDS)


def open_video(
    media: VideoMedia, name: str, backend: str = "auto", max_decode_s: float = MAX_DECODE_S
) -> Video:
    """Finds out what a video file holds.

    Args:
        media: the file's path, or its bytes.
        name: what error messages call it.
        backend: one of `BACKENDS`; Pillow reads animated WebP whatever it is.
        max_decode_s: how long one pass over it may take.

    Raises:
        DataError: there is no such file, or it is no video, or it is cut short.
        ConfigError: the backend is not installed.
    """
    if isinstance(media, Path) and not os.path.exists(media):  # which never raises
        raise DataError(f"clip {name} can't be read: there is no file or folder {media}")
    if _is_webp(media, name):
        from .with_pillow import WebPVideo

        return WebPVideo(media, name, max_decode_s)
    if backend == "auto":
        backend = "pyav" if _is_installed("av") or not _is_installed("decord") else "decord"
    if not _is_installed("av" if backend == "pyav" else "decord"):
        package = "PyAV" if backend == "pyav" else "decord"
        raise ConfigError(
            f"expected {package} for the video {name}, and it is not installed; "
            "install pixel-reason[video], or give a folder of frames"
        )
    if backend == "decord":
        from .with_decord import DecordVideo

        return DecordVideo(media, name, max_decode_s)
    from .with_pyav import PyAVVideo

    return PyAVVideo(media, name, max_decode_s)


def _is_webp(media: VideoMedia, name: str) -> bool:
    """Tells whether a file is a WebP; raises where it can't be opened."""
    with foreign_bytes(f"clip {name}"), open_file(media) as file:
        head = file.read(12)
    return head[:4] == b"RIFF" and head[8:] == b"WEBP"


def _is_installed(package: str) -> bool:
    """Tells whether a package can be imported, without importing it."""
    return importlib.util.find_spec(package) is not None
