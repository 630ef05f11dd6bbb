"""The parts of a report on second scores: agreement, and the items on which they differ."""

from __future__ import annotations

from ..evaluation.scores import decimal, interval, percent
from ..opinions.agreement import SecondScores
from .document import Section, Text
from .findings import BenchmarkFindings, CellFindings
from .items import MOST_ITEMS, answer_text, episode_link, item_name, listed_text

MOST_FAULTS = 20
"""How many failures of a scorer a report names; `benchmark.json` has all."""


def second_score_sections(findings: BenchmarkFindings) -> list[Section]:
    """Lays out second scores beside our own."""
    found = [
        (each, scores) for each in findings.cells if each.found for scores in each.found.second
    ]
    if not found:
        return []
    lists = [_differing(*pair) for pair in found if pair[1].differing]
    return [_agreement(found), *lists]


def _agreement(found: list[tuple[CellFindings, SecondScores]]) -> Section:
    heads = (
        *("policy", "environment", "by", "n", "right by ours", "right by it", "mean of ours"),
        *("mean of its", "agreement", "95% interval", "kappa", "no answer", "failed"),
    )
    rows = [heads, *(_row(*pair) for pair in found)]
    text = (
        "A grader of your own, or a judge, scores the same declared answers; every other table has "
        "our own score alone. Agreement: share of answers that both call right or both wrong. "
        "Kappa: Cohen's, agreement beyond chance. Episodes without an answer, and answers on which "
        "it failed, are in neither."
    )
    faults = [
        f"{each.cell.title}, {scores.name}, {sample}: {fault}"
        for each, scores in found
        for sample, fault in scores.faults
    ]
    more = len(faults) - MOST_FAULTS
    points = faults[:MOST_FAULTS] + ([f"and {more} more failures"] if more > 0 else [])
    return Section("Second scores", text, rows, points)


def _row(each: CellFindings, scores: SecondScores) -> tuple[str, ...]:
    return (
        *(each.cell.policy.label, each.cell.environment.label, scores.name, str(scores.n)),
        *(percent(scores.ours.mean), percent(scores.theirs.mean)),
        *(percent(scores.our_score), percent(scores.their_score)),
        *(percent(scores.agreement.mean), interval(scores.agreement), decimal(scores.kappa)),
        *(str(scores.n_unanswered), str(len(scores.faults))),
    )


def _differing(each: CellFindings, scores: SecondScores) -> Section:
    n_verdicts = sum(item.is_verdict for item in scores.differing)
    text = (
        f"Of {scores.n} answers {n_verdicts} are right by one and wrong by the other, and "
        f"{len(scores.differing) - n_verdicts} have another score. Each answer leads to its "
        f"episode.{listed_text(len(scores.differing))}"
    )
    heads: tuple[Text, ...] = ("sample", "answer", "ours", scores.name, "note")
    rows = [heads]
    for item in scores.differing[:MOST_ITEMS]:
        link = episode_link(each.cell, item.index, item.repeat, answer_text(item.answer))
        ours, theirs = (
            _verdict(item.ours_correct, item.ours),
            _verdict(item.theirs_correct, item.theirs),
        )
        note = answer_text(item.note) if item.note else ""
        rows.append((item_name(item.sample_id, item.repeat), link, ours, theirs, note))
    return Section(f"{scores.name} differs: {each.cell.title}", text, rows, is_long=True)


def _verdict(is_correct: bool, score: float) -> str:
    word = "right" if is_correct else "wrong"
    return word if score == float(is_correct) else f"{word}, {decimal(score)}"
