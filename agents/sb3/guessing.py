"""What guessing is worth: the score of the commonest answer to a question, without a call."""

from __future__ import annotations

from collections import Counter, defaultdict

from pixel_env.task import Task
from pixel_env.types import Sample

from ..evaluation.statistics import Estimate, wilson_interval


def guess_rate(train: Task, test: Task, n_train: int = 3000, n_test: int = 300) -> Estimate:
    """Returns the accuracy of the best answer that needs no picture.

    For each question's exact text the answer that was commonest in the training split is given,
    among the options where there are some; for a question that wasn't asked there, the commonest
    of all.

    Args:
        train: where answers are counted.
        test: where they are graded.
        n_train: samples that are counted, the first ones.
        n_test: samples that are graded, the first ones.
    """
    by_question: dict[str, Counter[str]] = defaultdict(Counter)
    overall: Counter[str] = Counter()
    for index in range(min(n_train, len(train))):
        sample = train[index]
        by_question[sample.question][sample.answers[0]] += 1
        overall[sample.answers[0]] += 1
    n_right, n_graded = 0, min(n_test, len(test))
    for index in range(n_graded):
        sample = test[index]
        given = _commonest(sample, by_question.get(sample.question, overall), overall)
        n_right += test.grade(sample, given).correct
    return wilson_interval(n_right, n_graded)


def _commonest(sample: Sample, counts: Counter[str], overall: Counter[str]) -> str:
    """Returns the commonest answer; ties go to what is commoner in all, then to the alphabet."""
    candidates = sample.choices or tuple(counts)
    return min(candidates, key=lambda text: (-counts[text], -overall[text], text))
