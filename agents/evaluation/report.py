"""An evaluation as a page for people, and the same for machines."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pixel_env.evidence import SEEN_SHARE
from pixel_env.files.json_values import plain

from ..policies.by_name import is_imported, is_named
from .again import command
from .control_scores import ControlScores, control_cells
from .costs import Costs, cost_cells, sum_costs
from .coverage import CoverageScores, score_coverage
from .option_places import UNLIKELY, PlaceAudit, audit_places
from .results import EpisodeResult
from .scores import (
    Scores,
    decimal,
    groups_of,
    interval,
    markdown,
    markdown_table,
    percent,
    score_table,
)
from .statistics import ChiSquare

MOST_FAULTS = 50
"""How many faults of the data a report lists; all are in the results."""


@dataclass(frozen=True, slots=True)
class Findings:
    """What an evaluation's results amount to.

    Attributes:
        scores: of all episodes, then of each category.
        controls: runs under controls on the same samples, where there are any.
        coverage: whether targets came into view, for the same groups; empty without evidence.
        option_places: where right and chosen options stood; None without options.
        faults: (sample, fault of the data) of each episode that is left out.
        unanswered: (sample, fault of the server) of each episode that is left out.
        costs: what the policy's messages cost; None where the policy doesn't know.
    """

    scores: tuple[Scores, ...]
    controls: tuple[ControlScores, ...]
    coverage: tuple[CoverageScores, ...]
    option_places: PlaceAudit | None
    faults: tuple[tuple[str, str], ...]
    unanswered: tuple[tuple[str, str], ...] = ()
    costs: Costs | None = None


def find(results: Sequence[EpisodeResult], controls: Sequence[ControlScores] = ()) -> Findings:
    """Sums up an evaluation."""
    groups = groups_of(results).items()
    coverage = [score_coverage(part, group) for group, part in groups]
    return Findings(
        scores=score_table(results),
        controls=tuple(controls),
        coverage=tuple(each for each in coverage if each is not None),
        option_places=audit_places(results),
        faults=tuple((each.sample_id, each.env_error) for each in results if each.env_error),
        unanswered=tuple(
            (each.sample_id, each.service_error) for each in results if each.service_error
        ),
        costs=sum_costs(results),
    )


def report(findings: Findings, manifest: Mapping[str, Any]) -> str:
    """Writes an evaluation as Markdown.

    Args:
        findings: what its results amount to.
        manifest: what it was run on.
    """
    overall = findings.scores[0]
    lines = {scores.group: scores for scores in findings.scores}
    under = f", under {', '.join(manifest['control'])}" if manifest["control"] else ""
    parts = [
        f"# {manifest['policy']} on {manifest['env_id']}{under}\n",
        markdown_table(lines, manifest["score_name"]),
        _settings(manifest, overall),
        _oracle(manifest),
        _controls(overall, findings.controls),
        _coverage(findings.coverage),
        _places(findings.option_places),
        _costs(findings.costs),
        _faults(findings.faults, "Left out, because the data could not be read"),
        _faults(findings.unanswered, "Left out until the next call, because the server failed"),
        _again(manifest),
    ]
    return "\n".join(part for part in parts if part)


def summary(findings: Findings, manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Returns what the report holds as values that JSON can hold; None for what wasn't measured.

    The arguments are those of `report`. An estimate is a dict of `mean`, `low` and `high`.
    """
    named = {name: manifest[name] for name in ("policy", "env_id", "data", "score_name")}
    written: dict[str, Any] = {**named, **plain(findings, other=lambda _: None)}
    return written


def _settings(manifest: Mapping[str, Any], overall: Scores) -> str:
    repeats = f", {manifest['repeats']} episodes each" if manifest["repeats"] > 1 else ""
    ran = (
        f"{manifest['samples']} samples of `{manifest['data']}`{repeats}, seed "
        f"{manifest['seed']}, dialect {manifest['dialect'] or 'none (structured actions)'}, "
        f"revision {manifest['git_revision'] or 'unknown'}. All settings are in `manifest.json`, "
        "every episode in `results.jsonl`.\n\n"
    )
    how = "Wilson's 95% interval"
    if overall.repeats > 1:
        how = (
            f"Avg@{overall.repeats}, the mean over samples of the mean over their "
            f"{overall.repeats} episodes, with a bootstrap 95% interval that resamples samples; "
            f"pass@{overall.repeats} is the share of samples with a right answer among them"
        )
    if overall.n_cycles:
        how = (
            f"the mean over {overall.n_cycles} cycles (orders of the same options) of the "
            "accuracy in each, with a bootstrap 95% interval that resamples questions"
        )
    return (
        f"{ran}Accuracy: {how}. RaPR: share of episodes with at least one call of an operation. "
        "Call errors: refused calls / calls. An episode without an answer counts as wrong; one "
        "that a fault of the data or of a server ended is left out of every number.\n"
    )


def _again(manifest: Mapping[str, Any]) -> str:
    if not is_named(manifest["policy"]):
        return ""
    named = f" and `--policy {manifest['policy']}`" if is_imported(manifest["policy"]) else ""
    return (
        "## Again\n\n"
        f"```sh\n{command(manifest)}\n```\n\n"
        "gives the same scores, from the folder in which this was run; `pixel-reason evaluate "
        f"--replay` with this folder{named} also compares every episode.\n"
    )


def _oracle(manifest: Mapping[str, Any]) -> str:
    if not manifest["privileged"]:
        return ""
    return "This policy reads the answer behind the environment: it is an oracle.\n"


def _controls(plain: Scores, controls: Sequence[ControlScores]) -> str:
    if not controls:
        return ""
    return (
        "## Were the operations needed?\n\n"
        "The same policy on the same samples, with its operations refused, or their views blanked, "
        "moved to a random place, or moved to the evidence (aimed-crop: with a box as large as was "
        "asked for). Difference: accuracy minus that of the "
        "line `none`, in points, paired by sample, with its bootstrap 95% interval. A score that "
        "a control doesn't lower was not earned by the operations.\n\n"
        + markdown(control_cells(plain, controls))
    )


def _coverage(found: Sequence[CoverageScores]) -> str:
    if not found:
        return ""
    heads = (
        *("", "n", "right, saw it", "wrong, saw it", "right, never saw it"),
        *("wrong, never saw it", "accuracy, saw it", "95% interval"),
        *("accuracy, never saw it", "95% interval", "IoU", "magnification"),
    )
    rows = [
        (
            *(each.group, str(each.n), str(each.right_seen), str(each.wrong_seen)),
            *(str(each.right_unseen), str(each.wrong_unseen)),
            *(percent(each.accuracy_seen.mean), interval(each.accuracy_seen)),
            *(percent(each.accuracy_unseen.mean), interval(each.accuracy_unseen)),
            *(decimal(each.iou), decimal(each.magnification)),
        )
        for each in found
    ]
    return (
        "## Was the target in view?\n\n"
        f"Seen: one view that an operation gave holds at least {SEEN_SHARE:.0%} of the target's "
        "box. IoU: best of an episode's views with that box, mean. Magnification: pixels of the "
        "target in the best view / in the overview, median where it was seen.\n\n"
        + markdown([heads, *rows])
    )


def _places(audit: PlaceAudit | None) -> str:
    if audit is None:
        return ""
    heads = ("option", "right one stood here", "chosen", "accuracy here", "95% interval")
    rows = [
        (
            *(place.letter, str(place.n_right), str(place.n_chosen)),
            *(percent(place.accuracy.mean), interval(place.accuracy)),
        )
        for place in audit.places
    ]
    return (
        "## Places of the options\n\n"
        + markdown([heads, *rows])
        + f"\nRight options: {_verdict(audit.right)}. Chosen options: {_verdict(audit.chosen)}. "
        f"Spread of the accuracies (standard deviation): {100 * audit.recall_spread:.1f} points. "
        f"{audit.n_none} episodes named no option.\n"
    )


def _verdict(test: ChiSquare) -> str:
    if math.isnan(test.p):
        return "too few places to compare"
    word = "more uneven than chance" if test.p < UNLIKELY else "as even as chance"
    return f"{word} (chi-square {test.statistic:.1f}, {test.degrees} degrees, p = {test.p:.2g})"


def _costs(costs: Costs | None) -> str:
    if costs is None:
        return ""
    return (
        "## Cost\n\n"
        + markdown(cost_cells(costs))
        + "\nTokens are the server's count. Every request holds the whole conversation, so a "
        "picture is sent again in each turn after it. Seconds are from asking to the whole reply, "
        "waiting and repeats included.\n"
    )


def _faults(faults: Sequence[tuple[str, str]], title: str) -> str:
    if not faults:
        return ""
    lines = [f"- {sample_id}: {fault}" for sample_id, fault in faults[:MOST_FAULTS]]
    if len(faults) > MOST_FAULTS:
        lines.append(f"- and {len(faults) - MOST_FAULTS} more, in `results.jsonl`")
    return "\n".join([f"## {title}\n", *lines]) + "\n"
