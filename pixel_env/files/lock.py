"""Locks: one process at a time writes a run's folder, or a file that goes on.

The system holds a lock as long as the process lives, so that of a killed one is free at once.
Where a file system knows no locks, the process that the lock's file names is looked for instead.
"""

from __future__ import annotations

import json
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ..errors import ConfigError
from .whole_file import naming, remove_parts

fcntl: Any = import_module("fcntl") if find_spec("fcntl") else None  # Windows has none

FILE_NAME = ".lock"
"""The lock's file in a folder; it goes when the lock is given back."""

_held: dict[str, int] = {}
"""The locks of this process, by the path of their file: the thread that holds each."""


@contextmanager
def only_writer(folder: Path) -> Iterator[None]:
    """Makes sure that no other process, or thread, writes a folder meanwhile.

    The folder is made where it is missing, and goes again if nothing was written into it. What a
    killed process left of files that it was writing is removed. A thread that has the lock already
    may ask again.

    Args:
        folder: the folder.

    Raises:
        ConfigError: another process has it; it is named.
        OSError: the folder can't be made.
    """
    with _lock(folder / FILE_NAME, folder, lambda: remove_parts(folder)):
        yield


@contextmanager
def only_writer_of_file(path: Path) -> Iterator[None]:
    """As `only_writer`, for one file, or one folder that appears whole."""
    file = path.with_name(f".{path.name}{FILE_NAME}")
    with _lock(file, path, lambda: remove_parts(path.parent, of=f"{path.stem}.")):
        yield


@contextmanager
def _lock(file: Path, what: Path, clean: Callable[[], None]) -> Iterator[None]:
    key, thread = os.path.realpath(file), threading.get_ident()
    if _held.get(key) == thread:
        yield
        return
    made = _make(file.parent)
    try:
        with naming(what):
            descriptor, was_killed = _taken(file, what)
        _held[key] = thread
        try:
            if was_killed:
                clean()
            yield
        finally:
            del _held[key]
            with suppress(OSError):
                file.unlink()  # before it is free: whoever waits for it finds that it is gone
            os.close(descriptor)
    finally:
        for folder in made:
            with suppress(OSError):  # something was written into it
                folder.rmdir()


def _make(folder: Path) -> list[Path]:
    """Makes a folder; returns those that were missing, the innermost first."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise ConfigError(f"expected a folder, got a file in the way of {folder}") from None
    return missing


def _taken(file: Path, what: Path) -> tuple[int, bool]:
    """Takes a lock; returns the descriptor that holds it, and whether its last holder was killed.

    Raises:
        ConfigError: another process has it.
    """
    while True:
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            if not _is_free(descriptor, os.path.realpath(file)):
                raise ConfigError(_in_use(what, file, _owner(descriptor)))
            if _is_still(descriptor, file):
                was_killed = bool(_owner(descriptor))
                _write_owner(descriptor)
                return descriptor, was_killed
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)  # its holder removed it meanwhile


def _is_free(descriptor: int, key: str) -> bool:
    """Takes the system's lock of an open file; whether nobody has it."""
    if key in _held:  # another thread
        return False
    if fcntl is not None:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:  # this file system has none
            return not _is_alive(_owner(descriptor))
        return True
    return not _is_alive(_owner(descriptor))


def _is_still(descriptor: int, file: Path) -> bool:
    """Whether the open file is the one that has the name."""
    try:
        return os.path.samestat(os.fstat(descriptor), file.stat())
    except FileNotFoundError:
        return False


def _write_owner(descriptor: int) -> None:
    owner = {
        "pid": os.getpid(),
        "host": socket.gethostname(),
        "since": datetime.now().astimezone().isoformat(" ", "seconds"),
    }
    os.ftruncate(descriptor, 0)
    os.lseek(descriptor, 0, os.SEEK_SET)
    os.write(descriptor, json.dumps(owner).encode("ascii"))


def _owner(descriptor: int) -> dict[str, Any]:
    """Reads who has a lock; {} where nothing that can be read stands in it."""
    os.lseek(descriptor, 0, os.SEEK_SET)
    try:
        owner = json.loads(os.read(descriptor, 4096))
    except (ValueError, RecursionError):
        return {}
    return owner if isinstance(owner, dict) else {}


def _is_alive(owner: dict[str, Any]) -> bool:
    """Whether the process that a lock names may still run: one of another host may."""
    pid = owner.get("pid")
    if not isinstance(pid, int) or not 0 < pid < 2**31:
        return False
    if owner.get("host") != socket.gethostname() or os.name == "nt":
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # another user's
        return True
    return True


def _in_use(what: Path, file: Path, owner: dict[str, Any]) -> str:
    if not owner:
        return f"{what} is in use by another process; wait for it, or choose another place"
    named = f"process {owner.get('pid')} on {owner.get('host')}, since {owner.get('since')}"
    more = (
        ""
        if _is_alive(owner) and owner.get("host") == socket.gethostname()
        else (f" (if it runs no more, remove {file})")
    )
    return f"{what} is in use by {named}; wait for it, or choose another place{more}"
