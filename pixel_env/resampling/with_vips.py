"""Shrinking with libvips, whose Lanczos uses the processor's vector instructions."""

from __future__ import annotations

import os

import numpy as np
import pyvips
from numpy.typing import NDArray

from ..errors import ConfigError

# libvips keeps its last operations, and with them the pictures that they read: those of samples
# that nobody comes back to.
pyvips.cache_set_max(0)

_used_in = 0
"""The process that libvips has worked in; 0 before it has."""


def shrunk(pixels: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Brings pixels to a size by Lanczos, three lobes, over all of them.

    Args:
        pixels: (height, width, 3) uint8 RGB.
        size: (width, height) wanted.

    Returns:
        A fresh (height, width, 3) uint8 RGB array.

    Raises:
        ConfigError: libvips worked in the process that this one was forked from.
    """
    global _used_in
    process = os.getpid()
    if _used_in not in (0, process):  # its threads stayed behind, and it would wait for them
        raise ConfigError(
            "expected resampler='vips' to be used in the processes of lanes alone: libvips doesn't "
            "survive a fork. Start them by 'spawn' (AsyncVectorEnv's context), or before it is used"
        )
    _used_in = process
    height, width = pixels.shape[:2]
    memory = np.ascontiguousarray(pixels).data
    whole = pyvips.Image.new_from_memory(memory, width, height, 3, "uchar")
    # `gap=0` shrinks by no whole factor first.
    small = whole.resize(size[0] / width, vscale=size[1] / height, kernel="lanczos3", gap=0)
    flat = np.frombuffer(small.write_to_memory(), np.uint8)
    return flat.reshape(size[1], size[0], 3).copy()
