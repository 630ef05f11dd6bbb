"""Threads that decode pictures, and where the C allocator puts what they decode."""

from __future__ import annotations

import ctypes
import functools
import os
from concurrent.futures import ThreadPoolExecutor

_M_ARENA_MAX = -8
"""glibc's number of the parameter (malloc.h)."""

_BY_THE_USER = ("MALLOC_ARENA_MAX", "GLIBC_TUNABLES")
"""Variables by which the user has decided already."""


def decoding_threads(n_threads: int) -> ThreadPoolExecutor:
    """Returns threads that step environments; those of glibc share one heap.

    Args:
        n_threads: how many, at least 1.
    """
    share_one_heap()  # before they start: a thread keeps the heap that it begins with
    return ThreadPoolExecutor(n_threads)


@functools.cache
def share_one_heap() -> bool:
    """Lets threads that start from now on allocate from one heap, where the C library is glibc.

    By default each thread of glibc gets a heap of its own, and pixels that one thread frees don't
    serve another's next picture: every heap grows to the most that its thread ever held at once,
    for thousands of episodes. With one heap memory is flat, at the same speed; mapping every large
    block by itself is flat too, and took a third more of the processor (docs/reliability.md).

    Returns:
        Whether it was done: not with another C library, or where the user has decided.
    """
    if any(name in os.environ for name in _BY_THE_USER):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # another C library; Windows takes no None
        return False
    return bool(mallopt(_M_ARENA_MAX, 1))
