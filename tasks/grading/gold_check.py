"""Checks that a task set's own answers grade as they must, over any task set."""

from __future__ import annotations

from collections.abc import Iterable

from pixel_env.errors import PixelEnvError
from pixel_env.task import Task
from pixel_env.types import LETTERS, Grade, Sample

from .spelling import loose

NOTHING = ("", " ")
"""Answers without content; each has to grade 0."""


def check_golds(task: Task, indices: Iterable[int] | None = None) -> list[str]:
    """Grades every accepted answer and an empty one, of every sample.

    Of a sample with options, the right one's letter and its text are graded. Pictures and clips
    aren't opened.

    Args:
        task: the task set.
        indices: which samples, from 0; None for all of them.

    Returns:
        One sentence for each fault, naming the sample and where it comes from; a sample that
        can't be read is a fault.
    """
    faults = []
    for index in range(len(task)) if indices is None else indices:
        try:
            faults += _faults_of(task, task[index])
        except PixelEnvError as error:
            faults.append(str(error))
    return faults


def gold_answers(sample: Sample) -> tuple[str, ...]:
    """Returns every text that has to grade 1: the accepted answers, and the right option's letter.

    The text of an option that is itself a letter under which another is shown is left out: it
    would name that other one.
    """
    if sample.right_choice is None:
        return sample.answers
    shown = LETTERS[: len(sample.choices)]
    texts = (*sample.answers, sample.choices[sample.right_choice])
    clear = [text for text in texts if len(bare := loose(text)) != 1 or bare.upper() not in shown]
    letter = shown[sample.right_choice : sample.right_choice + 1]
    return tuple(dict.fromkeys([letter, *clear])) if letter else tuple(dict.fromkeys(clear))


def _faults_of(task: Task, sample: Sample) -> list[str]:
    faults = []
    golds = gold_answers(sample)
    if not golds:
        faults.append("no answer is accepted")
    for gold in golds:
        grade = task.grade(sample, gold)
        if (grade.score, grade.correct) != (1, True):
            faults.append(f"its accepted answer {gold!r:.80} grades {_shown(grade)}")
    for nothing in NOTHING:
        grade = task.grade(sample, nothing)
        if (grade.score, grade.correct) != (0, False):
            faults.append(f"the empty answer {nothing!r} grades {_shown(grade)}")
    where = f" ({sample.origin})" if sample.origin else ""
    return [f"Sample {sample.id}{where}: {fault}." for fault in faults]


def _shown(grade: Grade) -> str:
    return f"{grade.score:g}, {'right' if grade.correct else 'wrong'}"
