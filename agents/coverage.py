"""Was the target looked at? Boxes of looks against boxes of evidence, and a table of both cases.

A wrong answer after a look at the target is a fault of reading, one without a fault of looking.
Only views that an operation gave count as looks; what the overview shows is the same for all.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from statistics import fmean, median

from pixel_env.types import Box, Evidence, View

from .results import EpisodeResult, counted
from .statistics import Estimate, share_interval

SEEN_SHARE = 0.75
"""A target counts as seen where one look holds at least this share of its area. Boxes of evidence
are drawn with a rim, and a look that cuts off more than a quarter rarely shows what was asked."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """How well an episode's looks covered its evidence.

    Attributes:
        share: share of the evidence's area inside the best look, in [0, 1].
        iou: best intersection over union of a look with the evidence, in [0, 1].
        magnification: pixels that show the evidence in the best look / those in the overview; 1
            is no gain, 0 is no look.
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
    """Compares an episode's looks with its evidence.

    Each box of evidence has its best look: the one that holds the largest share of it, and of
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
    looks = [
        view
        for number, view in enumerate(views, 1)
        if view.origin != "overview" and number not in hidden
    ]
    overviews = [view for view in views if view.origin == "overview"]
    found: dict[int, list[Coverage]] = {}
    for each in evidence:
        here = [view for view in looks if view.source == each.image]
        whole = min(overviews, key=lambda view: abs(view.source - each.image))
        found.setdefault(each.image, []).append(_best(each.box, here, whole))
    pictures = [_least(boxes) for boxes in found.values()]
    if is_clip:
        return max(pictures, key=lambda one: (one.share, one.magnification))
    return _least(pictures)


def _best(box: Box, looks: Sequence[View], overview: View) -> Coverage:
    """Finds the best look at one box."""
    if not looks:
        return UNSEEN
    share, pixels = max(
        (_area(_intersection(look.box, box)) / _area(box), _pixels(box, look)) for look in looks
    )
    iou = max(_iou(look.box, box) for look in looks)
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


@dataclass(frozen=True, slots=True)
class CoverageScores:
    """What the looks of a group of episodes amount to; only episodes with known evidence count.

    Attributes:
        group: a category, or "all".
        n: episodes that count.
        right_seen: right answers after a look at the target.
        wrong_seen: wrong ones after such a look: it was seen and answered wrong.
        right_unseen: right answers without such a look.
        wrong_unseen: wrong ones without: it was never seen.
        accuracy_seen: share of right answers where the target was seen, with its 95% interval.
        accuracy_unseen: the same where it wasn't.
        share: mean share of the evidence inside the best look.
        iou: mean of the best intersection over union.
        magnification: median magnification where the target was seen; NaN where it never was.
    """

    group: str
    n: int
    right_seen: int
    wrong_seen: int
    right_unseen: int
    wrong_unseen: int
    accuracy_seen: Estimate
    accuracy_unseen: Estimate
    share: float
    iou: float
    magnification: float


def saw(result: EpisodeResult) -> bool:
    """Tells whether an episode with known evidence saw its target."""
    return (result.coverage or 0.0) >= SEEN_SHARE


def score_coverage(results: Sequence[EpisodeResult], group: str) -> CoverageScores | None:
    """Sums up the looks of a group of episodes; None where no evidence is known."""
    known = [result for result in counted(results) if result.coverage is not None]
    if not known:
        return None
    seen = [result for result in known if saw(result)]
    unseen = [result for result in known if not saw(result)]
    right_seen, right_unseen = (sum(r.correct for r in part) for part in (seen, unseen))
    gains = [result.magnification or 0.0 for result in seen]
    return CoverageScores(
        group=group,
        n=len(known),
        right_seen=right_seen,
        wrong_seen=len(seen) - right_seen,
        right_unseen=right_unseen,
        wrong_unseen=len(unseen) - right_unseen,
        accuracy_seen=_accuracy(seen),
        accuracy_unseen=_accuracy(unseen),
        share=fmean(result.coverage or 0.0 for result in known),
        iou=fmean(result.iou or 0.0 for result in known),
        magnification=median(gains) if gains else math.nan,
    )


def _accuracy(results: Sequence[EpisodeResult]) -> Estimate:
    return share_interval([r.correct for r in results], [r.index for r in results])
