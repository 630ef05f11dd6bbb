"""From the results of episodes to a table of scores."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .statistics import Estimate, bootstrap_interval, wilson_interval

ALL = "all"
"""Name of the group that holds every episode."""


@dataclass(frozen=True, slots=True)
class EpisodeResult:
    """One evaluated episode.

    Attributes:
        index: index of the sample in its task, from 0.
        sample_id: the sample's id.
        category: the task set's own grouping, "" where there is none.
        answer: the declared answer; None where none was given.
        parsed: the answer as the grader understood it; None where it could not be read.
        score: the task's score, in [0, 1]; 0 without an answer.
        correct: whether the answer counts as right.
        n_calls: operations attempted, refused ones included.
        n_operations: operations executed.
        n_operation_errors: operations refused.
        n_turns: steps taken.
        truncated: whether the episode ended without an answer.
        env_error: the fault of the data that ended the episode; "" where there was none.
    """

    index: int
    sample_id: str
    category: str
    answer: str | None
    parsed: str | None
    score: float
    correct: bool
    n_calls: int
    n_operations: int
    n_operation_errors: int
    n_turns: int
    truncated: bool
    env_error: str


@dataclass(frozen=True, slots=True)
class Scores:
    """What a group of episodes amounts to.

    Episodes that a fault of the data ended count in `n_env_errors` and nowhere else: they say
    nothing about the policy. An episode without an answer counts as wrong.

    Attributes:
        group: a category, or "all".
        n: episodes that count.
        accuracy: share of right answers, with its Wilson 95% interval.
        score: mean of the task's score, with its bootstrap 95% interval.
        rapr: share of episodes with at least one call (rate of pixel-space reasoning), with its
            Wilson 95% interval.
        operations: operations executed in an episode, mean with its bootstrap 95% interval.
        error_rate: refused calls / calls; NaN where there were no calls.
        n_truncated: episodes that ended without an answer.
        n_env_errors: episodes left out.
    """

    group: str
    n: int
    accuracy: Estimate
    score: Estimate
    rapr: Estimate
    operations: Estimate
    error_rate: float
    n_truncated: int
    n_env_errors: int


def score_group(results: Sequence[EpisodeResult], group: str = ALL) -> Scores:
    """Sums up a group of episodes."""
    counted = [result for result in results if not result.env_error]
    n_calls = sum(result.n_calls for result in counted)
    n_errors = sum(result.n_operation_errors for result in counted)
    return Scores(
        group=group,
        n=len(counted),
        accuracy=wilson_interval(sum(result.correct for result in counted), len(counted)),
        score=bootstrap_interval([result.score for result in counted]),
        rapr=wilson_interval(sum(result.n_calls > 0 for result in counted), len(counted)),
        operations=bootstrap_interval([result.n_operations for result in counted]),
        error_rate=n_errors / n_calls if n_calls else math.nan,
        n_truncated=sum(result.truncated for result in counted),
        n_env_errors=len(results) - len(counted),
    )


def score_table(results: Sequence[EpisodeResult]) -> tuple[Scores, ...]:
    """Sums up all episodes (the micro mean), then each category in alphabetical order.

    A single category is not told apart from the whole.
    """
    categories = sorted({result.category for result in results if result.category})
    groups = categories if len(categories) > 1 else []
    return (
        score_group(results),
        *(score_group([r for r in results if r.category == group], group) for group in groups),
    )


COLUMNS = (
    "",
    "n",
    "accuracy",
    "95% interval",
    "RaPR",
    "operations",
    "call errors",
    "no answer",
    "left out",
)
"""Heads of a table of scores: the group; episodes that count; accuracy and its interval; share of
episodes with a call; operations an episode; refused calls / calls; episodes without an answer;
episodes left out for a fault of the data."""


def cells(scores: Scores, label: str | None = None) -> tuple[str, ...]:
    """Writes one line of a table, a text for each of `COLUMNS`.

    Args:
        scores: what to write.
        label: first cell; the group by default.
    """
    return (
        scores.group if label is None else label,
        str(scores.n),
        percent(scores.accuracy.mean),
        interval(scores.accuracy),
        percent(scores.rapr.mean),
        "-" if math.isnan(scores.operations.mean) else f"{scores.operations.mean:.2f}",
        percent(scores.error_rate),
        str(scores.n_truncated),
        str(scores.n_env_errors),
    )


def markdown_table(lines: Mapping[str, Scores]) -> str:
    """Writes a Markdown table with one line for each label."""
    table = [COLUMNS, ("---",) * len(COLUMNS)]
    table += [cells(scores, label) for label, scores in lines.items()]
    return "\n".join("| " + " | ".join(line) + " |" for line in table) + "\n"


def percent(share: float) -> str:
    """Writes a share as a percentage; "-" for NaN.

    Example:
        >>> percent(0.8481), percent(float("nan"))
        ('84.8%', '-')
    """
    return "-" if math.isnan(share) else f"{100 * share:.1f}%"


def interval(estimate: Estimate) -> str:
    """Writes the interval of a share, in percent; "-" where nothing was measured.

    Example:
        >>> interval(Estimate(0.5, 0.25, 0.75))
        '25.0 to 75.0'
    """
    if math.isnan(estimate.mean):
        return "-"
    return f"{100 * estimate.low:.1f} to {100 * estimate.high:.1f}"
