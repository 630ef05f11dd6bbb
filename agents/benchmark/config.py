"""What a benchmark compares: policies, environments, and how each pair of them is evaluated."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

from pixel_env.errors import ConfigError, unknown_name

from ..evaluation.evaluate import EvaluationConfig
from ..policies.by_name import environment_settings
from ..settings.checks import check_least
from ..settings.kinds import pairs

_LABELLED = re.compile(r"([A-Za-z0-9][\w.+-]*)=(.+)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Entry:
    """A policy or an environment of a benchmark.

    Attributes:
        label: its name in tables, and of its folder.
        name: of a policy, as `make_policy` takes it; of an environment, its Gymnasium id.
        arguments: settings of the policy, or arguments of `gym.make`.
    """

    label: str
    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)

    @property
    def folder(self) -> str:
        """The label as a folder's name."""
        return re.sub(r"[^\w.+-]+", "-", self.label).strip("-.") or "-"


@dataclass(frozen=True, slots=True)
class BenchmarkConfig:
    """What is compared, and where it goes."""

    policies: tuple[Entry, ...]
    """What acts; at least one."""
    environments: tuple[Entry, ...]
    """What it acts in; at least one."""
    out: Path
    """Folder of the benchmark; one that was stopped is gone on with."""
    baseline: str = ""
    """Label of the policy that the others are compared with; "": the first one."""
    samples: int | None = None
    """How many samples of each environment, the first ones; None for all."""
    repeats: int = 1
    """Episodes of each sample."""
    lanes: int = 8
    """Episodes at once in each pair of policy and environment."""
    workers: int = 1
    """Pairs at once, each in a process of its own; 1 runs one after another in this process."""
    seed: int = 0
    """Fixes every random choice of the policies and of the controls."""
    controls: bool = False
    """Whether every pair runs under every control as well."""
    scorers: tuple[Entry, ...] = ()
    """What scores every answer a second time, beside our own score."""

    def __post_init__(self) -> None:
        check_least(self, {"repeats": 1, "lanes": 1, "workers": 1, "seed": 0})
        if self.samples is not None and self.samples < 1:
            raise ConfigError(f"expected samples >= 1 or None, got {self.samples}")
        for what, entries in (("policy", self.policies), ("environment", self.environments)):
            if not entries:
                raise ConfigError(f"expected at least one {what}, got none")
            check_apart(what, entries)
        check_apart("grader", self.scorers)
        if self.baseline and self.baseline not in (each.label for each in self.policies):
            raise unknown_name("baseline", self.baseline, (each.label for each in self.policies))

    @property
    def compared_with(self) -> str:
        """Label of the policy that the others are compared with."""
        return self.baseline or self.policies[0].label


@dataclass(frozen=True, slots=True)
class Cell:
    """One policy on one environment: an evaluation in a folder of its own.

    Attributes:
        policy: what acts.
        environment: what it acts in.
        evaluation: how; its `out` is the cell's folder.
        controls: whether it runs under every control as well.
        scorers: what scores its answers a second time.
    """

    policy: Entry
    environment: Entry
    evaluation: EvaluationConfig
    controls: bool
    scorers: tuple[Entry, ...] = ()

    @property
    def title(self) -> str:
        """Its name for people."""
        return f"{self.policy.label} on {self.environment.label}"

    @property
    def folder(self) -> Path:
        """Where its evaluation is."""
        assert self.evaluation.out is not None  # by `cells_of`
        return self.evaluation.out

    def opinions(self, scorer: Entry) -> Path:
        """Returns the file of a scorer's second scores."""
        return self.folder / "opinions" / f"{scorer.folder}.jsonl"


def cells_of(config: BenchmarkConfig) -> tuple[Cell, ...]:
    """Returns every pair of policy and environment, environment by environment.

    Settings of the environment that a policy was trained with hold where the benchmark gives no
    other, as in an evaluation.

    Raises:
        DataError: what a policy was trained with can't be read.
    """
    return tuple(
        Cell(
            policy,
            environment,
            _evaluation(policy, environment, config),
            config.controls,
            config.scorers,
        )
        for environment, policy in product(config.environments, config.policies)
    )


def entries(
    given: Sequence[str], arguments: Sequence[str], option: str, label_of: Mapping[str, str]
) -> tuple[Entry, ...]:
    """Reads policies or environments of a command line.

    Args:
        given: each as NAME or LABEL=NAME; a label has letters, digits and ``_ . + -``.
        arguments: each as NAME=VALUE, for all of them, or LABEL.NAME=VALUE, for one.
        option: name of the option of `arguments`, for errors.
        label_of: what a name without a label is called; by default as it is.

    Raises:
        ConfigError: an argument has another form.

    Example:
        >>> entries(["random", "often=random"], ["often.look=0.9"], "--policy-arg", {})[1]
        Entry(label='often', name='random', arguments={'look': 0.9})
    """
    named = [_labelled(each, label_of) for each in given]
    labels = [label for label, _ in named]
    own: dict[str, list[str]] = {label: [] for label in labels}
    for argument in arguments:
        label = _addressed(argument, labels)
        for each in own if label is None else [label]:
            own[each].append(argument if label is None else argument[len(label) + 1 :])
    return tuple(Entry(label, name, pairs(own[label], option)) for label, name in named)


def _labelled(given: str, label_of: Mapping[str, str]) -> tuple[str, str]:
    found = _LABELLED.fullmatch(given)
    return (found[1], found[2]) if found else (label_of.get(given, given), given)


def _addressed(argument: str, labels: Sequence[str]) -> str | None:
    """Returns the label that an argument begins with; None where it is for all."""
    fitting = [label for label in labels if argument.startswith(f"{label}.")]
    return max(fitting, key=len, default=None)


def check_apart(what: str, entries: Sequence[Entry]) -> None:
    """Checks that labels tell entries apart, as names of folders too.

    Raises:
        ConfigError: two don't.
    """
    seen: dict[str, Entry] = {}
    for each in entries:
        if other := seen.get(each.folder.casefold()):
            raise ConfigError(
                f"expected labels that tell every {what} apart, got {other.label!r} and "
                f"{each.label!r}; write LABEL=NAME"
            )
        seen[each.folder.casefold()] = each


def _evaluation(policy: Entry, environment: Entry, config: BenchmarkConfig) -> EvaluationConfig:
    return EvaluationConfig(
        env_id=environment.name,
        env_kwargs={**environment_settings(policy.name), **environment.arguments},
        samples=config.samples,
        repeats=config.repeats,
        lanes=config.lanes,
        seed=config.seed,
        out=config.out / "cells" / environment.folder / policy.folder,
    )


def labels_of_ids(ids: Sequence[str]) -> dict[str, str]:
    """Returns what environments are called without a label: their ids without our frame.

    Example:
        >>> labels_of_ids(["PixelReason-VStar-v0", "Mine-v1"])
        {'PixelReason-VStar-v0': 'VStar', 'Mine-v1': 'Mine-v1'}
    """
    return {
        each: each.removeprefix("PixelReason-").removesuffix("-v0")
        if each.startswith("PixelReason-")
        else each
        for each in ids
    }
