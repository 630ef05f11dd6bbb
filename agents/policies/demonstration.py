"""An oracle: zooms where the answer is, then gives the right one.

It shows that a sample can be solved within the environment's rules, and what a good trajectory
looks like. It reads the sample behind the environment, so its score is no result of a policy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import gymnasium as gym

from pixel_env.actions import answer, select_frames, zoom_in
from pixel_env.errors import ConfigError
from pixel_env.evidence import MARGIN, evidence_by_picture, widened
from pixel_env.media.clips import ClipSource
from pixel_env.media.geometry import Box
from pixel_env.types import LETTERS, Action, Observation, Sample, View

FULL: Box = (0.0, 0.0, 1.0, 1.0)


class DemonstrationPolicy:
    """Zooms on the evidence with a margin (or selects its frame), then answers right.

    All evidence in one picture is shown by one zoom. Evidence that fills a whole picture needs no
    zoom, and a sample without evidence is answered at once.
    """

    name = "demonstration"
    dialect = None

    def __init__(self, margin: float = MARGIN) -> None:
        """Takes the margin around the evidence, at least 0, as a fraction of its size.

        Raises:
            ConfigError: `margin` is negative.
        """
        if margin < 0:
            raise ConfigError(f"expected margin >= 0, got {margin}")
        self._margin = margin
        self._envs: dict[int, Any] = {}
        self._plans: dict[int, list[Action]] = {}

    def settings(self) -> dict[str, float]:
        """Returns the margin."""
        return {"margin": self._margin}

    def watch(self, lane: int, env: gym.Env[Any, Any]) -> None:
        """Takes the environment of a lane; its `unwrapped.sample` and `.views` are read."""
        self._envs[lane] = env.unwrapped

    def reset(self, lane: int, seed: int | None = None) -> None:
        """Forgets the plan of the lane's last episode."""
        self._plans.pop(lane, None)

    def act(self, observations: Sequence[Observation], lanes: Sequence[int]) -> list[Action]:
        """Gives the next action of every lane's plan.

        Raises:
            ConfigError: `watch` wasn't called for a lane.
        """
        return [
            self._next(observation, lane)
            for observation, lane in zip(observations, lanes, strict=True)
        ]

    def _next(self, observation: Observation, lane: int) -> Action:
        if lane not in self._envs:
            raise ConfigError(f"lane {lane}: call watch(lane, env) before the first episode")
        env = self._envs[lane]
        if lane not in self._plans:
            self._plans[lane] = plan_operations(env.sample, env.views, self._margin)
        plan = self._plans[lane]
        if plan and observation["turns_left"] > 1:
            return plan.pop(0)
        return answer(right_answer(env.sample))


def plan_operations(sample: Sample, views: Sequence[View], margin: float = MARGIN) -> list[Action]:
    """Plans one operation for each view that holds evidence, or is nearest to a frame that does.

    Args:
        sample: the sample as shown.
        views: the views shown at reset, in order.
        margin: added around the evidence, as a fraction of its size.
    """
    shown = [replace(each, image=_nearest(views, each.image)) for each in sample.evidence]
    plan = []
    for number, box in evidence_by_picture(shown).items():
        if box != FULL:
            plan.append(zoom_in(widened(box, margin), target_image=number))
        elif isinstance(sample.media[0], ClipSource):
            plan.append(select_frames([number]))
    return plan


def _nearest(views: Sequence[View], image: int) -> int:
    """Returns the number of the view of a picture, or of the frame nearest to one."""
    return min(range(1, len(views) + 1), key=lambda number: abs(views[number - 1].source - image))


def right_answer(sample: Sample) -> str:
    """Returns the right option's letter, or the first accepted answer."""
    if sample.right_choice is None or sample.right_choice >= len(LETTERS):
        return sample.answers[0]
    return LETTERS[sample.right_choice]
