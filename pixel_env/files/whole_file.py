"""Files that appear under their names when they are whole, and not before."""

from __future__ import annotations

import errno
import os
import re
import secrets
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from ..errors import PixelEnvError

SUFFIX = ".partial"
"""How the name ends of a file that is being written."""

WRITING = ".writing-"
"""How the name of a folder begins that is being written."""

_WRITING_FAULTS = {
    *(errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO),
    *(errno.EROFS, errno.EACCES, errno.EPERM),
}
"""Errors of the system that other exceptions come from while a library writes a file."""

_MOST_CAUSES = 10

_NAMED = 120
"""Characters of a file's name in that of its part: names have some 255 bytes."""

_PART = re.compile(rf"^\..*\.[0-9a-f]{{16}}{re.escape(SUFFIX)}$")

_OS_ERROR = re.compile(r"\(os error (\d+)\)")
"""How libraries in Rust write the system's error number."""


@contextmanager
def whole_file(path: Path, sync: bool = True) -> Iterator[BinaryIO]:
    """Opens a file for writing bytes; `path` is replaced when the block ends without an exception.

    Whoever reads `path` meanwhile, or after the process was killed, finds the old file or the new
    one. Any number of processes and threads may write the same file; the last one wins. What a
    link leads to is replaced, not the link; a device or a pipe is written as it is.

    Args:
        path: the file; its folder is there.
        sync: wait until the contents are on the disk before they get the name, so that a power cut
            leaves no empty file under it. False is enough against a process that dies.

    Raises:
        OSError: it can't be written; `filename` is `path`.
    """
    with naming(path):
        path = Path(os.path.realpath(path))
        if not _is_replaced(path):
            with path.open("wb") as stream:
                yield stream
            return
        # Another name for each writer, in the same folder: only there is replacing one step.
        partial = path.with_name(f".{path.name[:_NAMED]}.{secrets.token_hex(8)}{SUFFIX}")
        try:
            with partial.open("wb") as stream:
                yield stream
                if sync:
                    stream.flush()
                    os.fsync(stream.fileno())
            os.replace(partial, path)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise


def write_whole(path: Path, content: str | bytes, sync: bool = True) -> None:
    """Writes a file whole or not at all; see `whole_file`.

    Args:
        path: the file.
        content: text becomes UTF-8, lone surrogates in it are escaped.
        sync: as for `whole_file`.

    Raises:
        OSError: as `whole_file`.
    """
    with whole_file(path, sync) as stream:
        if isinstance(content, str):
            content = content.encode("utf-8", "backslashreplace")
        stream.write(content)


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Gives an error of the system the name of what was being written, and no hidden one.

    Libraries that write files themselves raise what they like; where the cause is an error of the
    system (no room, no right, a limit), that is raised in its place.
    """
    try:
        yield
    except PixelEnvError:
        raise
    except Exception as fault:
        cause = _system_error(fault)
        if cause is None or (cause.filename is not None and not _is_hidden(str(cause.filename))):
            raise
        raise OSError(cause.errno, cause.strerror, os.fspath(path)) from fault


def writing_fault(fault: BaseException, path: Path) -> OSError | None:
    """Returns the error of the system that kept something from being written, if one did.

    Args:
        fault: what was raised: the error, or what a library made of it.
        path: what was being written, for the error.
    """
    cause = _system_error(fault)
    if cause is None or cause.errno not in _WRITING_FAULTS:
        return None
    return OSError(cause.errno, cause.strerror, os.fspath(cause.filename or path))


def _system_error(fault: BaseException) -> OSError | None:
    """Returns the error of the system that an exception is, or comes from; None where none is."""
    if isinstance(fault, OSError):
        return fault if fault.errno is not None else None
    if number := _OS_ERROR.search(str(fault)):
        return OSError(int(number[1]), os.strerror(int(number[1])))
    cause: BaseException | None = fault
    for _ in range(_MOST_CAUSES):
        cause = cause and (cause.__cause__ or cause.__context__)
        if isinstance(cause, OSError) and cause.errno in _WRITING_FAULTS:
            return cause
    return None


def _is_hidden(name: str) -> bool:
    return name.endswith(SUFFIX) or WRITING in name


def remove_parts(folder: Path, of: str = "") -> None:
    """Removes what killed processes left of files and folders that they were writing.

    Nobody else may be writing there.

    Args:
        folder: where; folders in it are searched too, unless `of` is given.
        of: only of files whose names begin with it.
    """
    found = folder.glob(f".{of}*{SUFFIX}") if of else folder.rglob(f".*{SUFFIX}")
    for part in [each for each in found if _PART.search(each.name)]:
        part.unlink(missing_ok=True)
    for part in [] if of else [*folder.rglob(f"{WRITING}*")]:
        shutil.rmtree(part, ignore_errors=True)


def _is_replaced(path: Path) -> bool:
    """Whether a path is a regular file, or nothing yet."""
    try:
        return stat.S_ISREG(path.stat().st_mode) or path.is_dir()  # a folder is refused below
    except FileNotFoundError:
        return True
