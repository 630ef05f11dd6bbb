"""From the results of episodes to a table of scores."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from .results import EpisodeResult, counted
from .statistics import NOTHING, Estimate, clustered_interval, mean_over_strata, wilson_interval

ALL = "all"
"""Name of the group that holds every episode."""


@dataclass(frozen=True, slots=True)
class Scores:
    """What a group of episodes amounts to.

    Episodes that a fault of the data ended count in `n_env_errors` and nowhere else: they say
    nothing about the policy. An episode without an answer counts as wrong. Where samples were
    repeated, every mean is the mean over samples of the mean over their repeats, and its interval
    resamples whole samples.

    Attributes:
        group: a category, or "all".
        n: episodes that count.
        accuracy: share of right answers with its 95% interval: Wilson's, or with repeats (Avg@k)
            the bootstrap's. Where questions are asked in several cycles, the mean over cycles of
            the accuracy in each, with a bootstrap interval that resamples questions.
        score: mean of the task's score, with its bootstrap 95% interval; over cycles as above.
        rapr: share of episodes with at least one call (rate of pixel-space reasoning), with its
            95% interval.
        operations: operations executed in an episode, mean with its bootstrap 95% interval.
        error_rate: refused calls / calls; NaN where there were no calls.
        n_truncated: episodes that ended without an answer.
        n_env_errors: episodes left out for a fault of the data.
        repeats: episodes of each sample.
        pass_at_k: share of samples with a right answer among their repeats, with its Wilson 95%
            interval; NaN without repeats.
        rmse: root of the mean squared error over answers that could be read as a number, with its
            bootstrap 95% interval; NaN where the task has no such error.
        n_unread: episodes without a number, where the others have an error.
        n_cycles: how many cycles the accuracy is a mean over; 0 without cycles.
        n_unanswered: episodes left out because a server gave no message; they are run again by the
            next call of the same command.
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
    repeats: int = 1
    pass_at_k: Estimate = NOTHING
    rmse: Estimate = NOTHING
    n_unread: int = 0
    n_cycles: int = 0
    n_unanswered: int = 0


def score_group(results: Sequence[EpisodeResult], group: str = ALL) -> Scores:
    """Sums up a group of episodes."""
    known = counted(results)
    samples = [result.index for result in known]
    n_calls = sum(result.n_calls for result in known)
    n_errors = sum(result.n_operation_errors for result in known)
    repeats = max((result.repeat for result in results), default=0) + 1
    cycles = {result.cycle for result in known if result.cycle}
    right = [result.correct for result in known]
    scores = [result.score for result in known]
    read = [result for result in known if result.error is not None]
    return Scores(
        group=group,
        n=len(known),
        accuracy=_over_cycles(known, right) if cycles else _share(right, samples),
        score=_over_cycles(known, scores) if cycles else clustered_interval(scores, samples),
        rapr=_share([result.n_calls > 0 for result in known], samples),
        operations=clustered_interval([result.n_operations for result in known], samples),
        error_rate=n_errors / n_calls if n_calls else math.nan,
        n_truncated=sum(result.truncated for result in known),
        n_env_errors=sum(bool(result.env_error) for result in results),
        repeats=repeats,
        pass_at_k=_pass_at_k(known) if repeats > 1 else NOTHING,
        rmse=_rmse(read),
        n_unread=len(known) - len(read) if read else 0,
        n_cycles=len(cycles),
        n_unanswered=sum(bool(result.service_error) for result in results),
    )


def score_table(results: Sequence[EpisodeResult]) -> tuple[Scores, ...]:
    """Sums up all episodes (the micro mean), then each category in alphabetical order.

    A single category is not distinguished from the whole.
    """
    return tuple(score_group(part, group) for group, part in groups_of(results).items())


def groups_of(results: Sequence[EpisodeResult]) -> dict[str, Sequence[EpisodeResult]]:
    """Returns all results, then those of each category where there are several."""
    categories = sorted({result.category for result in results if result.category})
    apart = categories if len(categories) > 1 else []
    return {ALL: results} | {
        group: [result for result in results if result.category == group] for group in apart
    }


def _share(hits: Sequence[bool], samples: Sequence[int]) -> Estimate:
    """Returns a share: Wilson's interval, or with repeats the mean over samples of their means."""
    if len(set(samples)) == len(samples):
        return wilson_interval(sum(hits), len(hits))
    return clustered_interval(hits, samples)


def _over_cycles(results: Sequence[EpisodeResult], values: Sequence[float]) -> Estimate:
    """Returns the mean over cycles of the mean in each; questions are resampled whole."""
    questions = [result.question or str(result.index) for result in results]
    return mean_over_strata(values, [result.cycle for result in results], questions)


def _pass_at_k(results: Sequence[EpisodeResult]) -> Estimate:
    passed: dict[int, bool] = {}
    for result in results:
        passed[result.index] = passed.get(result.index, False) or result.correct
    return wilson_interval(sum(passed.values()), len(passed))


def _rmse(results: Sequence[EpisodeResult]) -> Estimate:
    squares = [float(result.error or 0) ** 2 for result in results]
    return Estimate(
        *(math.sqrt(x) for x in clustered_interval(squares, [r.index for r in results]))
    )


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table: its head, and its text for a line's scores."""

    head: str
    write: Callable[[Scores], str]


def columns(lines: Sequence[Scores], score_name: str = "") -> tuple[Column, ...]:
    """Chooses the columns that a table of these lines needs, without the labels.

    Always: episodes that count; accuracy (Avg@k) and its interval; share of episodes with a
    call; operations an episode; refused calls / calls; episodes without an answer; episodes left
    out for a fault of the data. Where they apply: the task's own score; pass@k; RMSE; episodes
    left out because a server gave no message.

    Args:
        lines: the scores to be written.
        score_name: what the task's score is called; "" where accuracy is the whole score.
    """
    repeats = max((line.repeats for line in lines), default=1)
    mean = f"Avg@{repeats}" if repeats > 1 else "accuracy"
    mean += " over cycles" if any(line.n_cycles for line in lines) else ""
    chosen = [
        Column("n", lambda line: str(line.n)),
        Column(mean, lambda line: percent(line.accuracy.mean)),
        Column("95% interval", lambda line: interval(line.accuracy)),
    ]
    if score_name:
        chosen.append(Column(score_name, lambda line: percent(line.score.mean)))
        chosen.append(Column("95% interval", lambda line: interval(line.score)))
    if repeats > 1:
        chosen.append(Column(f"pass@{repeats}", lambda line: percent(line.pass_at_k.mean)))
    if not all(math.isnan(line.rmse.mean) for line in lines):
        chosen.append(Column("RMSE", lambda line: decimal(line.rmse.mean)))
        chosen.append(Column("no number", lambda line: str(line.n_unread)))
    last = [Column("left out", lambda line: str(line.n_env_errors))]
    if any(line.n_unanswered for line in lines):
        last.append(Column("unanswered", lambda line: str(line.n_unanswered)))
    return (
        *chosen,
        Column("RaPR", lambda line: percent(line.rapr.mean)),
        Column("operations", lambda line: decimal(line.operations.mean)),
        Column("call errors", lambda line: percent(line.error_rate)),
        Column("no answer", lambda line: str(line.n_truncated)),
        *last,
    )


def table_cells(lines: Mapping[str, Scores], score_name: str = "") -> list[tuple[str, ...]]:
    """Writes a table as rows of texts; the first row holds the heads, the first cell a label.

    Args:
        lines: scores by label.
        score_name: what the task's score is called; "" where accuracy is the whole score.
    """
    taken = columns(list(lines.values()), score_name)
    rows = [(label, *(column.write(line) for column in taken)) for label, line in lines.items()]
    return [("", *(column.head for column in taken)), *rows]


def markdown_table(lines: Mapping[str, Scores], score_name: str = "") -> str:
    """Writes a Markdown table with one line for each label; arguments as `table_cells`."""
    return markdown(table_cells(lines, score_name))


def markdown(rows: Sequence[Sequence[str]]) -> str:
    """Writes rows of cells, the heads first, as a Markdown table."""
    heads, *body = rows
    table = [heads, ("---",) * len(heads), *body]
    return "\n".join("| " + " | ".join(row) + " |" for row in table) + "\n"


def percent(share: float) -> str:
    """Writes a share as a percentage; "-" for NaN.

    Example:
        >>> percent(0.8481), percent(float("nan"))
        ('84.8%', '-')
    """
    return "-" if math.isnan(share) else f"{100 * share:.1f}%"


def decimal(value: float) -> str:
    """Writes a number with two decimals; "-" for NaN."""
    return "-" if math.isnan(value) else f"{value:.2f}"


def interval(estimate: Estimate) -> str:
    """Writes the interval of a share, in percent; "-" where nothing was measured.

    Example:
        >>> interval(Estimate(0.5, 0.25, 0.75))
        '25.0 to 75.0'
    """
    if math.isnan(estimate.mean):
        return "-"
    return f"{100 * estimate.low:.1f} to {100 * estimate.high:.1f}"
