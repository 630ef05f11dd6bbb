"""Files of lines that grow: a line is whole or absent, whatever happens while it is written."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, BinaryIO, cast

from .whole_file import naming

fcntl: Any = import_module("fcntl") if find_spec("fcntl") else None  # Windows has none

_BLOCK = 65_536


def append_line(path: Path, text: str) -> None:
    """Appends one line to a file, which is made where it is missing.

    What a process that died left of its last line is cut off first, and a line that finds no room
    leaves the file as it was. Any number of threads and processes may append to one file.

    Args:
        path: the file; its folder is there.
        text: the line without its end.

    Raises:
        OSError: it can't be written; `filename` is `path`.
    """
    with naming(path), path.open("a+b", buffering=0) as opened, _alone(opened):
        stream = cast(BinaryIO, opened)
        end = _cut(stream)
        left = memoryview(f"{text}\n".encode())
        try:
            while left:  # a disk that fills takes a part first, and raises on the next write
                left = left[stream.write(left) :]
        except BaseException:
            with suppress(OSError):
                stream.truncate(end)
            raise


def cut_unfinished_line(path: Path) -> None:
    """Removes what follows the last line end of a file, if there is a file.

    Raises:
        OSError: it can't be read or cut.
    """
    if path.exists():
        with naming(path), path.open("r+b", buffering=0) as opened, _alone(opened):
            _cut(cast(BinaryIO, opened))


def whole_lines(path: Path) -> list[bytes]:
    """Reads the lines of a file, without their ends; one without an end was cut off and is left.

    Lines end at line feeds alone: what Python's `splitlines` takes for an end may stand in a text.

    Raises:
        OSError: it can't be read.
    """
    return path.read_bytes().split(b"\n")[:-1]


@contextmanager
def _alone(stream: object) -> Iterator[None]:
    """Keeps other writers of the same file out, where the file system can."""
    if fcntl is not None:
        with suppress(OSError):  # closing the file ends it
            fcntl.flock(cast(BinaryIO, stream).fileno(), fcntl.LOCK_EX)
    yield


def _cut(stream: BinaryIO) -> int:
    """Cuts off what follows the last line end; returns the file's size then."""
    size = end = stream.seek(0, os.SEEK_END)
    while end:
        start = max(0, end - _BLOCK)
        stream.seek(start)
        found = stream.read(end - start).rfind(b"\n")
        if found >= 0:
            end = start + found + 1
            break
        end = start
    if end < size:
        stream.truncate(end)
    return end
