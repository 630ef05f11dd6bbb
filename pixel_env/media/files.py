"""Files that a data set names: only regular ones are opened, and only inside its folder.

A pipe or a device would block for ever, and a link may lead anywhere.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import IO

_NEVER_WAITING = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
"""A pipe without a writer is opened at once, so that it can be refused; Windows has none."""


class LeadsOutError(OSError):
    """A path ends outside the folders that it may reach."""


def open_regular(path: str | os.PathLike[str]) -> IO[bytes]:
    """Opens a regular file for reading, to be closed by the caller.

    Raises:
        OSError: it can't be opened, or is a folder, a pipe, a socket or a device.
        ValueError: the path can't be that of a file.
    """
    _check_kind(os.stat(path), path)  # before: to open a device may do something
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0) | _NEVER_WAITING)
    try:
        _check_kind(os.fstat(descriptor), path)  # after: it may be another by now
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def checked_inside(path: Path, roots: Iterable[Path]) -> Path:
    """Returns a path, after making sure where it leads through every link.

    Args:
        path: of a file or folder.
        roots: resolved folders, in one of which it must end.

    Raises:
        LeadsOutError: it leads out of them.
        OSError: there is nothing, or the links go round.
        ValueError: it can't be a path.
    """
    roots = tuple(roots)
    try:
        real = path.resolve(strict=True)
    except RuntimeError as fault:  # links that go round, before Python 3.13
        raise OSError(str(fault)) from fault
    if not any(real.is_relative_to(root) for root in roots):
        raise LeadsOutError(f"{path.name} is a link that leads out of {', '.join(map(str, roots))}")
    return path


def _check_kind(status: os.stat_result, path: str | os.PathLike[str]) -> None:
    """Refuses what is no regular file."""
    if stat.S_ISREG(status.st_mode):
        return
    kind = "a folder" if stat.S_ISDIR(status.st_mode) else "a pipe, a socket or a device"
    raise OSError(f"{Path(path).name} is {kind}, no regular file")
