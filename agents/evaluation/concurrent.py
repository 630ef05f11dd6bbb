"""Runs the episodes of a policy whose lanes don't wait for each other.

A served model answers one lane in a second and another in a minute. Here each lane goes on as soon
as its own message is there: environments step in a few threads, and the policy's event loop waits
for the messages.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from queue import SimpleQueue
from typing import Any

from pixel_env.errors import ServiceError
from pixel_env.media.heaps import decoding_threads

from ..policies.base import Concurrent, Metered, Policy
from .episodes import (
    EvaluationLane,
    Place,
    episode_seed,
    note_message,
    nothing,
    reset_lane,
    result_of,
    step_lane,
)
from .results import EpisodeResult


def run_concurrently(
    policy: Policy, lanes: list[EvaluationLane], places: Iterable[Place], seed: int
) -> Iterator[EpisodeResult]:
    """Runs every episode once, and gives a result as soon as it has ended.

    An episode whose message doesn't come has a result too, with `service_error` and without a
    trajectory.

    Args:
        policy: what acts; it is `Concurrent`.
        lanes: where the episodes run; at least one.
        places: the episodes, in the order in which they start.
        seed: fixes, with its place, what the policy draws in an episode.

    Raises:
        ServiceError: asking on is no use.
    """
    waiting = iter(places)
    with decoding_threads(min(len(lanes), os.cpu_count() or 1)) as threads:
        turns = _Turns(policy, threads)
        running = sum(turns.begin(lane, seed, waiting) for lane in lanes)
        try:
            while running:
                result = turns.next_result()
                if result is None:
                    continue
                lane, ended = result
                yield ended
                running -= not turns.begin(lane, seed, waiting)
        finally:
            turns.cancel()


@dataclass
class _Turns:
    """The lanes' turns as they come; used by one thread.

    Attributes:
        policy: what acts.
        threads: where environments step.
        arrived: what is done: a turn, which gives the message to wait for, or a message.
        pending: what each lane waits for.
    """

    policy: Policy
    threads: ThreadPoolExecutor
    arrived: SimpleQueue[tuple[EvaluationLane, Future[Any]]] = field(default_factory=SimpleQueue)
    pending: dict[int, Future[Any]] = field(default_factory=dict)

    def begin(self, lane: EvaluationLane, seed: int, waiting: Iterator[Place]) -> bool:
        """Starts the next episode in a lane; returns whether there is one."""
        place = next(waiting, None)
        if place is None:
            return False
        lane.place = place
        self.policy.reset(lane.number, episode_seed(seed, *place))
        self._wait(lane, self.threads.submit(_turn, self.policy, lane))
        return True

    def next_result(self) -> tuple[EvaluationLane, EpisodeResult] | None:
        """Waits until something is done; returns the result where that ended an episode."""
        lane, done = self.arrived.get()
        try:
            found = done.result()
        except ServiceError as fault:
            if fault.stops:
                raise
            return lane, self._metered(lane, _unanswered(lane, str(fault)))
        if isinstance(found, _Ended):
            return lane, self._metered(lane, result_of(lane))
        if not isinstance(found, Future):
            found = self.threads.submit(_turn, self.policy, lane, found)
        self._wait(lane, found)
        return None

    def cancel(self) -> None:
        """Gives up what is waited for, so that no request goes on behind a stopped evaluation."""
        for future in self.pending.values():
            future.cancel()

    def _wait(self, lane: EvaluationLane, future: Future[Any]) -> None:
        self.pending[lane.number] = future
        future.add_done_callback(lambda done: self.arrived.put((lane, done)))

    def _metered(self, lane: EvaluationLane, result: EpisodeResult) -> EpisodeResult:
        if not isinstance(self.policy, Metered):
            return result
        return replace(result, usage=self.policy.usage(lane.number))


class _Ended:
    """Marks a turn after which there is nothing to ask."""


def _turn(policy: Policy, lane: EvaluationLane, *action: Any) -> Any:
    """Begins an episode, or takes an action; then asks for the next one."""
    assert isinstance(policy, Concurrent)  # by `run_concurrently`
    if not action:
        reset_lane(lane)
    else:
        note_message(policy, lane)
        step_lane(lane, *action)
    if lane.ended:
        return _Ended()
    if "env_error" in lane.info or lane.observation is None:
        settled: Future[Any] = Future()
        settled.set_result(nothing(policy))
        return settled
    return policy.ask(lane.observation, lane.number)


def _unanswered(lane: EvaluationLane, reason: str) -> EpisodeResult:
    """Returns the result of an episode that a server left without a message."""
    lane.ended = True
    return replace(
        result_of(lane),
        answer=None, parsed=None, score=0.0, correct=False, truncated=False, service_error=reason,
    )  # fmt: skip
