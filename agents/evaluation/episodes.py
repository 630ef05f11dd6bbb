"""Runs a policy's episodes, several at once, and reads a result out of each."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, cast

import gymnasium as gym
import numpy as np

from pixel_env import PixelReasoningEnv, answer
from pixel_env.controls.base import PASSED
from pixel_env.controls.controls import BlankViews
from pixel_env.evidence import coverage_of
from pixel_env.media.clips import ClipSource
from pixel_env.media.heaps import decoding_threads
from pixel_env.recordings.gold import GoldFile
from pixel_env.recordings.wrapper import RecordTrajectories
from pixel_env.types import Info, Observation, Sample

from ..policies.base import Noting, Policy
from .option_places import chosen_place
from .results import EpisodeResult

Place = tuple[int, int]
"""Which episode: the sample's index and the repeat, both from 0."""


@dataclass(slots=True)
class EvaluationLane:
    """One place where episodes run, one after the other.

    Attributes:
        number: the lane's number, from 0.
        env: the environment with all its wrappers.
        recorder: the wrapper that writes trajectories, where there is one.
        gold: takes the right answers and the evidence of what is recorded.
        place: which episode runs.
        observation: the last one.
        info: the last one.
        n_turns: steps taken.
        terminated: whether the episode ended by an answer.
        ended: whether it is over.
        hidden: numbers of the views that a control showed blank.
        n_replaced: operations that a control replaced or refused.
    """

    number: int
    env: gym.Env[Observation, Any]
    recorder: RecordTrajectories | None = None
    gold: GoldFile | None = None
    place: Place = (-1, 0)
    observation: Observation | None = None
    info: Info = field(default_factory=dict)
    n_turns: int = 0
    terminated: bool = False
    ended: bool = False
    hidden: set[int] = field(default_factory=set)
    n_replaced: int = 0


def run_episodes(
    policy: Policy, lanes: list[EvaluationLane], places: Iterable[Place], seed: int
) -> Iterator[EpisodeResult]:
    """Runs every episode once, and gives a result as soon as it has ended.

    Args:
        policy: what acts.
        lanes: where the episodes run; at least one.
        places: the episodes, in the order in which they start.
        seed: fixes, with its place, what the policy draws in an episode.
    """
    waiting = iter(places)
    free, running = lanes, list[EvaluationLane]()
    with decoding_threads(min(len(lanes), os.cpu_count() or 1)) as threads:
        while True:
            started = list(zip(free, waiting, strict=False))
            for lane, place in started:
                lane.place = place
                policy.reset(lane.number, episode_seed(seed, *place))
            _all(threads.map(reset_lane, [lane for lane, _ in started]))
            running = running + [lane for lane, _ in started]
            if not running:
                return
            actions = _choose(policy, running)
            for lane in running:
                note_message(policy, lane)
            _all(threads.map(step_lane, running, actions))
            free = [lane for lane in running if lane.ended]
            running = [lane for lane in running if not lane.ended]
            yield from (result_of(lane) for lane in free)


def episode_seed(seed: int, index: int, repeat: int = 0) -> int:
    """Returns an episode's own seed, the same whatever lane it runs in."""
    return int(np.random.SeedSequence([seed, index, repeat]).generate_state(1)[0])


def _all(done: Iterable[None]) -> None:
    """Waits for every thread, and raises what one raised."""
    list(done)


def nothing(policy: Policy) -> Any:
    """Returns the action of a lane whose sample can't be read: the policy isn't asked for one."""
    return answer("") if policy.dialect is None else ""


def _choose(policy: Policy, running: list[EvaluationLane]) -> list[Any]:
    """Asks the policy for the lanes' actions; a lane without a readable sample isn't asked."""
    asked = [lane for lane in running if "env_error" not in lane.info]
    observations = [lane.observation for lane in asked if lane.observation is not None]
    numbers = [lane.number for lane in asked]
    given = policy.act(observations, numbers) if asked else ()
    actions = dict(zip(numbers, given, strict=True))
    return [actions.get(lane.number, nothing(policy)) for lane in running]


def reset_lane(lane: EvaluationLane) -> None:
    """Starts the episode of the lane's place."""
    index, repeat = lane.place
    if lane.recorder is not None:
        lane.recorder.notes = {"repeat": repeat}
    lane.observation, lane.info = lane.env.reset(options={"index": index})
    if lane.gold is not None and "env_error" not in lane.info:
        lane.gold.note(index, cast(PixelReasoningEnv, lane.env.unwrapped).history)
    lane.n_turns, lane.terminated, lane.ended = 0, False, False
    lane.hidden, lane.n_replaced = set(), 0


def note_message(policy: Policy, lane: EvaluationLane) -> None:
    """Gives a lane's recorder what the policy notes beside the message that comes next."""
    if lane.recorder is not None and isinstance(policy, Noting):
        lane.recorder.turn_notes = dict(policy.message_facts(lane.number))


def step_lane(lane: EvaluationLane, action: Any) -> None:
    """Takes one action in a lane."""
    lane.observation, _, lane.terminated, truncated, lane.info = lane.env.step(action)
    lane.n_turns += 1
    lane.ended = lane.terminated or truncated
    control = lane.info.get("control", {})
    lane.hidden.update(control.get(BlankViews.name, {}).get("views", ()))
    lane.n_replaced += any(PASSED not in entry for entry in control.values())


def result_of(lane: EvaluationLane) -> EpisodeResult:
    """Reads the result of an ended episode out of its last info, and behind the curtain."""
    info = lane.info
    grade = info.get("grade", {"score": 0.0, "correct": False, "parsed": None})
    env_error = info.get("env_error", "")
    return EpisodeResult(
        index=lane.place[0],
        repeat=lane.place[1],
        sample_id=info["sample_id"],
        category=info["category"],
        answer=info.get("answer"),
        parsed=grade["parsed"],
        score=grade["score"],
        correct=grade["correct"],
        error=grade.get("error"),
        n_calls=info["n_calls"],
        n_operations=info["n_operations"],
        n_operation_errors=info["n_operation_errors"],
        n_turns=lane.n_turns,
        truncated=not lane.terminated and not env_error,
        env_error=env_error,
        n_replaced=lane.n_replaced,
        **({} if env_error else _privileged(lane, grade["parsed"])),
    )


def _privileged(lane: EvaluationLane, parsed: str | None) -> dict[str, Any]:
    """Returns facts that only the sample and the boxes of the views have."""
    env = cast(PixelReasoningEnv, lane.env.unwrapped)
    sample, views = env.sample, env.views
    is_clip = isinstance(sample.media[0], ClipSource)
    found = coverage_of(sample.evidence, views, lane.hidden, is_clip)
    read: dict[str, Any] = {
        "cycle": sample.cycle,
        "question": _question(sample, views[0].image.tobytes()) if sample.cycle else "",
        "n_choices": len(sample.choices),
        "right_choice": sample.right_choice,
        "chosen": chosen_place(parsed, sample.choices),
    }
    if found is not None:
        read |= {
            "coverage": found.share,
            "iou": found.iou,
            "magnification": found.magnification,
        }
    return read


def _question(sample: Sample, pixels: bytes) -> str:
    """Returns the same text for every order of one question's options."""
    text = "\0".join([sample.question, *sorted(sample.choices)]).encode()
    return hashlib.sha256(text + pixels).hexdigest()[:16]
