"""Chance: valid operations and then an answer, all drawn at random."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from pixel_env.actions import answer, select_frames, zoom_in
from pixel_env.errors import ConfigError
from pixel_env.types import LETTERS, Action, Observation

SHORTEST_SIDE = 0.3
"""Smallest side of a random box, as a fraction of the view; smaller ones may be refused."""

MOST_FRAMES = 4
"""Most frames that one random selection asks for."""


@dataclass
class _LaneState:
    """What is remembered of one episode."""

    rng: np.random.Generator = field(default_factory=np.random.default_rng)
    n_overviews: int = 0


class RandomPolicy:
    """Makes a random call with probability `look`, else answers a random option.

    It zooms only into the views shown first, where every box that it draws is allowed. A question
    without options is answered with one of its own words.
    """

    name = "random"
    dialect = None

    def __init__(self, look: float = 0.5) -> None:
        """Takes the probability of one more call, in [0, 1].

        Raises:
            ConfigError: `look` is outside [0, 1].
        """
        if not 0 <= look <= 1:
            raise ConfigError(f"expected look in [0, 1], got {look}")
        self._look = look
        self._lanes: dict[int, _LaneState] = {}

    def settings(self) -> dict[str, float]:
        """Returns the probability of one more call."""
        return {"look": self._look}

    def reset(self, lane: int, seed: int | None = None) -> None:
        """Starts an episode with a random generator of its own."""
        self._lanes[lane] = _LaneState(np.random.default_rng(seed))

    def act(self, observations: Sequence[Observation], lanes: Sequence[int]) -> list[Action]:
        """Draws one action for each lane; the last turn is always an answer."""
        return [
            self._draw(observation, self._lanes.setdefault(lane, _LaneState()))
            for observation, lane in zip(observations, lanes, strict=True)
        ]

    def _draw(self, observation: Observation, lane: _LaneState) -> Action:
        rng = lane.rng
        if lane.n_overviews == 0:
            lane.n_overviews = len(observation["images"])
        may_call = observation["turns_left"] > 1 and lane.n_overviews > 0
        if not may_call or rng.random() >= self._look:
            return _random_answer(observation, rng)
        n_frames = observation["n_frames"]
        if n_frames and rng.random() < 0.5:
            count = int(rng.integers(1, min(MOST_FRAMES, n_frames) + 1))
            frames = rng.choice(n_frames, size=count, replace=False) + 1
            return select_frames([int(frame) for frame in frames])
        width, height = rng.uniform(SHORTEST_SIDE, 1, size=2)
        x1, y1 = rng.uniform(0, 1 - width), rng.uniform(0, 1 - height)
        target = int(rng.integers(1, lane.n_overviews + 1))
        return zoom_in([x1, y1, x1 + width, y1 + height], target_image=target)


def _random_answer(observation: Observation, rng: np.random.Generator) -> Action:
    choices = observation["choices"]
    if choices:
        index = int(rng.integers(len(choices)))
        return answer(LETTERS[index] if index < len(LETTERS) else choices[index])
    candidates = observation["question"].split() or [""]
    return answer(candidates[int(rng.integers(len(candidates)))])
