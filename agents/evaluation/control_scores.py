"""What a control did to a score: the paired difference to the same samples without it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .results import EpisodeResult, counted
from .scores import Scores, decimal, interval, percent, score_group
from .statistics import Estimate, bootstrap_interval

PLAIN = "none"
"""Label of the line of the run without a control."""


@dataclass(frozen=True, slots=True)
class ControlScores:
    """A run under a control beside the run without.

    Attributes:
        name: the control's name.
        scores: of the run under it.
        difference: its accuracy minus the plain run's, over the samples that count in both, with
            its 95% interval by a paired bootstrap (samples are resampled, a sample's repeats
            count once, as their mean).
        n_pairs: how many samples count in both.
        n_replaced: operations whose views it replaced, or that it refused.
    """

    name: str
    scores: Scores
    difference: Estimate
    n_pairs: int
    n_replaced: int


def compare(
    name: str, plain: Sequence[EpisodeResult], controlled: Sequence[EpisodeResult]
) -> ControlScores:
    """Compares a controlled run with the plain one, sample by sample.

    Args:
        name: the control's name.
        plain: results without it.
        controlled: results of the same samples under it.
    """
    before, after = _accuracies(plain), _accuracies(controlled)
    pairs = [index for index in before if index in after]
    return ControlScores(
        name,
        score_group(controlled),
        bootstrap_interval([after[index] - before[index] for index in pairs]),
        len(pairs),
        sum(result.n_replaced for result in controlled),
    )


def control_cells(plain: Scores, controls: Sequence[ControlScores]) -> list[tuple[str, ...]]:
    """Writes the runs as rows of texts, the heads first and the plain run next."""
    mean = f"Avg@{plain.repeats}" if plain.repeats > 1 else "accuracy"
    heads = ("control", "n", mean, "95% interval", "difference", "95% interval")
    rows: list[tuple[str, ...]] = [(*heads, "operations", "replaced")]
    rows.append((*_head(PLAIN, plain), "", "", decimal(plain.operations.mean), ""))
    for each in controls:
        change = (_points(each.difference.mean), interval(each.difference))
        tail = (decimal(each.scores.operations.mean), str(each.n_replaced))
        rows.append((*_head(each.name, each.scores), *change, *tail))
    return rows


def _accuracies(results: Sequence[EpisodeResult]) -> dict[int, float]:
    """Returns the share of right answers of each sample that counts."""
    right: dict[int, list[bool]] = {}
    for result in counted(results):
        right.setdefault(result.index, []).append(result.correct)
    return {index: sum(hits) / len(hits) for index, hits in right.items()}


def _head(name: str, scores: Scores) -> tuple[str, ...]:
    accuracy = scores.accuracy
    return name, str(scores.n), percent(accuracy.mean), interval(accuracy)


def _points(difference: float) -> str:
    """Writes a difference of two shares in percentage points, with its sign; "-" for NaN."""
    written = percent(difference).removesuffix("%")
    return f"+{written}" if difference > 0 else written
