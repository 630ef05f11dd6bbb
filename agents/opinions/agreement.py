"""A second score beside our own: how often they agree, and where they don't."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from ..evaluation.results import EpisodeResult, counted
from ..evaluation.statistics import Estimate, share_interval
from .opinion import Opinion

_SAME = 1e-6
"""Scores that are no further apart are the same."""


@dataclass(frozen=True, slots=True)
class Disagreement:
    """An answer that the two score differently.

    Attributes:
        index: of the sample.
        repeat: which of the sample's episodes.
        sample_id: the sample's id.
        answer: the declared answer.
        ours: our score, in [0, 1].
        theirs: the second one.
        ours_correct: whether it is right by our own score.
        theirs_correct: whether it is right by the second.
        note: what the second scorer says besides.
    """

    index: int
    repeat: int
    sample_id: str
    answer: str
    ours: float
    theirs: float
    ours_correct: bool
    theirs_correct: bool
    note: str

    @property
    def is_verdict(self) -> bool:
        """Whether one calls it right and the other wrong."""
        return self.ours_correct != self.theirs_correct


@dataclass(frozen=True, slots=True)
class SecondScores:
    """A second score of a policy's answers beside our own, on the same answers.

    Episodes without an answer, and answers that the scorer failed on, are in neither.

    Attributes:
        name: the scorer's label.
        n: answers that both scored.
        ours: share that is right by our own score, with its 95% interval.
        theirs: share that is right by the second.
        our_score: mean of our score.
        their_score: mean of the second.
        agreement: share of answers on which both say the same, right or wrong.
        kappa: Cohen's kappa of these; NaN where both always say the same one thing.
        n_unanswered: episodes without an answer.
        faults: (sample, why) of each answer that the scorer failed on.
        differing: answers that they score differently: those with another verdict first, then by
            how far the scores are apart.
    """

    name: str
    n: int
    ours: Estimate
    theirs: Estimate
    our_score: float
    their_score: float
    agreement: Estimate
    kappa: float
    n_unanswered: int
    faults: tuple[tuple[str, str], ...]
    differing: tuple[Disagreement, ...]


def compare_scores(
    name: str, results: Sequence[EpisodeResult], opinions: Sequence[Opinion]
) -> SecondScores:
    """Compares a second score with our own.

    Args:
        name: the scorer's label.
        results: of the evaluation.
        opinions: of the scorer, on the same evaluation.
    """
    by_place = {each.place: each for each in opinions}
    answered = [each for each in counted(results) if each.answer is not None]
    pairs = [(each, by_place[each.place]) for each in answered if each.place in by_place]
    both = [pair for pair in pairs if pair[1].score is not None and pair[1].correct is not None]
    ours = [result.correct for result, _ in both]
    theirs = [bool(opinion.correct) for _, opinion in both]
    places = [result.index for result, _ in both]
    differing = [_disagreement(*pair) for pair in both if _differ(*pair)]
    differing.sort(key=lambda each: (not each.is_verdict, -abs(each.ours - each.theirs)))
    return SecondScores(
        name=name,
        n=len(both),
        ours=share_interval(ours, places),
        theirs=share_interval(theirs, places),
        our_score=_mean([result.score for result, _ in both]),
        their_score=_mean([opinion.score or 0.0 for _, opinion in both]),
        agreement=share_interval([a == b for a, b in zip(ours, theirs, strict=True)], places),
        kappa=cohens_kappa(ours, theirs),
        n_unanswered=len(counted(results)) - len(answered),
        faults=tuple((result.sample_id, each.fault) for result, each in pairs if each.fault),
        differing=tuple(differing),
    )


def cohens_kappa(first: Sequence[bool], second: Sequence[bool]) -> float:
    """Returns agreement beyond chance of two raters, from -1 to 1; NaN where chance is certain.

    J. Cohen, "A coefficient of agreement for nominal scales", 1960.

    Example:
        >>> first = [True] * 25 + [False] * 25
        >>> second = [True] * 20 + [False] * 5 + [True] * 10 + [False] * 15
        >>> round(cohens_kappa(first, second), 3)
        0.4
    """
    if not first:
        return math.nan
    same = fmean(a == b for a, b in zip(first, second, strict=True))
    p, q = fmean(first), fmean(second)
    chance = p * q + (1 - p) * (1 - q)
    return math.nan if chance == 1 else (same - chance) / (1 - chance)


def _differ(result: EpisodeResult, opinion: Opinion) -> bool:
    apart = abs(result.score - (opinion.score or 0.0))
    return result.correct != opinion.correct or apart > _SAME


def _disagreement(result: EpisodeResult, opinion: Opinion) -> Disagreement:
    return Disagreement(
        index=result.index,
        repeat=result.repeat,
        sample_id=result.sample_id,
        answer=opinion.answer,
        ours=result.score,
        theirs=opinion.score or 0.0,
        ours_correct=result.correct,
        theirs_correct=bool(opinion.correct),
        note=opinion.note,
    )


def _mean(values: Sequence[float]) -> float:
    return fmean(values) if values else math.nan
