"""Where the answer can be seen, and how well zooms cover it. Privileged: never a policy's.

Only views that an operation gave count; what the overview shows is the same for all.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from .media.geometry import Box
from .types import Evidence, View

MARGIN = 0.5
"""What is added around evidence on every side, as a fraction of its own width and height."""

SHORTEST_SIDE = 0.05
"""Smallest side of a box around evidence, as a fraction of the picture, so that it is no speck."""


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


SEEN_SHARE = 0.75
"""A target counts as seen where one zoom shows at least this share of its area. Boxes of evidence
are drawn with a rim, and a zoom that cuts off more than a quarter rarely shows what was asked."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """How well the views of an episode's operations covered its evidence.

    Attributes:
        share: share of the evidence's area inside the best view, in [0, 1].
        iou: best intersection over union of a view with the evidence, in [0, 1].
        magnification: pixels that show the evidence in the best view / those in the overview; 1
            is no gain, 0 is no view.
    """

    share: float
    iou: float
    magnification: float


UNSEEN = Coverage(0.0, 0.0, 0.0)


def coverage_of(
    evidence: Sequence[Evidence],
    views: Sequence[View],
    hidden: Collection[int] = (),
    is_clip: bool = False,
) -> Coverage | None:
    """Compares the views of an episode's operations with its evidence.

    Each box of evidence has its best view: the one that holds the largest share of it, and of
    those the one with the most pixels. All boxes of a picture must be seen, so the least number
    of any box is taken, and of any picture. The frames of a clip show one event: the frame that
    was seen best is taken.

    Args:
        evidence: boxes as fractions of their picture or frame.
        views: every view of the episode; entry 0 is view 1.
        hidden: numbers of views that the policy was not shown, from 1.
        is_clip: whether pictures are frames of one clip.

    Returns:
        None where there is no evidence with an area.
    """
    evidence = [each for each in evidence if _area(each.box) > 0]
    if not evidence:
        return None
    zoomed = [
        view
        for number, view in enumerate(views, 1)
        if view.origin != "overview" and number not in hidden
    ]
    overviews = [view for view in views if view.origin == "overview"]
    found: dict[int, list[Coverage]] = {}
    for each in evidence:
        here = [view for view in zoomed if view.source == each.image]
        whole = min(overviews, key=lambda view: abs(view.source - each.image))
        found.setdefault(each.image, []).append(_best(each.box, here, whole))
    pictures = [_least(boxes) for boxes in found.values()]
    if is_clip:
        return max(pictures, key=lambda one: (one.share, one.magnification))
    return _least(pictures)


def _best(box: Box, zoomed: Sequence[View], overview: View) -> Coverage:
    """Finds the best view of one box."""
    if not zoomed:
        return UNSEEN
    share, pixels = max(
        (_area(_intersection(view.box, box)) / _area(box), _pixels(box, view)) for view in zoomed
    )
    iou = max(_iou(view.box, box) for view in zoomed)
    return Coverage(share, iou, pixels / _pixels(box, overview))


def _least(found: Sequence[Coverage]) -> Coverage:
    return Coverage(
        min(one.share for one in found),
        min(one.iou for one in found),
        min(one.magnification for one in found),
    )


def _pixels(box: Box, view: View) -> float:
    """Returns how many of a view's pixels show a box of the same source."""
    height, width = view.image.shape[:2]
    return float(width * height) * _area(_intersection(view.box, box)) / _area(view.box)


def _iou(one: Box, other: Box) -> float:
    shared = _area(_intersection(one, other))
    return shared / (_area(one) + _area(other) - shared)


def _intersection(one: Box, other: Box) -> Box:
    return (
        max(one[0], other[0]),
        max(one[1], other[1]),
        min(one[2], other[2]),
        min(one[3], other[3]),
    )


def _area(box: Box) -> float:
    return max(box[2] - box[0], 0.0) * max(box[3] - box[1], 0.0)
