"""Where the C allocator puts what is decoded, and what of it goes back to the system."""

from __future__ import annotations

import ctypes
import functools
import itertools
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

_M_ARENA_MAX = -8
"""glibc's number of the parameter (malloc.h)."""

_BY_THE_USER = ("MALLOC_ARENA_MAX", "GLIBC_TUNABLES")
"""Variables by which the user has decided already."""


CLIPS_BETWEEN = 100
"""Clips that are opened before what is free goes back to the system, which takes a few
milliseconds."""

_clips = itertools.count(1)


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
    mallopt = of_glibc("mallopt")
    return mallopt is not None and bool(mallopt(_M_ARENA_MAX, 1))


def clip_opened() -> None:
    """Counts a clip; now and then lets the C allocator return what is free to the system.

    Encoders, decoders and filters allocate blocks of many sizes beside frames that live as long as
    their samples, so glibc's heap would slowly fill with holes.
    """
    if next(_clips) % CLIPS_BETWEEN == 0 and (trim := of_glibc("malloc_trim")) is not None:
        trim(0)


def of_glibc(name: str) -> Callable[..., int] | None:
    """Returns a function of the C library that only glibc has; None with another one."""
    try:
        found: Callable[..., int] = getattr(ctypes.CDLL(None), name)
    except (AttributeError, OSError, TypeError):  # another C library; Windows takes no None
        return None
    return found
