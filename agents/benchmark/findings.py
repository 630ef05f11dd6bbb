"""What the cells of a benchmark amount to: scores, paired differences, and items that flipped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pixel_env.errors import PixelEnvError

from ..evaluation.coverage import CoverageScores, score_coverage
from ..evaluation.results import EpisodeResult, counted
from ..evaluation.scores import ALL, Scores, score_table
from .cell import CellResults, OnEpisode, read_cell
from .config import BenchmarkConfig, Cell, cells_of
from .paired import Measure, PairedDifference, compare_pairs, with_holm
from .workers import run_cells

ACCURACY = "accuracy"

MEASURES: Mapping[str, Measure] = {
    ACCURACY: lambda result: float(result.correct),
    "score": lambda result: result.score,
}


@dataclass(frozen=True, slots=True)
class CellFindings:
    """What one cell amounts to.

    Attributes:
        cell: the cell.
        failure: why it failed; "" where it didn't.
        found: what its folder holds; None where nothing can be read.
        scores: of all its episodes, then of each category; empty where it failed.
        coverage: whether targets came into view; None where no evidence is known.
    """

    cell: Cell
    failure: str
    found: CellResults | None = None
    scores: tuple[Scores, ...] = ()
    coverage: CoverageScores | None = None

    @property
    def results(self) -> tuple[EpisodeResult, ...]:
        """Its episodes."""
        return self.found.results if self.found else ()

    @property
    def manifest(self) -> Mapping[str, Any]:
        """The manifest of its evaluation; empty where nothing can be read."""
        return self.found.manifest if self.found else {}

    @property
    def n_missing(self) -> int:
        """How many episodes didn't finish; 0 where nothing can be read."""
        return self.found.n_missing if self.found else 0


@dataclass(frozen=True, slots=True)
class Flip:
    """An episode that one of two policies has right and the other wrong.

    Attributes:
        index: of the sample.
        repeat: which of the sample's episodes.
        sample_id: the sample's id.
        category: the sample's category.
        before: the baseline's answer; None where it gave none.
        after: the other's.
        is_gain: whether the other one is right.
    """

    index: int
    repeat: int
    sample_id: str
    category: str
    before: str | None
    after: str | None
    is_gain: bool


@dataclass(frozen=True, slots=True)
class Comparison:
    """A policy beside the baseline on one environment.

    Attributes:
        environment: label.
        policy: label.
        reason: why they can't be compared; "" where they are.
        measures: what was compared, and how it came out.
        flips: what only one of them has right, in the samples' order.
    """

    environment: str
    policy: str
    reason: str = ""
    measures: tuple[tuple[str, PairedDifference], ...] = ()
    flips: tuple[Flip, ...] = ()


@dataclass(frozen=True, slots=True)
class BenchmarkFindings:
    """What a benchmark amounts to.

    Attributes:
        config: what was compared.
        cells: in the order of environments, then policies.
        comparisons: of every other policy with the baseline, in the same order.
    """

    config: BenchmarkConfig
    cells: tuple[CellFindings, ...]
    comparisons: tuple[Comparison, ...]

    @property
    def is_whole(self) -> bool:
        """Whether every cell ran to its end."""
        return all(each.scores and not each.n_missing for each in self.cells)

    def cell(self, environment: str, policy: str) -> CellFindings:
        """Returns the cell of two labels."""
        return next(
            each
            for each in self.cells
            if (each.cell.environment.label, each.cell.policy.label) == (environment, policy)
        )


def run_benchmark(config: BenchmarkConfig, note: OnEpisode) -> BenchmarkFindings:
    """Runs what is missing of a benchmark, and sums it up.

    Args:
        config: what is compared.
        note: called for each episode.

    Raises:
        DataError: what a policy was trained with can't be read.
    """
    cells = cells_of(config)
    failures = run_cells(cells, config.workers, note)
    found = tuple(_read(cell, failures.get(number, "")) for number, cell in enumerate(cells))
    return BenchmarkFindings(config, found, _compare_all(found, config))


def flips_between(
    baseline: Sequence[EpisodeResult], other: Sequence[EpisodeResult]
) -> tuple[Flip, ...]:
    """Lists the episodes that one of two policies has right and the other wrong.

    Args:
        baseline: results of the one.
        other: results of the other, on the same samples.
    """
    before = {result.place: result for result in counted(baseline)}
    return tuple(
        Flip(
            index=new.index,
            repeat=new.repeat,
            sample_id=new.sample_id,
            category=new.category,
            before=before[new.place].answer,
            after=new.answer,
            is_gain=new.correct,
        )
        for new in sorted(counted(other), key=lambda result: result.place)
        if new.place in before and before[new.place].correct != new.correct
    )


def _read(cell: Cell, failure: str) -> CellFindings:
    try:
        found = read_cell(cell)
    except PixelEnvError as fault:
        return CellFindings(cell, failure or str(fault))
    if failure:
        return CellFindings(cell, failure, found)
    coverage = score_coverage(found.results, ALL)
    return CellFindings(cell, "", found, score_table(found.results), coverage)


def _compare_all(cells: Sequence[CellFindings], config: BenchmarkConfig) -> tuple[Comparison, ...]:
    base = {
        each.cell.environment.label: each
        for each in cells
        if each.cell.policy.label == config.compared_with
    }
    found = [
        _compare(base[each.cell.environment.label], each)
        for each in cells
        if each.cell.policy.label != config.compared_with
    ]
    adjusted = iter(with_holm([pair for each in found for _, pair in each.measures]))
    return tuple(
        replace(each, measures=tuple((name, next(adjusted)) for name, _ in each.measures))
        for each in found
    )


def _compare(baseline: CellFindings, other: CellFindings) -> Comparison:
    labels = other.cell.environment.label, other.cell.policy.label
    if reason := _obstacle(baseline, other):
        return Comparison(*labels, reason)
    before, after = baseline.results, other.results
    names = {ACCURACY: ACCURACY}
    if score_name := other.manifest["score_name"]:
        names["score"] = score_name
    measures = tuple(
        (shown, compare_pairs(before, after, MEASURES[name])) for name, shown in names.items()
    )
    return Comparison(*labels, "", measures, flips_between(before, after))


def _obstacle(baseline: CellFindings, other: CellFindings) -> str:
    """Returns why two cells can't be compared; "" where they can."""
    for each in (baseline, other):
        if not each.scores:
            return f"{each.cell.policy.label} failed"
    before = {result.index: result.sample_id for result in baseline.results}
    same = all(before.get(each.index, each.sample_id) == each.sample_id for each in other.results)
    if baseline.manifest["data"] != other.manifest["data"] or not same:
        return "they ran on other samples"
    return ""
