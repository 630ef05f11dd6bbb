"""SyntheticMix: a mixture of the procedural twins, as the paper trains on a mixture.

Each sample belongs to one of the twins: it is shown at that twin's sizes and graded by its grader.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np

from pixel_env.config import EnvConfig
from pixel_env.errors import ConfigError, unknown_name
from pixel_env.registration import make_task, split_arguments
from pixel_env.task import Task
from pixel_env.task_sets import TASKS
from pixel_env.types import Grade, Sample

from .endless import N_SAMPLES, EndlessTask, Split

DEFAULT_SHARES: Mapping[str, float] = {
    "SyntheticSearch": 1.0,
    "SmallCounting": 1.0,
    "SmallInfographic": 1.0,
    "SmallClip": 1.0,
}
"""One level of each twin, all alike."""

SIZES = ("overview_px", "clip_px", "crop_px", "frame_px")
"""Settings of the environment that each member has its own of."""


class SyntheticMix(Task):
    """A million samples a split, each drawn from one of several twins.

    Categories are "SyntheticSearch_easy", "SmallClip_hard" and so on, so that every table has a
    row for each twin. Ids of samples are those of the twins. A sample is shown at the sizes that
    its twin is registered with, whatever the environment's are.

    >>> task = SyntheticMix(split="test", shares={"SyntheticSearch": 3, "SmallCounting": 1})
    >>> [task[index].category for index in range(3)]
    ['SmallCounting_hard', 'SyntheticSearch_hard', 'SmallCounting_hard']
    >>> task.grade(task[0], task[0].answers[0]).score
    1.0
    """

    name = "SyntheticMix"
    score_name: ClassVar[str] = "score"

    def __init__(
        self,
        split: Split = "train",
        category: str | None = None,
        *,
        shares: Mapping[str, float] | None = None,
        easy_share: float = 0.3,
        options: bool = False,
        seed: int = 0,
    ) -> None:
        """Makes the members; nothing is drawn yet.

        Args:
            split: "train" or "test".
            category: "easy" or "hard" alone; None for the mixture.
            shares: weight of each member, by the name that it is registered under; None for
                `DEFAULT_SHARES`.
            easy_share: share of questions that the overview answers, in [0, 1].
            options: whether four options are shown.
            seed: another seed gives other contents, in another order.

        Raises:
            ConfigError: an argument is out of its range, or a member is no twin.
        """
        self.shares = dict(DEFAULT_SHARES if shares is None else shares)
        weights = np.array(list(self.shares.values()), np.float64)
        if not len(weights) or not np.isfinite(weights).all() or (weights <= 0).any():
            raise ConfigError(f"expected a share over 0 for each twin, got {self.shares}")
        self.split = split
        self.seed = seed
        self._ends = weights.cumsum() / weights.sum()
        arguments = {"split": split, "category": category, "easy_share": easy_share}
        arguments |= {"options": options, "seed": seed}
        made = {name: _member(name, arguments) for name in self.shares}
        self._members = {name: member for name, (member, _) in made.items()}
        self._sizes = {name: sizes for name, (_, sizes) in made.items()}
        self._names = {member.prefix: name for name, member in self._members.items()}
        if len(self._names) < len(self._members):
            raise ConfigError(f"expected each twin once, got {', '.join(self.shares)}")
        self._named = lru_cache(maxsize=256)(self._drawn)

    def __len__(self) -> int:
        """Returns how many samples a split holds: a million."""
        return N_SAMPLES

    def __getitem__(self, index: int) -> Sample:
        """Returns sample `index`, from 0, of the twin that it belongs to."""
        name = self.member_of(index)
        sample = self._members[name][index]
        return replace(sample, category=f"{name}_{sample.category}")

    def grade(self, sample: Sample, answer: str) -> Grade:
        """Grades as the sample's twin does."""
        return self._members[self._owner(sample.id)].grade(sample, answer)

    def config_for(self, index: int, config: EnvConfig) -> EnvConfig:
        """Returns the environment's settings with the sizes of the sample's twin."""
        return config.replaced(**self._sizes[self.member_of(index)])

    def index_of(self, sample_id: str) -> int:
        """Returns the index that is written in the id.

        Raises:
            ConfigError: the mixture holds no such sample.
        """
        name = self._owner(sample_id)
        index = self._members[name].index_of(sample_id)
        if self.member_of(index) != name:
            raise ConfigError(f"{self.name} ({self.split}) holds no sample with id {sample_id!r}")
        return index

    def fingerprint(self) -> str:
        """Returns the shares, and what the members return."""
        members = ";".join(member.fingerprint() for member in self._members.values())
        return f"{self.name}:{self.split}:{self.seed}:{self.shares}:{members}"

    def member_of(self, index: int) -> str:
        """Returns the name of the twin that sample `index`, from 0, belongs to.

        Raises:
            IndexError: there is no such sample.
        """
        if not 0 <= index < N_SAMPLES:
            raise IndexError(f"expected an index from 0 to {N_SAMPLES - 1}, got {index}")
        return self._named(int(index))

    def __getstate__(self) -> dict[str, object]:
        """Leaves the cache behind: it can't be sent to another process."""
        return {name: value for name, value in vars(self).items() if name != "_named"}

    def __setstate__(self, state: dict[str, object]) -> None:
        vars(self).update(state)
        self._named = lru_cache(maxsize=256)(self._drawn)

    def _drawn(self, index: int) -> str:
        """Draws whose sample this is, from a stream of its own."""
        rng = np.random.default_rng((self.seed, 2 if self.split == "train" else 3, index))
        place = int(np.searchsorted(self._ends[:-1], rng.random(), side="right"))
        return list(self.shares)[place]

    def _owner(self, sample_id: str) -> str:
        """Returns the name of the twin whose ids begin as this one does."""
        prefix = sample_id.partition("-")[0]
        if prefix not in self._names:
            raise ConfigError(f"{self.name} ({self.split}) holds no sample with id {sample_id!r}")
        return self._names[prefix]


def _member(
    name: str, arguments: Mapping[str, Any]
) -> tuple[EndlessTask[Any], Mapping[str, tuple[int, int]]]:
    """Makes a twin as it is registered; returns it and the sizes that it is shown at."""
    if name not in TASKS:
        raise unknown_name("twin", name, DEFAULT_SHARES)
    entry_point, defaults = TASKS[name]
    of_task, of_env = split_arguments(entry_point, dict(defaults))
    task = make_task(entry_point, **{**of_task, **arguments}) if _is_twin(entry_point) else None
    if not isinstance(task, EndlessTask):
        raise unknown_name("twin", name, DEFAULT_SHARES)
    return task, {field: of_env[field] for field in SIZES if field in of_env}


def _is_twin(entry_point: str) -> bool:
    """Tells whether a class lies among the twins; others may need files to be made at all."""
    return entry_point.startswith(__package__ or "") and not entry_point.startswith(__name__)
