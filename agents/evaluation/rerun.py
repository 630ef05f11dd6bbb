"""Runs an evaluation again from its manifest, and compares the results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pixel_env.errors import ConfigError

from ..policies.by_name import remake_policy
from ..settings.comparison import differences
from .evaluate import EvaluationConfig, OnResult, describe, evaluate
from .folder import MANIFEST, NOTED, RESULTS
from .manifest import check_runnable, read_manifest
from .results import EpisodeResult, read_results

MAY_DIFFER = ("packages", "git_revision", "machine")
"""Entries of a manifest that may differ from those of today: they are warned of."""


@dataclass(frozen=True, slots=True)
class Rerun:
    """The result of running an evaluation again.

    Attributes:
        n: episodes compared.
        warnings: entries of the manifest that are others today, as sentences.
        differences: what is not as it was, one sentence an episode; empty where all is identical.
    """

    n: int
    warnings: tuple[str, ...]
    differences: tuple[str, ...]

    @property
    def is_identical(self) -> bool:
        """Whether every result is as it was."""
        return not self.differences


def rerun(
    path: Path, out: Path | None = None, on_result: OnResult | None = None, imported: str = ""
) -> Rerun:
    """Makes environment and policy from a manifest, runs them, and compares the results.

    Args:
        path: a manifest, with the results beside it, or the folder of both.
        out: folder for what the new run writes; None writes nothing.
        on_result: called for each episode.
        imported: the import path of a policy of the user's own, where the manifest names one.

    Raises:
        ConfigError: the policy or the environment can't be made, or something that decides the
            results is another one than it was (the data, the weights, the prompt, ...).
        DataError: manifest or results can't be read.
    """
    file = path / MANIFEST if path.is_dir() else path
    manifest = read_manifest(file)
    check_runnable(manifest, file)
    expected = read_results((path if path.is_dir() else path.parent) / RESULTS)
    policy = remake_policy(manifest, imported)
    config = _config(manifest, out)
    changed = differences(manifest, describe(policy, config), NOTED)
    decisive = [each for each in changed if each.name.partition(".")[0] not in MAY_DIFFER]
    if decisive:
        changes = "; ".join(str(each) for each in decisive)
        raise ConfigError(f"{path} can't be run again, what decides its results changed: {changes}")
    results = evaluate(policy, config, on_result).results
    return Rerun(len(results), tuple(map(str, changed)), compare_results(expected, results))


def compare_results(
    expected: Sequence[EpisodeResult], results: Sequence[EpisodeResult]
) -> tuple[str, ...]:
    """Returns one sentence for each episode whose results differ; nothing where they are equal."""
    before = {result.place: result for result in expected}
    after = {result.place: result for result in results}
    sentences = []
    for place in sorted(before.keys() | after.keys()):
        old, new = before.get(place), after.get(place)
        if old is None or new is None:
            where = "saved results" if old is None else "new results"
            sentences.append(f"{_name(old or new)}: missing in the {where}")
        elif old != new:
            fields = differences(asdict(old), asdict(new), ("usage",))
            sentences.append(f"{_name(old)}: " + ", ".join(str(field) for field in fields))
    return tuple(sentences)


def _name(result: EpisodeResult | None) -> str:
    if result is None:
        return "an episode"
    return result.sample_id if not result.repeat else f"{result.sample_id} (repeat {result.repeat})"


def _config(manifest: Mapping[str, Any], out: Path | None) -> EvaluationConfig:
    return EvaluationConfig(
        env_id=manifest["env_id"],
        env_kwargs=manifest["env_kwargs"],
        samples=manifest["samples"],
        repeats=manifest["repeats"],
        lanes=manifest["lanes"],
        seed=manifest["seed"],
        control=tuple(manifest["control"]),
        out=out,
        image_format=manifest["image_format"],
    )
