"""What a command says where the system refuses a file: what is wrong, and what to do."""

from __future__ import annotations

import errno

_ADVICE = {
    errno.ENOSPC: "no room is left on its disk; make some",
    errno.EDQUOT: "the quota of its disk is used up; make some room",
    errno.EFBIG: "it may not grow any more; raise the limit on the size of files (`ulimit -f`)",
    errno.EROFS: "it lies on a disk that can only be read; choose another place",
    errno.EACCES: "this user has no right to; change its permissions, or choose another place",
    errno.EPERM: "this user has no right to; change its permissions, or choose another place",
    errno.ENOTDIR: "expected a folder, got a file in its way; choose another place",
    errno.EEXIST: "expected a folder, got a file in its way; choose another place",
    errno.EISDIR: "expected a file, got a folder; choose another name",
    errno.ENAMETOOLONG: "its name is too long; choose another one",
    errno.EMFILE: "too many files are open; raise the limit (`ulimit -n`)",
    errno.ENFILE: "too many files are open",
}
"""By the number of the error."""

_KEEPS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM)
"""Errors after which the same command goes on, once there is room, or the right."""


def sentence_of(fault: OSError, goes_on: str | None = None) -> str:
    """Returns what to print about an error of the system.

    Args:
        fault: the error.
        goes_on: what the same command takes besides to go on; None where it begins again.

    Example:
        >>> sentence_of(OSError(errno.EISDIR, "", "page.html"))
        "page.html can't be written: expected a file, got a folder; choose another name"
    """
    place = fault.filename2 or fault.filename
    advice = _ADVICE.get(fault.errno or 0)
    if advice is None:
        what = fault.strerror or str(fault) or type(fault).__name__
        return f"{place}: {what}" if place else what
    sentence = f"{'a file' if place is None else _name(place)} can't be written: {advice}"
    if goes_on is None or fault.errno not in _KEEPS:
        return sentence
    return f"{sentence}, then the same command{goes_on} goes on; what was done is kept"


def _name(place: object) -> str:
    return place.decode("utf-8", "replace") if isinstance(place, bytes) else str(place)
