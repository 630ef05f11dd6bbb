"""What the arms of the learning-trap experiment came to: one table, its reading, and curves."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..evaluation.results import EpisodeResult
from ..evaluation.scores import interval, percent
from ..evaluation.statistics import Estimate, bootstrap_interval
from ..training.metrics import read_metrics
from .arms import VARIANTS, Arm, TrapConfig, curves_folder, results_folder

HARD, EASY = "hard", "easy"
CURVES = {
    "accuracy/all": "accuracy",
    "accuracy/hard": "accuracy, hard questions",
    "rapr": "RaPR",
    "operations/error_rate": "call error rate",
}
"""The metrics that are drawn, and what their panels are called."""

Seeds = Sequence[Sequence[EpisodeResult]]
"""The episodes of one arm, a sequence for each seed."""


@dataclass(frozen=True, slots=True)
class ArmScores:
    """One line of the table. Shares are over all seeds' episodes.

    Attributes:
        arm: which arm.
        by_seed: accuracy of each seed.
        accuracy: mean of the seeds; its interval resamples the samples, which seeds share.
        hard: accuracy on hard questions, in the same way.
        easy: accuracy on easy questions.
        rapr: share of episodes with a call.
        rapr_by_seed: the same of each seed.
        hard_by_seed: accuracy on hard questions of each seed.
        rapr_hard: the same on hard questions.
        rapr_easy: the same on easy questions.
        looked_right: right answers / episodes with a call, on hard questions; NaN without any.
        unlooked_right: right answers / episodes without a call, on hard questions.
        unlooked_right_easy: the same on easy questions.
        successful: episodes with a call and a right answer / all episodes.
        error_rate: refused calls / calls.
    """

    arm: Arm
    by_seed: tuple[float, ...]
    accuracy: Estimate
    hard: Estimate
    easy: Estimate
    rapr: float
    rapr_by_seed: tuple[float, ...]
    hard_by_seed: tuple[float, ...]
    rapr_hard: float
    rapr_easy: float
    looked_right: float
    unlooked_right: float
    unlooked_right_easy: float
    successful: float
    error_rate: float

    @property
    def selectivity(self) -> float:
        """RaPR on hard questions minus RaPR on easy ones: 1 calls only where it is needed."""
        return self.rapr_hard - self.rapr_easy


def read_arm(arm: Arm, config: TrapConfig, root: Path) -> ArmScores:
    """Reads what an arm's runs left.

    Raises:
        OSError: a run of the arm has not been measured.
    """
    seeds = []
    for seed in config.seeds:
        path = results_folder(arm, seed, root) / "results.jsonl"
        lines = path.read_text(encoding="utf-8").splitlines()
        seeds.append([EpisodeResult(**json.loads(line)) for line in lines])
    return score_arm(arm, seeds)


def score_arm(arm: Arm, seeds: Seeds) -> ArmScores:
    """Sums up one arm's episodes; those that a fault of the data ended are left out."""
    every = [each for episodes in seeds for each in episodes if not each.env_error]
    hard = [each for each in every if each.category == HARD]
    easy = [each for each in every if each.category == EASY]
    n_calls = sum(each.n_calls for each in every)
    return ArmScores(
        arm=arm,
        by_seed=tuple(_share(episodes, _is_right) for episodes in seeds),
        accuracy=_accuracy(every),
        hard=_accuracy(hard),
        easy=_accuracy(easy),
        rapr=_share(every, _looked),
        rapr_by_seed=tuple(_share(episodes, _looked) for episodes in seeds),
        hard_by_seed=tuple(
            _share([each for each in episodes if each.category == HARD], _is_right)
            for episodes in seeds
        ),
        rapr_hard=_share(hard, _looked),
        rapr_easy=_share(easy, _looked),
        looked_right=_share([each for each in hard if _looked(each)], _is_right),
        unlooked_right=_share([each for each in hard if not _looked(each)], _is_right),
        unlooked_right_easy=_share([each for each in easy if not _looked(each)], _is_right),
        successful=_share(every, lambda each: _looked(each) and each.correct),
        error_rate=sum(each.n_operation_errors for each in every) / n_calls
        if n_calls
        else math.nan,
    )


def table(lines: Sequence[ArmScores]) -> str:
    """Writes the arms as a Markdown table, in the form of the paper's."""
    heads = (
        "arm", "accuracy", "95% interval", "by seed", "hard", "easy", "RaPR", "by seed",
        "RaPR hard", "RaPR easy", "selectivity", "looked and right", "call errors",
    )  # fmt: skip
    rows = [heads, ("---",) * len(heads), *map(_cells, lines)]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows) + "\n"


def _cells(line: ArmScores) -> tuple[str, ...]:
    """Writes one line of the table."""
    return (
        line.arm.title,
        percent(line.accuracy.mean),
        interval(line.accuracy),
        ", ".join(percent(each) for each in line.by_seed),
        percent(line.hard.mean),
        percent(line.easy.mean),
        percent(line.rapr),
        ", ".join(percent(each) for each in line.rapr_by_seed),
        percent(line.rapr_hard),
        percent(line.rapr_easy),
        f"{100 * line.selectivity:+.1f}",
        percent(line.successful),
        percent(line.error_rate),
    )


def reading(lines: Sequence[ArmScores]) -> str:
    """Returns sentences on whether the stage was set as the paper's, and whether the trap appeared.

    Of what was never called nothing is claimed.
    """
    by_name = {line.arm.name: line for line in lines}
    if not any(line.rapr > 0 for line in lines):
        return "No arm made a call of an operation, so nothing follows about the trap.\n"
    sentences = []
    if start := by_name.get("warm-start"):
        sentences.append(_start(start))
    without, paid = by_name.get("no-curiosity"), by_name.get("curiosity")
    if without and paid and not (start and not start.rapr > 0):
        sentences.append(_verdict(without, paid))
    if start and paid:
        sentences.append(_farming(start, paid))
    others = [line for line in lines if line.arm.name in VARIANTS and line.rapr > 0]
    if without and others:
        best = max(others, key=lambda line: line.hard.mean)
        gap = 100 * (best.hard.mean - without.hard.mean)
        sentences.append(
            f'Of the other bonuses, "{best.arm.title}" is right most often on hard questions: '
            f"{gap:+.1f} points against RL without curiosity, RaPR {percent(best.rapr)}, "
            f"{percent(best.error_rate)} of the calls refused."
        )
    return "\n\n".join(sentences) + "\n"


def _start(start: ArmScores) -> str:
    """Describes how the warm start left the policy: whether a call pays by itself."""
    if not start.rapr > 0:
        return "After the warm start no call is made, so there is nothing for the RL to lose."
    return (
        f"After the warm start RaPR is {percent(start.rapr)}. On hard questions "
        f"{percent(start.looked_right)} of the episodes with a call are right and "
        f"{percent(start.unlooked_right)} of those without; on easy questions "
        f"{percent(start.unlooked_right_easy)} of those without."
    )


def _farming(start: ArmScores, paid: ArmScores) -> str:
    """Returns whether the bonus is earned by calls that fail; nothing where there are no calls."""
    if math.isnan(start.error_rate) or math.isnan(paid.error_rate):
        which = "the warm start" if math.isnan(start.error_rate) else "the RL with the bonus"
        return f"After {which} no call is made, so failing calls can't be compared."
    rises = paid.error_rate > start.error_rate
    return (
        f"Of the calls {percent(start.error_rate)} are refused after the warm start, and "
        f"{percent(paid.error_rate)} after the RL with the bonus: it "
        f"{'is' if rises else 'is not'} farmed by failing calls."
    )


def _verdict(without: ArmScores, paid: ArmScores) -> str:
    """Returns whether the trap appears, over all seeds and on each of them."""
    gap = 100 * (paid.hard.mean - without.hard.mean)
    verdict = "appears" if _is_trap(without.rapr, paid.rapr, gap) else "does not appear"
    ends = zip(
        without.rapr_by_seed,
        paid.rapr_by_seed,
        without.hard_by_seed,
        paid.hard_by_seed,
        strict=True,
    )
    n_shown = sum(
        _is_trap(rapr_without, rapr_paid, 100 * (hard_paid - hard_without))
        for rapr_without, rapr_paid, hard_without, hard_paid in ends
    )
    return (
        f"The trap {verdict}: without the bonus RaPR ends at {percent(without.rapr)} (under "
        f"10% is a collapse), with it at {percent(paid.rapr)} (over 60% is no collapse), and the "
        f"arms are {gap:+.1f} points apart on hard questions (15 were asked for). Taken one by "
        f"one, it appears on {n_shown} of {len(paid.by_seed)} seeds."
    )


def _is_trap(rapr_without: float, rapr_paid: float, gap: float) -> bool:
    """Whether all three marks of the trap are met; `gap` in points."""
    return rapr_without < 0.1 and rapr_paid > 0.6 and gap >= 15


def course(arm: Arm, name: str, config: TrapConfig, root: Path) -> np.ndarray[tuple[int, int]]:
    """Returns a metric over the iterations, (seeds, iterations) float64, NaN where undefined."""
    seeds = [read_metrics(curves_folder(arm, seed, root)) for seed in config.seeds]
    rows = [[_number(line.get(name)) for line in lines] for lines in seeds]
    return np.array(rows, dtype=np.float64)


def _number(value: float | None) -> float:
    return math.nan if value is None else value


def _accuracy(episodes: Sequence[EpisodeResult]) -> Estimate:
    """Returns the mean over seeds and samples; seeds of one sample are resampled together."""
    samples: dict[int, list[float]] = {}
    for each in episodes:
        samples.setdefault(each.index, []).append(float(each.correct))
    return bootstrap_interval([sum(values) / len(values) for values in samples.values()])


def _share(episodes: Sequence[EpisodeResult], holds: Callable[[EpisodeResult], bool]) -> float:
    counted = [each for each in episodes if not each.env_error]
    return sum(map(holds, counted)) / len(counted) if counted else math.nan


def _is_right(each: EpisodeResult) -> bool:
    return each.correct


def _looked(each: EpisodeResult) -> bool:
    return each.n_calls > 0
