"""The procedural twins by name, for the tests that each of them has to pass."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from pixel_env import ClipSource, Sample
from pixel_env.media.geometry import Box
from pixel_env.media.rgb import Image
from pixel_env.task_sets import TASKS


def task_class(name: str) -> Any:
    """Returns the class behind a registered name."""
    module, _, attribute = TASKS[name][0].partition(":")
    return getattr(importlib.import_module(module), attribute)


TWINS = {
    name: task_class(name)
    for name in TASKS
    if name.startswith("Synthetic") and name != "SyntheticMix"
}


def pixels(
    sample: Sample, box: Box = (0.0, 0.0, 1.0, 1.0), size: tuple[int, int] = (112, 112)
) -> Image:
    """Reads a part of a sample's picture; of a clip, of the frame in its middle."""
    media = sample.media[0]
    source = media.frame(media.n_frames // 2) if isinstance(media, ClipSource) else media
    return source.region(box, size)


def change(one: Image, other: Image) -> Any:
    """Returns how much each pixel differs, the largest of its channels, (height, width) int."""
    return np.abs(one.astype(int) - other.astype(int)).max(axis=-1)
