"""Standard output that can't be written: its reader is gone (`| head`), or its disk is full."""

from __future__ import annotations

import errno
import os
import select
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import NoReturn

BROKEN_PIPE = 141
"""The exit code where the reader of standard output is gone, as shells give it for SIGPIPE."""

_FAILED = 1


@contextmanager
def whole_output() -> Iterator[None]:
    """Makes sure that what a command printed arrives, before Python ends and it is too late.

    Raises:
        SystemExit: with `BROKEN_PIPE` and no message where the reader is gone; with 1 and a
            sentence on standard error where there is no room for the output.
    """
    try:
        try:
            yield
        finally:
            _flush()
    except OSError as fault:
        if not is_of_output(fault):
            raise
        if isinstance(fault, BrokenPipeError):
            _end(BROKEN_PIPE)
        with suppress(OSError):
            sys.stderr.write(f"the output can't be written: {fault.strerror or fault}\n")
        _end(_FAILED)


def is_of_output(fault: OSError) -> bool:
    """Whether an error is one of standard output: it names no file, as others do."""
    if isinstance(fault, BrokenPipeError):
        return _reader_is_gone()
    full = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
    return fault.filename is None and fault.errno in full


def _flush() -> None:
    with suppress(ValueError):  # it is closed
        sys.stdout.flush()


def _reader_is_gone() -> bool:
    """Whether nobody reads standard output any more: the broken pipe was this one."""
    if not hasattr(select, "poll"):  # Windows
        return True
    poll = select.poll()
    try:
        poll.register(sys.stdout.fileno(), select.POLLOUT)
    except (OSError, ValueError):
        return False
    return any(events & (select.POLLERR | select.POLLHUP) for _, events in poll.poll(0))


def _end(code: int) -> NoReturn:
    """Ends without writing the rest, which Python would try at its end, and complain."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
    raise SystemExit(code) from None
