"""Did a zoom show the target? Counts of right and wrong answers, with and without such a zoom.

A wrong answer after a zoom on the target is an error of reading, one without an error of zooming.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median

from pixel_env.evidence import SEEN_SHARE

from .results import EpisodeResult, counted
from .statistics import Estimate, share_interval


@dataclass(frozen=True, slots=True)
class CoverageScores:
    """How well the zooms of a group of episodes cover the evidence, where that is known.

    Attributes:
        group: a category, or "all".
        n: episodes that count.
        right_seen: right answers after a zoom on the target.
        wrong_seen: wrong ones after such a zoom: it was seen and answered wrong.
        right_unseen: right answers without such a zoom.
        wrong_unseen: wrong ones without: it was never seen.
        accuracy_seen: share of right answers where the target was seen, with its 95% interval.
        accuracy_unseen: the same where it wasn't.
        share: mean share of the evidence inside the best zoom.
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
    """Returns whether an episode with known evidence saw its target."""
    return (result.coverage or 0.0) >= SEEN_SHARE


def score_coverage(results: Sequence[EpisodeResult], group: str) -> CoverageScores | None:
    """Sums up the zooms of a group of episodes; None where no evidence is known."""
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
