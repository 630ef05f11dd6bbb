"""Runs a policy over the samples of an environment, each exactly once, and scores it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np

import pixel_env
from pixel_env.errors import ConfigError
from pixel_env.types import Info, Observation
from pixel_env.wrappers.record import RecordTrajectories
from pixel_env.wrappers.text_action import TextAction
from pixel_env.wrappers.trajectory import FILE_NAME

from .manifest import git_revision, package_versions, plain
from .policies.base import Configured, Policy, Privileged
from .scores import EpisodeResult, Scores, markdown_table, score_table

MOST_UNASKED = 100_000
"""A task with more samples than this is endless; how many to evaluate must then be said."""


@dataclass(frozen=True, slots=True)
class EvaluationConfig:
    """What to evaluate on.

    Attributes:
        env_id: a Gymnasium id such as "PixelReason-VStar-v0".
        env_kwargs: arguments of `gym.make`.
        samples: how many samples, the first ones in index order; None for all.
        lanes: episodes that run at once, at least 1. It changes how long it takes; the result of
            a policy that keeps its lanes apart is the same.
        seed: fixes every random choice of the policy.
        out: folder for trajectories, manifest and report; None writes nothing.
        image_format: of the pictures in the trajectories, "png" or "jpeg".
    """

    env_id: str
    env_kwargs: Mapping[str, Any] = field(default_factory=dict)
    samples: int | None = None
    lanes: int = 1
    seed: int = 0
    out: Path | None = None
    image_format: str = "png"

    def __post_init__(self) -> None:
        if self.samples is not None and self.samples < 1:
            raise ConfigError(f"expected samples >= 1 or None, got {self.samples}")
        if self.lanes < 1:
            raise ConfigError(f"expected lanes >= 1, got {self.lanes}")
        if self.seed < 0:
            raise ConfigError(f"expected seed >= 0, got {self.seed}")
        if self.out is not None and (self.out / "manifest.json").exists():
            raise ConfigError(f"{self.out} already holds an evaluation; choose another folder")


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What came of it.

    Attributes:
        results: one for each sample, in index order.
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


@dataclass(slots=True)
class _Lane:
    """One place where episodes run, one after the other."""

    number: int
    env: gym.Env[Observation, Any]
    index: int = -1
    observation: Observation | None = None
    info: Info = field(default_factory=dict)
    n_turns: int = 0
    terminated: bool = False
    ended: bool = False


def evaluate(
    policy: Policy,
    config: EvaluationConfig,
    on_result: Callable[[EpisodeResult, int], None] | None = None,
) -> Evaluation:
    """Runs a policy over an environment's samples and scores it.

    Args:
        policy: what acts; a `Privileged` one is given the environments.
        config: what to evaluate on.
        on_result: called after each episode with its result and how many there will be.

    Raises:
        ConfigError: the environment can't be made, or an endless one is evaluated whole.
    """
    first = gym.make(config.env_id, **config.env_kwargs).unwrapped
    if not isinstance(first, pixel_env.PixelReasoningEnv):
        raise ConfigError(f"expected a PixelReasoningEnv behind {config.env_id!r}, got {first}")
    n_samples = _n_samples(first, config)
    manifest = _manifest(policy, config, first, n_samples)
    if config.out is not None:
        config.out.mkdir(parents=True, exist_ok=True)
        _write_json(config.out / "manifest.json", manifest)
    lanes = _make_lanes(policy, config, first, min(config.lanes, n_samples))
    results = []
    for result in _run(policy, lanes, n_samples, config.seed):
        results.append(result)
        if on_result is not None:
            on_result(result, n_samples)
    results.sort(key=lambda result: result.index)
    evaluation = Evaluation(tuple(results), score_table(results), manifest)
    if config.out is not None:
        _write(evaluation, config.out)
    return evaluation


def _n_samples(env: pixel_env.PixelReasoningEnv, config: EvaluationConfig) -> int:
    held = len(env.task)
    if config.samples is None and held > MOST_UNASKED:
        raise ConfigError(f"{config.env_id} has {held:,} samples; say how many to evaluate")
    return held if config.samples is None else min(config.samples, held)


def _make_lanes(
    policy: Policy, config: EvaluationConfig, first: pixel_env.PixelReasoningEnv, n_lanes: int
) -> list[_Lane]:
    """Makes the lanes' environments; they share one task, so its rows are read once."""
    lanes = []
    for number in range(n_lanes):
        bare = pixel_env.PixelReasoningEnv(first.task, first.config) if number else first
        env: gym.Env[Observation, Any] = bare
        if policy.dialect is not None:
            env = TextAction(bare, policy.dialect)
        if config.out is not None:
            env = RecordTrajectories(env, config.out, image_format=config.image_format)
        if isinstance(policy, Privileged):
            policy.watch(number, env)
        lanes.append(_Lane(number, env))
    return lanes


def _run(policy: Policy, lanes: list[_Lane], n_samples: int, seed: int) -> Iterator[EpisodeResult]:
    """Runs every sample once, and gives a result as soon as its episode has ended."""
    indices = iter(range(n_samples))
    free, running = lanes, list[_Lane]()
    with ThreadPoolExecutor(min(len(lanes), os.cpu_count() or 1)) as threads:
        while True:
            started = list(zip(free, indices, strict=False))
            for lane, index in started:
                lane.index = index
                policy.reset(lane.number, _episode_seed(seed, index))
            list(threads.map(_reset, [lane for lane, _ in started]))
            running = running + [lane for lane, _ in started]
            if not running:
                return
            list(threads.map(_step, running, _choose(policy, running)))
            free = [lane for lane in running if lane.ended]
            running = [lane for lane in running if not lane.ended]
            yield from (_result(lane) for lane in free)


def _choose(policy: Policy, running: list[_Lane]) -> list[Any]:
    """Asks the policy for the lanes' actions; a lane without a readable sample isn't asked."""
    asked = [lane for lane in running if "env_error" not in lane.info]
    observations = [lane.observation for lane in asked if lane.observation is not None]
    numbers = [lane.number for lane in asked]
    said = policy.act(observations, numbers) if asked else ()
    actions = dict(zip(numbers, said, strict=True))
    nothing = pixel_env.answer("") if policy.dialect is None else ""
    return [actions.get(lane.number, nothing) for lane in running]


def _reset(lane: _Lane) -> None:
    lane.observation, lane.info = lane.env.reset(options={"index": lane.index})
    lane.n_turns, lane.terminated, lane.ended = 0, False, False


def _step(lane: _Lane, action: Any) -> None:
    lane.observation, _, lane.terminated, truncated, lane.info = lane.env.step(action)
    lane.n_turns += 1
    lane.ended = lane.terminated or truncated


def _result(lane: _Lane) -> EpisodeResult:
    """Reads the result of an ended episode out of its last info."""
    info = lane.info
    grade = info.get("grade", {"score": 0.0, "correct": False, "parsed": None})
    env_error = info.get("env_error", "")
    return EpisodeResult(
        index=lane.index,
        sample_id=info["sample_id"],
        category=info["category"],
        answer=info.get("answer"),
        parsed=grade["parsed"],
        score=grade["score"],
        correct=grade["correct"],
        n_calls=info["n_calls"],
        n_operations=info["n_operations"],
        n_operation_errors=info["n_operation_errors"],
        n_turns=lane.n_turns,
        truncated=not lane.terminated and not env_error,
        env_error=env_error,
    )


def _episode_seed(seed: int, index: int) -> int:
    """Returns an episode's own seed, the same whatever lane it runs in."""
    return int(np.random.SeedSequence([seed, index]).generate_state(1)[0])


def _manifest(
    policy: Policy, config: EvaluationConfig, env: pixel_env.PixelReasoningEnv, n_samples: int
) -> dict[str, Any]:
    settings = policy.settings() if isinstance(policy, Configured) else {}
    manifest = {
        "env_id": config.env_id,
        "env_kwargs": config.env_kwargs,
        "env_config": asdict(env.config),
        "task": env.task.name,
        "data": env.task.fingerprint(),
        "samples": n_samples,
        "policy": policy.name,
        "privileged": isinstance(policy, Privileged),
        "dialect": policy.dialect,
        "policy_settings": settings,
        "seed": config.seed,
        "lanes": config.lanes,
        "packages": package_versions(),
        "git_revision": git_revision(),
    }
    cleaned: dict[str, Any] = plain(manifest)
    return cleaned


def _write(evaluation: Evaluation, out: Path) -> None:
    """Writes results and report, and brings the trajectories into index order."""
    lines = [json.dumps(asdict(result)) + "\n" for result in evaluation.results]
    (out / "results.jsonl").write_text("".join(lines), encoding="utf-8")
    (out / "report.md").write_text(report(evaluation), encoding="utf-8")
    trajectories = out / FILE_NAME
    recorded = trajectories.read_text(encoding="utf-8").splitlines(keepends=True)
    recorded.sort(key=lambda line: json.loads(line)["options"]["index"])
    trajectories.write_text("".join(recorded), encoding="utf-8")


def report(evaluation: Evaluation) -> str:
    """Writes an evaluation as Markdown: its table, and what it was run on."""
    manifest = evaluation.manifest
    lines = [
        f"# {manifest['policy']} on {manifest['env_id']}",
        "",
        markdown_table({scores.group: scores for scores in evaluation.table}),
        f"{manifest['samples']} samples of `{manifest['data']}`, seed {manifest['seed']}, "
        f"dialect {manifest['dialect'] or 'none (structured actions)'}, revision "
        f"{manifest['git_revision'] or 'unknown'}. All settings are in `manifest.json`.",
    ]
    if manifest["privileged"]:
        lines += ["", "This policy reads the answer behind the environment: it is an oracle."]
    faults = [result for result in evaluation.results if result.env_error]
    if faults:
        lines += ["", "Left out, because the data could not be read:", ""]
        lines += [f"- {result.sample_id}: {result.env_error}" for result in faults]
    return "\n".join(lines) + "\n"


def _write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, indent=2, sort_keys=True) + "\n", encoding="utf-8")
