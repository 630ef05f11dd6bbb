"""Files that appear under their names when they are whole, and not before."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

SUFFIX = ".partial"
"""How the name ends of a file that is being written."""


@contextmanager
def whole_file(path: Path, sync: bool = True) -> Iterator[BinaryIO]:
    """Opens a file for writing bytes; `path` is replaced when the block ends without an exception.

    Whoever reads `path` meanwhile, or after the process was killed, finds the old file or the new
    one. Any number of processes and threads may write the same file; the last one wins.

    Args:
        path: the file; its folder is there.
        sync: wait until the contents are on the disk before they get the name, so that a power cut
            leaves no empty file under it. False is enough against a process that dies.
    """
    # Another name for each writer, in the same folder: only there is replacing one step.
    partial = path.with_name(f".{secrets.token_hex(8)}{SUFFIX}")
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
    """Writes a file whole or not at all; text as UTF-8. See `whole_file`."""
    with whole_file(path, sync) as stream:
        stream.write(content.encode("utf-8") if isinstance(content, str) else content)
