"""The parts of a benchmark's report, for people: its tables, and what they mean."""

from __future__ import annotations

import math
from collections.abc import Sequence

from pixel_env.evidence import SEEN_SHARE

from ..evaluation.control_scores import control_cells
from ..evaluation.costs import Costs, sum_costs
from ..evaluation.results import counted
from ..evaluation.scores import columns, decimal, interval, percent
from ..evaluation.statistics import Estimate
from ..settings.comparison import differences
from .config import Cell
from .document import Section, Text
from .findings import BenchmarkFindings, CellFindings, Comparison, Flip
from .items import MOST_ITEMS, answer_text, cell_link, episode_link, item_name, listed_text
from .paired import PairedDifference
from .second_scores import second_score_sections

MEANINGS = (
    " RaPR: share of episodes with at least one call of an operation. Operations, calls: means of "
    "an episode. Call errors: refused calls / calls. Target seen: share of episodes, of those with "
    f"known evidence, in which one view that an operation gave holds at least {SEEN_SHARE:.0%} of "
    "the target's box. An episode without an answer counts as wrong; one that a fault of the data "
    "ended is left out of every number."
)
"""What the columns of the tables of scores mean; behind the first of them."""


def sections(findings: BenchmarkFindings) -> list[Section]:
    """Lays out a benchmark."""
    parts = [
        _failures(findings),
        _overview(findings),
        *_scores(findings),
        _differences(findings),
        _costs(findings),
        *second_score_sections(findings),
        *_controls(findings),
        *_flips(findings),
        _settings(findings),
    ]
    return [part for part in parts if part is not None]


def points(difference: float) -> str:
    """Writes a difference of two shares in points, with its sign; "-" for NaN.

    Example:
        >>> points(0.125), points(-0.05), points(0.0)
        ('+12.5', '-5.0', '0.0')
    """
    if math.isnan(difference):
        return "-"
    return f"{100 * difference:+.1f}" if round(difference, 4) else "0.0"


def p_text(p: float) -> str:
    """Writes a probability; "-" for NaN.

    Example:
        >>> p_text(0.0312), p_text(0.00001), p_text(1.0)
        ('0.031', '< 0.0001', '1')
    """
    if math.isnan(p):
        return "-"
    return "< 0.0001" if p < 0.0001 else f"{p:.2g}"


def _failures(findings: BenchmarkFindings) -> Section | None:
    lines = []
    for each in findings.cells:
        done = f" ({len(each.results)} episodes are done)" if each.results else ""
        if each.failure:
            lines.append(f"{each.cell.title}: {each.failure}{done}")
        elif each.n_missing:
            lines.append(f"{each.cell.title}: {each.n_missing} episodes are left out so far")
    text = "The same command goes on with these; the others are whole."
    return Section("Not whole", text, points=lines) if lines else None


def _overview(findings: BenchmarkFindings) -> Section | None:
    environments = [each.label for each in findings.config.environments]
    if len(environments) < 2:
        return None
    rows = [("accuracy", *environments)]
    for policy in findings.config.policies:
        cells = [findings.cell(environment, policy.label) for environment in environments]
        rows.append((policy.label, *(_accuracy(cell) for cell in cells)))
    return Section("All environments", rows=rows)


def _accuracy(cell: CellFindings) -> str:
    if not cell.scores:
        return "failed"
    accuracy = cell.scores[0].accuracy
    return f"{percent(accuracy.mean)} ({interval(accuracy)})"


def _scores(findings: BenchmarkFindings) -> list[Section]:
    parts: list[Section] = []
    for environment in findings.config.environments:
        cells = [each for each in findings.cells if each.cell.environment == environment]
        scored = [each for each in cells if each.scores]
        if scored:
            text = _ran(scored[0]) + ("" if parts else MEANINGS)
            parts.append(Section(environment.label, text, _score_rows(scored)))
    return parts


def _ran(cell: CellFindings) -> str:
    manifest = cell.manifest
    repeats = f", {manifest['repeats']} episodes each" if manifest["repeats"] > 1 else ""
    return (
        f"{manifest['env_id']}, {manifest['samples']} samples of {manifest['data']}{repeats}, seed "
        f"{manifest['seed']}."
    )


def _score_rows(cells: Sequence[CellFindings]) -> list[tuple[Text, ...]]:
    lines = [cell.scores[0] for cell in cells]
    taken = columns(lines, cells[0].manifest["score_name"])
    heads = ("policy", *(column.head for column in taken), "calls")
    has_evidence = any(cell.coverage for cell in cells)
    rows: list[tuple[Text, ...]] = [(*heads, "target seen") if has_evidence else heads]
    for cell, line in zip(cells, lines, strict=True):
        row = (_named(cell), *(column.write(line) for column in taken), decimal(_mean_calls(cell)))
        rows.append((*row, _seen(cell)) if has_evidence else row)
    return rows


def _named(cell: CellFindings) -> Text:
    label = cell.cell.policy.label + (" (oracle)" if cell.manifest["privileged"] else "")
    return cell_link(cell.cell, label)


def _mean_calls(cell: CellFindings) -> float:
    calls = [each.n_calls for each in counted(cell.results)]
    return sum(calls) / len(calls) if calls else math.nan


def _seen(cell: CellFindings) -> str:
    found = cell.coverage
    return percent((found.right_seen + found.wrong_seen) / found.n) if found else "-"


def _differences(findings: BenchmarkFindings) -> Section | None:
    pairs = [(each, *measure) for each in findings.comparisons for measure in each.measures]
    refused = [
        f"{each.policy} on {each.environment}: not compared, {each.reason}"
        for each in findings.comparisons
        if each.reason
    ]
    if not pairs and not refused:
        return None
    heads = (
        *("policy", "environment", "measure", "pairs", "difference", "95% interval"),
        *("better", "worse", "p", "p (Holm)", "test"),
    )
    rows = [heads, *(_difference(*pair) for pair in pairs)]
    title = f"Differences to {findings.config.compared_with}"
    return Section(title, _difference_text(findings, len(pairs)), rows if pairs else (), refused)


def _difference_text(findings: BenchmarkFindings, n: int) -> str:
    return (
        f"In points, on the samples that count for both; {findings.config.compared_with} is the "
        "baseline. A pair is a sample, with the mean of its repeats. The interval is a percentile "
        "bootstrap over pairs; where no pair differs it has no width and says nothing. Better and "
        "worse: pairs in which the policy is above or below the baseline. p: McNemar's exact test "
        "where every pair is right or wrong, else a permutation test that flips the signs of the "
        f"differences, both two-sided. p (Holm): adjusted for the {n} comparisons of this table."
    )


def _difference(each: Comparison, measure: str, found: PairedDifference) -> tuple[str, ...]:
    return (
        *(each.policy, each.environment, measure, str(found.n), points(found.mean.mean)),
        *(_points_interval(found.mean), str(found.gained), str(found.lost)),
        *(p_text(found.p), p_text(found.p_holm), found.test),
    )


def _points_interval(estimate: Estimate) -> str:
    if math.isnan(estimate.low):
        return "-"
    return f"{points(estimate.low)} to {points(estimate.high)}"


def _costs(findings: BenchmarkFindings) -> Section | None:
    found = [(each, costs) for each in findings.cells if (costs := sum_costs(each.results))]
    if not found:
        return None
    heads = (
        *("policy", "environment", "messages", "tokens in", "of them cached", "tokens out"),
        *("pictures sent", "seconds a message", "money an episode", "money"),
    )
    text = (
        "Means of an episode, where a policy reports them; money is of all episodes too. Tokens "
        "are the server's count. Every request holds the whole conversation."
    )
    return Section("Cost", text, [heads, *(_cost(*each) for each in found)])


def _cost(each: CellFindings, costs: Costs) -> tuple[str, ...]:
    total, n = costs.total, max(costs.n, 1)
    counts = (
        *(total.requests, total.prompt_tokens, total.cached_tokens, total.completion_tokens),
        total.pictures,
    )
    money = ("-", "-") if total.cost is None else (f"{total.cost / n:.4f}", f"{total.cost:,.2f}")
    return (
        *(each.cell.policy.label, each.cell.environment.label),
        *(f"{count / n:,.1f}" for count in counts),
        *(f"{costs.seconds_a_message:.2f}", *money),
    )


def _controls(findings: BenchmarkFindings) -> list[Section]:
    text = (
        "The same policy on the same samples, with its operations refused, or their views blanked "
        "or moved. A score that a control doesn't lower was not earned by the operations."
    )
    return [
        Section(
            f"Controls: {each.cell.title}", text, control_cells(each.scores[0], each.found.controls)
        )
        for each in findings.cells
        if each.scores and each.found and each.found.controls
    ]


def _flips(findings: BenchmarkFindings) -> list[Section]:
    parts = []
    for each in findings.comparisons:
        if each.flips:
            base = findings.cell(each.environment, findings.config.compared_with).cell
            other = findings.cell(each.environment, each.policy).cell
            parts.append(_flipped(each, base, other))
    return parts


def _flipped(each: Comparison, base: Cell, other: Cell) -> Section:
    gains, n = sum(flip.is_gain for flip in each.flips), len(each.flips)
    text = (
        f"Only {other.policy.label} is right in {gains} episodes, only {base.policy.label} in "
        f"{n - gains}. Each answer leads to its episode.{listed_text(n)}"
    )
    heads = ("sample", "category", "right", base.policy.label, other.policy.label)
    rows: list[tuple[Text, ...]] = [heads]
    rows += [_flip(flip, base, other) for flip in each.flips[:MOST_ITEMS]]
    title = f"Flipped on {each.environment}: {base.policy.label} and {other.policy.label}"
    return Section(title, text, rows, is_long=True)


def _flip(flip: Flip, base: Cell, other: Cell) -> tuple[Text, ...]:
    name = item_name(flip.sample_id, flip.repeat)
    return (
        *(name, flip.category, (other if flip.is_gain else base).policy.label),
        episode_link(base, flip.index, flip.repeat, answer_text(flip.before)),
        episode_link(other, flip.index, flip.repeat, answer_text(flip.after)),
    )


def _settings(findings: BenchmarkFindings) -> Section | None:
    """Names the settings of the environment in which policies differ: they are part of a score."""
    lines = []
    for environment in findings.config.environments:
        cells = [each for each in findings.cells if each.cell.environment == environment]
        known = [each for each in cells if each.manifest]
        for each in known[1:]:
            found = differences(known[0].manifest["env_config"], each.manifest["env_config"])
            lines += [
                f"{environment.label}, {difference.name}: {difference.saved} for "
                f"{known[0].cell.policy.label}, {difference.given} for {each.cell.policy.label}"
                for difference in found
            ]
    text = "A model is run in the environment that it was trained in, where no other is given."
    return Section("Settings that differ", text, points=lines) if lines else None
