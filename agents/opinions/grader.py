"""A user's grader by its import path, on what `Task.grade` takes."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterator, Sequence
from numbers import Real
from typing import Any

import numpy as np

from pixel_env.errors import ConfigError
from pixel_env.types import Grade, Sample

from ..settings.import_path import fault_text, import_object
from .opinion import PASS, Item, Opinion, faulty

Grading = Callable[[Sample, str], Grade | float | bool]
"""A user's grader: takes the sample as it was shown and the declared answer, as `Task.grade`."""


class ImportedGrader:
    """Scores answers by a user's function.

    One that raises, or returns anything but a `Grade`, a boolean or a number in [0, 1], has no
    score for that answer.
    """

    def __init__(self, path: str) -> None:
        """Imports the function.

        Args:
            path: "module:name".

        Raises:
            ConfigError: it can't be imported, or doesn't take a sample and an answer.
        """
        self._origin = import_object(path, "a grader")
        self._grade: Grading = self._origin.found
        if not callable(self._grade):
            raise ConfigError(
                f"expected {path} to be a function of (sample, answer), got "
                f"{type(self._grade).__name__}"
            )
        try:
            inspect.signature(self._grade).bind(None, "")
        except TypeError as fault:
            raise ConfigError(f"expected {path} to take (sample, answer): {fault}") from None
        except ValueError:  # it has no signature to read
            pass

    def source(self) -> dict[str, str]:
        """Returns its module, and the digest of that file."""
        return self._origin.origin()

    def score(self, items: Sequence[Item]) -> Iterator[Opinion]:
        """Grades each answer."""
        for item in items:
            try:
                given = self._grade(item.sample, item.answer)
            except Exception as fault:  # a user's function can raise anything
                yield faulty(item, fault_text(fault))
                continue
            yield _opinion(item, given)


def _opinion(item: Item, given: Any) -> Opinion:
    """Reads what a grader returned."""
    score, correct, note = given, None, ""
    if isinstance(given, Grade):
        score, correct, note = given.score, given.correct, str(given.parsed or "")
    if _is_score(score) and isinstance(correct, bool | np.bool_ | None):
        value = float(score)
        verdict = value >= PASS if correct is None else bool(correct)
        return Opinion(item.index, item.repeat, item.answer, value, verdict, note=note)
    return faulty(item, f"expected a Grade, a boolean or a number in [0, 1], got {given!r:.80}")


def _is_score(value: Any) -> bool:
    is_number = isinstance(value, bool | np.bool_ | Real)
    return is_number and not math.isnan(value) and 0 <= value <= 1
