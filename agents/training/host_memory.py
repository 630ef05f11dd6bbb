"""Memory of this process outside any GPU."""

from __future__ import annotations

import os
from pathlib import Path

from pixel_env.media.heaps import of_glibc

_PAGES = Path("/proc/self/statm")


def give_back_free_memory() -> None:
    """Lets the C allocator return to the system what is free; does nothing where it can't.

    Batches of ever-changing shapes leave glibc's heap full of holes, so that a long training would
    take more and more memory though it holds no more.
    """
    trim = of_glibc("malloc_trim")
    if trim is not None:
        trim(0)


def resident_bytes() -> int:
    """Returns how much memory this process has in use, as Linux counts it; 0 elsewhere."""
    if not _PAGES.exists():
        return 0
    return int(_PAGES.read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
