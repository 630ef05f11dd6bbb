"""Runs a policy over the samples of an environment, and scores it."""

from __future__ import annotations

import platform
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

import gymnasium as gym

from pixel_env import PixelReasoningEnv
from pixel_env.controls.controls import CONTROLS, add_controls
from pixel_env.errors import ConfigError, unknown_name
from pixel_env.files.json_values import plain
from pixel_env.files.lock import only_writer
from pixel_env.recordings.gold import GoldFile
from pixel_env.recordings.trajectory import TrajectoryFolder
from pixel_env.recordings.wrapper import RecordTrajectories
from pixel_env.registration import make_bare
from pixel_env.types import Observation
from pixel_env.wrappers.text_action import TextAction

from ..policies.base import Concurrent, Configured, Described, Policy, Privileged
from .concurrent import run_concurrently
from .control_scores import ControlScores
from .costs import fingerprints
from .episodes import EvaluationLane, run_episodes
from .folder import EvaluationFolder
from .manifest import git_revision, package_versions
from .report import find, report, summary
from .results import EpisodeResult
from .scores import Scores, score_table

MOST_UNASKED = 100_000
"""A task with more samples than this is endless; how many to evaluate must then be given."""

OnResult = Callable[[EpisodeResult, int], None]
"""Takes a result as soon as its episode has ended, and how many there will be."""


@dataclass(frozen=True, slots=True)
class EvaluationConfig:
    """What to evaluate on."""

    env_id: str
    """A Gymnasium id such as "PixelReason-VStar-v0"."""
    env_kwargs: Mapping[str, Any] = field(default_factory=dict)
    """Arguments of `gym.make`."""
    samples: int | None = None
    """How many samples, the first ones in index order; None for all."""
    repeats: int = 1
    """Episodes of each sample, each with a policy seed of its own; for sampled policies."""
    lanes: int = 1
    """Episodes that run at once, at least 1. It changes how long it takes; the result of a policy
    that keeps its lanes apart is the same."""
    seed: int = 0
    """Fixes every random choice of the policy and of the controls."""
    control: tuple[str, ...] = ()
    """Controls that the environment is wrapped in, names in `CONTROLS`, the first one innermost."""
    out: Path | None = None
    """Folder for trajectories, results, manifest and report; None writes nothing. One that holds an
    evaluation of the same settings, or of fewer samples or repeats, is gone on with."""
    image_format: str = "png"
    """Of the pictures in the trajectories, "png" or "jpeg"."""

    def __post_init__(self) -> None:
        if self.samples is not None and self.samples < 1:
            raise ConfigError(f"expected samples >= 1 or None, got {self.samples}")
        for name, least in (("repeats", 1), ("lanes", 1), ("seed", 0)):
            if getattr(self, name) < least:
                raise ConfigError(f"expected {name} >= {least}, got {getattr(self, name)}")
        for control in self.control:
            if control not in CONTROLS:
                raise unknown_name("a control", control, CONTROLS)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The result of an evaluation.

    Attributes:
        results: one for each episode, in the order of index and repeat.
        table: scores of all episodes, then of each category.
        manifest: everything that the result depends on; it can be written as JSON.
    """

    results: tuple[EpisodeResult, ...]
    table: tuple[Scores, ...]
    manifest: dict[str, Any]

    @property
    def overall(self) -> Scores:
        """The scores of all episodes together."""
        return self.table[0]


def evaluate(
    policy: Policy, config: EvaluationConfig, on_result: OnResult | None = None
) -> Evaluation:
    """Runs a policy over an environment's samples and scores it.

    Args:
        policy: what acts; a `Privileged` one is given the environments.
        config: what to evaluate on.
        on_result: called for each episode, those of an earlier session first.

    Raises:
        ConfigError: the environment can't be made, an endless one is evaluated whole, or the
            folder holds an evaluation with other settings, or is in use by another process.
        ServiceError: the policy's server is lost; what is done is in the folder.
    """
    with only_writer(config.out) if config.out else nullcontext():
        return _evaluated(policy, config, on_result)


def _evaluated(policy: Policy, config: EvaluationConfig, on_result: OnResult | None) -> Evaluation:
    first = make_bare(config.env_id, **config.env_kwargs)
    n_samples = _n_samples(first, config)
    manifest = _manifest(policy, config, first, n_samples)
    folder = None if config.out is None else EvaluationFolder(config.out, manifest)
    results = list(folder.results) if folder else []
    n_episodes = n_samples * config.repeats
    note = on_result or (lambda *_: None)
    for result in results:
        note(result, n_episodes)
    done = {result.place for result in results}
    if len(done) < n_episodes:
        lanes = _make_lanes(policy, config, first, min(config.lanes, n_episodes - len(done)))
        every = product(range(n_samples), range(config.repeats))
        left = (place for place in every if place not in done)
        run = run_concurrently if isinstance(policy, Concurrent) else run_episodes
        for result in run(policy, lanes, left, config.seed):
            results.append(result)
            if folder:
                folder.add(result)
            note(result, n_episodes)
    results.sort(key=lambda result: result.place)
    if seen := fingerprints(results):
        manifest["server_fingerprints"] = seen
    evaluation = Evaluation(tuple(results), score_table(results), manifest)
    if folder and not (folder.is_reported and len(done) == n_episodes):
        folder.finish(manifest)
        write_report(evaluation, folder)
    return evaluation


def describe(policy: Policy, config: EvaluationConfig) -> dict[str, Any]:
    """Returns the manifest that an evaluation would have; runs nothing.

    Raises:
        ConfigError: as `evaluate`.
    """
    first = make_bare(config.env_id, **config.env_kwargs)
    return _manifest(policy, config, first, _n_samples(first, config))


def write_report(
    evaluation: Evaluation, folder: EvaluationFolder, controls: tuple[ControlScores, ...] = ()
) -> None:
    """Writes `report.md` and `summary.json`, with the runs under controls where there are any."""
    findings = find(evaluation.results, controls)
    folder.report(report(findings, evaluation.manifest), summary(findings, evaluation.manifest))


def _n_samples(env: PixelReasoningEnv, config: EvaluationConfig) -> int:
    n_samples = len(env.task)
    if config.samples is None and n_samples > MOST_UNASKED:
        raise ConfigError(f"{config.env_id} has {n_samples:,} samples; say how many to evaluate")
    return n_samples if config.samples is None else min(config.samples, n_samples)


def _make_lanes(
    policy: Policy, config: EvaluationConfig, first: PixelReasoningEnv, n_lanes: int
) -> list[EvaluationLane]:
    """Makes the lanes' environments; they share one task, so its rows are read once."""
    lanes = []
    gold = (
        None if config.out is None else GoldFile(TrajectoryFolder(config.out, config.image_format))
    )
    for number in range(n_lanes):
        bare = PixelReasoningEnv(first.task, first.config) if number else first
        env: gym.Env[Observation, Any] = add_controls(bare, config.control, config.seed)
        if policy.dialect is not None:
            env = TextAction(env, policy.dialect)
        recorder = None
        if config.out is not None:
            env = recorder = RecordTrajectories(env, config.out, image_format=config.image_format)
        if isinstance(policy, Privileged):
            policy.watch(number, env)
        lanes.append(EvaluationLane(number, env, recorder, gold))
    return lanes


def _manifest(
    policy: Policy, config: EvaluationConfig, env: PixelReasoningEnv, n_samples: int
) -> dict[str, Any]:
    manifest = {
        "env_id": config.env_id,
        "env_kwargs": config.env_kwargs,
        "env_config": asdict(env.config),
        "task": env.task.name,
        "score_name": env.task.score_name,
        "data": env.task.fingerprint(),
        "samples": n_samples,
        "repeats": config.repeats,
        "control": config.control,
        "policy": policy.name,
        "privileged": isinstance(policy, Privileged),
        "dialect": policy.dialect,
        "policy_settings": policy.settings() if isinstance(policy, Configured) else {},
        "policy_facts": policy.facts() if isinstance(policy, Described) else {},
        "seed": config.seed,
        "lanes": config.lanes,
        "image_format": config.image_format,
        "machine": platform.machine(),
        "packages": package_versions(),
        "git_revision": git_revision(),
    }
    cleaned: dict[str, Any] = plain(manifest, "manifest", other=str)
    return cleaned
