"""What a task set gives: samples by number, and a grade for an answer.

A new task set is one file with one subclass of `Task`, and one line in `task_sets.py`
(or one call of `register_task`).
"""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from .config import EnvConfig
from .errors import ConfigError, unknown_name
from .types import Grade, Sample


class Task(ABC):
    """A set of samples with one grader.

    Subclasses read no media in their constructor: pictures are opened when a sample is reset.

    Attributes:
        name: short name, used in trajectories and reports.
        score_name: what `Grade.score` is called in reports, such as "ANLS"; "" where it is 1 for
            a correct answer and 0 for any other, so that accuracy is enough.
    """

    name: str = ""
    score_name: ClassVar[str] = ""

    @classmethod
    def argument_names(cls) -> tuple[str, ...] | None:
        """Names what the constructor takes by name; None where it takes anything."""
        parameters = inspect.signature(cls).parameters.values()
        if any(each.kind is inspect.Parameter.VAR_KEYWORD for each in parameters):
            return None
        return tuple(each.name for each in parameters)

    @abstractmethod
    def __len__(self) -> int:
        """Returns how many samples the chosen split and category hold; at least 1."""

    @abstractmethod
    def __getitem__(self, index: int) -> Sample:
        """Returns sample `index`, from 0; the same value at every call.

        Raises:
            IndexError: `index` is outside [0, len).
            DataError: the row can't be used.
        """

    @abstractmethod
    def grade(self, sample: Sample, answer: str) -> Grade:
        """Grades a declared answer.

        Args:
            sample: the sample as it was shown (its `choices` in the order shown).
            answer: the declared answer alone, without the reasoning before it.

        Returns:
            The grade. Every gold answer scores 1; an empty answer scores 0.
        """

    def index_of(self, sample_id: str) -> int:
        """Returns the index of the sample named `sample_id`.

        Linear by default; task sets with many rows override it.

        Raises:
            ConfigError: no sample has that id.
        """
        for index in range(len(self)):
            if self[index].id == sample_id:
                return index
        raise ConfigError(f"{self.name} holds no sample with id {sample_id!r}")

    def option_key(self, index: int) -> str:
        """Returns what the order of a sample's options depends on, beside its id; never shown.

        Where options are listed with the right one first, an order that follows from the id alone
        gives the answer away. Task sets over files have a key; where the id alone makes the whole
        sample, as in the procedural twins, there is nothing to hide.
        """
        return ""

    def config_for(self, index: int, config: EnvConfig) -> EnvConfig:
        """Returns the settings that sample `index` is shown with.

        They are the environment's. A mixture whose members are shown at sizes of their own
        replaces the pixel ranges; others than those stay as they are.
        """
        return config

    def fingerprint(self) -> str:
        """Returns a short text that changes when the data behind the task changes."""
        return f"{self.name}:{len(self)}"


def chosen_index(task: Task, options: Mapping[str, Any]) -> int | None:
    """Returns the sample that the options of a reset choose; None where they choose none.

    Args:
        task: where samples come from.
        options: {"index": i}, from 0, or {"id": name}, or nothing.

    Raises:
        ConfigError: there is no such sample, or an option is unknown.
    """
    for name in options:
        if name not in ("index", "id"):
            raise unknown_name("a reset option", name, ("index", "id"))
    if len(options) == 2:
        raise ConfigError("expected the reset option index or id, got both")
    if "id" in options:
        return task.index_of(options["id"])
    if "index" not in options:
        return None
    index = options["index"]
    whole = isinstance(index, int | np.integer) and not isinstance(index, bool)
    if not whole or not 0 <= index < len(task):
        raise ConfigError(f"expected index from 0 to {len(task) - 1}, got {index!r}")
    return int(index)
