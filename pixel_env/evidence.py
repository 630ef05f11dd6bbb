"""Where the answer can be seen, as boxes that a look can ask for. Privileged: never a policy's."""

from __future__ import annotations

from collections.abc import Iterable

from .types import Box, Evidence

MARGIN = 0.5
"""What is added around evidence on every side, as a fraction of its own width and height."""

SHORTEST_SIDE = 0.05
"""Smallest side of a look at evidence, as a fraction of the picture, so that it is no speck."""


def evidence_by_picture(evidence: Iterable[Evidence]) -> dict[int, Box]:
    """Returns one box around all evidence in each picture or frame, by its number from 1.

    >>> evidence_by_picture([Evidence((0.1, 0.2, 0.3, 0.4)), Evidence((0.2, 0.1, 0.6, 0.3))])
    {1: (0.1, 0.1, 0.6, 0.4)}
    """
    boxes: dict[int, Box] = {}
    for each in evidence:
        boxes[each.image] = _union(boxes.get(each.image, each.box), each.box)
    return boxes


def widened(box: Box, margin: float, shortest: float = SHORTEST_SIDE) -> Box:
    """Adds a margin around a box and makes no side shorter than `shortest`, within [0, 1].

    Args:
        box: fractions of a picture.
        margin: added on every side, as a fraction of the box's own width and height.
        shortest: smallest side of what is returned, a fraction of the picture in [0, 1].

    >>> widened((0.0, 0.5, 0.5, 0.75), 0.5)
    (0.0, 0.375, 0.75, 0.875)
    """
    x1, x2 = _wider(box[0], box[2], margin, shortest)
    y1, y2 = _wider(box[1], box[3], margin, shortest)
    return x1, y1, x2, y2


def _wider(low: float, high: float, margin: float, shortest: float) -> tuple[float, float]:
    added = max(margin * (high - low), (shortest - (high - low)) / 2)
    low, high = max(low - added, 0.0), min(high + added, 1.0)
    cut_off = max(shortest - (high - low), 0.0)  # by an edge of the picture
    return (low, high + cut_off) if low == 0 else (low - cut_off, high)


def _union(one: Box, other: Box) -> Box:
    return (
        min(one[0], other[0]),
        min(one[1], other[1]),
        max(one[2], other[2]),
        max(one[3], other[3]),
    )
