"""Folders that are whole or absent: written beside, synced, checksummed, renamed into place."""

from __future__ import annotations

import json
import os
import shutil
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pixel_env.files.whole_file import WRITING, naming, write_whole
from pixel_env.media.files import open_regular

FORMAT = 1
MANIFEST = "manifest.json"
_BLOCK = 1 << 22
_MAX_MANIFEST_BYTES = 1 << 24


@contextmanager
def sealed(target: Path) -> Iterator[Path]:
    """Gives an empty folder to write files into, which is sealed as `target` when the block ends.

    Args:
        target: the folder; one that stands there is replaced. What killed runs left beside it is
            removed first.

    Yields:
        The folder to write into.

    Raises:
        OSError: it can't be written; `filename` is `target`, and what was written is removed.
    """
    with naming(target):
        writing = _begin(target)
        try:
            yield writing
            _finish(writing, target)
        except BaseException:
            shutil.rmtree(writing, ignore_errors=True)
            raise


def _begin(target: Path) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    for leftover in target.parent.glob(f"{WRITING}*"):
        shutil.rmtree(leftover, ignore_errors=True)
    writing = target.parent / f"{WRITING}{target.name}"
    writing.mkdir()
    return writing


def _finish(writing: Path, target: Path) -> None:
    """Seals what was written and puts it at `target`, in place of what stands there."""
    files = {
        path.name: {"bytes": path.stat().st_size, "crc32": _checksum(path)}
        for path in sorted(writing.iterdir())
    }
    manifest = json.dumps({"format": FORMAT, "files": files}, indent=1)
    write_whole(writing / MANIFEST, manifest, sync=False)
    for path in writing.iterdir():
        _sync(path)
    _sync(writing)
    if target.exists():
        replaced = target.parent / f"{WRITING}replaced-{target.name}"
        os.replace(target, replaced)
        os.replace(writing, target)
        shutil.rmtree(replaced, ignore_errors=True)
    else:
        os.replace(writing, target)
    _sync(target.parent)


def remove(folder: Path) -> None:
    """Removes a sealed folder; a process that dies meanwhile leaves no half of it in its place."""
    going = folder.parent / f"{WRITING}removed-{folder.name}"
    os.replace(folder, going)
    shutil.rmtree(going, ignore_errors=True)


def fault_of(folder: Path) -> str:
    """Returns what is wrong with a sealed folder; "" where nothing is."""
    try:
        manifest = _read(folder / MANIFEST)
        if manifest["format"] != FORMAT:
            return f"expected format {FORMAT}, got {manifest['format']}"
        for name, facts in manifest["files"].items():
            if Path(name).name != name or not name:
                return f"{MANIFEST} names {name!r:.80}, no file of this folder"
            if (folder / name).stat().st_size != facts["bytes"]:
                return f"{name} is damaged (its size is not what was saved)"
            if _checksum(folder / name) != facts["crc32"]:
                return f"{name} is damaged (its checksum is not what was saved)"
    except FileNotFoundError as fault:
        return f"{Path(fault.filename).name} is missing"
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as fault:
        return f"{MANIFEST} can't be read ({fault})"
    return ""


def _read(path: Path) -> Any:
    with open_regular(path) as file:
        return json.loads(file.read(_MAX_MANIFEST_BYTES).decode("utf-8"))


def _checksum(path: Path) -> int:
    total = 0
    with open_regular(path) as stream:
        while block := stream.read(_BLOCK):
            total = zlib.crc32(block, total)
    return total


def _sync(path: Path) -> None:
    """Waits until a file, or a folder's list of names, is on the disk."""
    if path.is_dir() and os.name == "nt":
        return  # a folder can't be opened there
    descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
