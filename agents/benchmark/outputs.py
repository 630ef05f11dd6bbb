"""The files of a benchmark: the report, the page, the table for programs, and all numbers."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Mapping
from typing import Any

from pixel_env.errors import PixelEnvError
from pixel_env.files.json_values import plain
from pixel_env.files.whole_file import write_whole
from pixel_env.recordings.episodes import Record, episode_place
from pixel_env.recordings.trajectory import FILE_NAME
from pixel_env.viewer import read_site, write_site
from pixel_env.viewer.sources import Source

from ..evaluation.costs import sum_costs
from ..evaluation.statistics import Estimate
from .document import as_html, as_markdown
from .findings import BenchmarkFindings, CellFindings
from .items import MOST_ITEMS, PAGE
from .sections import sections

MOST_EPISODES = 200
"""How many episodes of a cell the page shows beside those that the report links to."""

TITLE = "Benchmark"


def write_benchmark(findings: BenchmarkFindings) -> list[str]:
    """Writes everything into the benchmark's folder.

    Returns:
        Why the page of the cells' episodes could not be written, or shows less: sentences.
    """
    out = findings.config.out
    out.mkdir(parents=True, exist_ok=True)
    faults = _write_episodes(findings)
    parts = sections(findings)
    write_whole(out / "benchmark.md", as_markdown(TITLE, parts))
    write_whole(out / "index.html", as_html(TITLE, parts))
    write_whole(out / "benchmark.csv", as_csv(findings))
    written = json.dumps(as_json(findings), indent=1, allow_nan=False)
    write_whole(out / "benchmark.json", written + "\n")
    return faults


def as_csv(findings: BenchmarkFindings) -> str:
    """Writes a line for each cell; an empty field is what wasn't measured."""
    rows = [_values(each, findings) for each in findings.cells]
    names = list(dict.fromkeys(name for row in rows for name in row))
    stream = io.StringIO()
    writer = csv.DictWriter(stream, names, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue()


def as_json(findings: BenchmarkFindings) -> dict[str, Any]:
    """Returns every number of a benchmark, as values that JSON can hold; None for NaN."""
    cells = [
        {
            "policy": each.cell.policy.label,
            "environment": each.cell.environment.label,
            "folder": str(each.cell.folder.relative_to(findings.config.out)),
            "failure": each.failure,
            "n_missing": each.n_missing,
            "manifest": each.manifest,
            "scores": each.scores,
            "coverage": each.coverage,
            "costs": sum_costs(each.results),
            "controls": each.found.controls if each.found else (),
            "second_scores": each.found.second if each.found else (),
        }
        for each in findings.cells
    ]
    written: dict[str, Any] = plain(
        {
            "baseline": findings.config.compared_with,
            "is_whole": findings.is_whole,
            "cells": cells,
            "comparisons": findings.comparisons,
        },
        other=lambda _: None,
    )
    return written


def _values(each: CellFindings, findings: BenchmarkFindings) -> dict[str, Any]:
    """Returns a cell's numbers by the names of columns."""
    row: dict[str, Any] = {
        "environment": each.cell.environment.label,
        "policy": each.cell.policy.label,
        "failure": each.failure,
        "missing": each.n_missing,
    }
    if each.scores:
        overall = each.scores[0]
        row |= {"n": overall.n, **_estimate("accuracy", overall.accuracy)}
        row |= {**_estimate("score", overall.score), **_estimate("rapr", overall.rapr)}
        row |= {"operations": overall.operations.mean, "call_error_rate": overall.error_rate}
        row |= {"no_answer": overall.n_truncated, "left_out": overall.n_env_errors}
    for second in each.found.second if each.found else ():
        row |= _estimate(f"{second.name}_right", second.theirs)
        row |= {f"{second.name}_agreement": second.agreement.mean}
        row |= {f"{second.name}_kappa": second.kappa, f"{second.name}_failed": len(second.faults)}
    if costs := sum_costs(each.results):
        row |= {"prompt_tokens": costs.total.prompt_tokens, "seconds": costs.total.seconds}
        row |= {"completion_tokens": costs.total.completion_tokens, "cost": costs.total.cost}
    if found := each.coverage:
        row["target_seen"] = (found.right_seen + found.wrong_seen) / found.n
    row |= _compared(each, findings)
    return {name: "" if _is_nan(value) else value for name, value in row.items()}


def _compared(each: CellFindings, findings: BenchmarkFindings) -> Mapping[str, Any]:
    labels = each.cell.environment.label, each.cell.policy.label
    row: dict[str, Any] = {}
    for other in findings.comparisons:
        if (other.environment, other.policy) == labels:
            for (_, found), name in zip(other.measures, ("accuracy", "score"), strict=False):
                at = f"{name}_difference"
                row |= {**_estimate(at, found.mean), f"{at}_pairs": found.n}
                row |= {f"{at}_better": found.gained, f"{at}_worse": found.lost}
                row |= {f"{at}_p": found.p, f"{at}_p_holm": found.p_holm, f"{at}_test": found.test}
    return row


def _estimate(name: str, estimate: Estimate) -> dict[str, float]:
    return {name: estimate.mean, f"{name}_low": estimate.low, f"{name}_high": estimate.high}


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and math.isnan(value)


def _write_episodes(findings: BenchmarkFindings) -> list[str]:
    """Writes the page of all cells' episodes; returns what it can't show."""
    out = findings.config.out
    if not any((each.cell.folder / FILE_NAME).is_file() for each in findings.cells):
        return []
    linked = {each.cell.folder.resolve(): _linked(each, findings) for each in findings.cells}

    def is_linked(source: Source, record: Record) -> bool:
        return episode_place(record) in linked.get(source.folder, ())

    try:
        site = read_site(out, TITLE, limit=MOST_EPISODES, pick=is_linked)
        write_site(site, out / PAGE)
    except PixelEnvError as fault:
        return [f"the page of the episodes is left out: {fault}"]
    return [f"the page of the episodes goes without this: {fault}" for fault in site.faults[:1]]


def _linked(each: CellFindings, findings: BenchmarkFindings) -> set[tuple[int, int]]:
    """Returns the episodes of a cell that the report links to."""
    environment, policy = each.cell.environment.label, each.cell.policy.label
    second = each.found.second if each.found else ()
    return {
        (item.index, item.repeat) for scores in second for item in scores.differing[:MOST_ITEMS]
    } | {
        (flip.index, flip.repeat)
        for other in findings.comparisons
        if other.environment == environment
        and policy in (other.policy, findings.config.compared_with)
        for flip in other.flips[:MOST_ITEMS]
    }
