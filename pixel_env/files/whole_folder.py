"""Folders whose files appear under their names when all of them are written."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .whole_file import WRITING, naming


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """Gives an empty folder to write files into, which are `path` when the block ends well.

    A new folder appears whole. In one that is there each file is replaced whole, one after the
    other, and what else it holds stays.

    Args:
        path: the folder; missing ones above it are made.

    Yields:
        The folder to write into. What a killed process left of one is removed first.

    Raises:
        OSError: it can't be written; `filename` is `path`.
    """
    with naming(path):
        path = Path(os.path.realpath(path))
        path.parent.mkdir(parents=True, exist_ok=True)
        writing = path.with_name(f"{WRITING}{path.name}")
        shutil.rmtree(writing, ignore_errors=True)
        writing.mkdir()
        try:
            yield writing
            for file in writing.iterdir():
                _sync(file)
            _put(writing, path)
        finally:
            shutil.rmtree(writing, ignore_errors=True)


def remove_folder(path: Path) -> None:
    """Removes a folder, if it is there; a killed process leaves no half of it under its name."""
    going = path.with_name(f"{WRITING}removed-{path.name}")
    shutil.rmtree(going, ignore_errors=True)
    if path.exists():
        os.replace(path, going)
        shutil.rmtree(going, ignore_errors=True)


def _put(writing: Path, path: Path) -> None:
    """Moves a folder, or its files, to where they belong."""
    if not path.exists():
        os.replace(writing, path)
        return
    for file in sorted(writing.iterdir()):
        os.replace(file, path / file.name)


def _sync(path: Path) -> None:
    """Waits until a file is on the disk."""
    descriptor = os.open(path, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
