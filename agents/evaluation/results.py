"""What is kept of one evaluated episode, and how it stands in a file."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from pixel_env.errors import DataError
from pixel_env.files.json_records import parsed, record
from pixel_env.files.lines import whole_lines

from ..served.usage import Usage


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
        repeat: which of the sample's episodes it is, from 0.
        error: the number read minus the true one; None where the task has none, or none was read.
        cycle: the order of options that the row shows, where a task set asks in several.
        question: the same text for every cycle of one question; "" without cycles.
        n_choices: options shown; 0 for a free answer.
        right_choice: place of the right option, from 0; None for a free answer.
        chosen: place of the option that the answer names, from 0; None where it names none.
        coverage: share of the evidence inside the best zoom, in [0, 1] (`coverage.Coverage`);
            None where no evidence is known.
        iou: best intersection over union of a zoom with the evidence; None as above.
        magnification: pixels of the target in the best zoom / in the overview; None as above.
        n_replaced: operations whose views a control replaced, or that it refused.
        service_error: why a server gave no message, which ended the episode; "" otherwise. Such an
            episode has no trajectory, and is run again by the next call of the same command.
        usage: what the policy's messages cost; None where the policy doesn't know. Two results
            that differ in it only are equal, for it holds times.
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
    repeat: int = 0
    error: float | None = None
    cycle: str = ""
    question: str = ""
    n_choices: int = 0
    right_choice: int | None = None
    chosen: int | None = None
    coverage: float | None = None
    iou: float | None = None
    magnification: float | None = None
    n_replaced: int = 0
    service_error: str = ""
    usage: Usage | None = field(default=None, compare=False)

    @property
    def place(self) -> tuple[int, int]:
        """Index and repeat: no two results of one evaluation share it."""
        return self.index, self.repeat

    def line(self) -> str:
        """Returns the result as one line of JSON, without its end."""
        return json.dumps(asdict(self))


def counted(results: Iterable[EpisodeResult]) -> list[EpisodeResult]:
    """Leaves out what says nothing about a policy: a fault of the data or of a server ended it."""
    return [result for result in results if not (result.env_error or result.service_error)]


def read_results(path: Path) -> list[EpisodeResult]:
    """Reads a file of results, one on a line; a last line without an end was cut off, and is left.

    Raises:
        DataError: the file can't be read, or a line is no result.
    """
    try:
        lines = whole_lines(path)
    except OSError as fault:
        raise DataError(f"results {path} can't be read: {fault}") from fault
    return [_result(line, f"{path} line {number}") for number, line in enumerate(lines, 1)]


def _result(line: bytes, where: str) -> EpisodeResult:
    values = parsed(line, where)
    usage = values.pop("usage", None) if isinstance(values, dict) else None
    result = record(EpisodeResult, values, where)
    if usage is None:
        return result
    return replace(result, usage=record(Usage, usage, f"{where}, usage"))
