"""Where the C allocator puts pictures that several threads decode."""

from __future__ import annotations

import ctypes
import functools
import os

LARGE_BYTES = 2**20
"""From this size on a block of memory is mapped by itself; most decoded pictures are larger."""

_M_MMAP_THRESHOLD = -3
"""glibc's number of the parameter (malloc.h)."""

_BY_THE_USER = ("MALLOC_MMAP_THRESHOLD_", "GLIBC_TUNABLES")
"""Variables by which the user has decided already."""


@functools.cache
def map_large_blocks() -> bool:
    """Lets glibc map large blocks by themselves, for the whole process; other libraries stay.

    Each thread of glibc has a heap of its own, and pixels that one thread frees don't serve
    another's next picture. So every heap would grow to the most that its thread ever held at once,
    for thousands of episodes. A mapped block goes back to the system when it is freed.

    Returns:
        Whether it was done: not with another C library, or where the user has set a threshold.
    """
    if any(name in os.environ for name in _BY_THE_USER):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # another C library; Windows takes no None
        return False
    return bool(mallopt(_M_MMAP_THRESHOLD, LARGE_BYTES))
