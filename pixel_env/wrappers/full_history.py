"""All views at every turn, for a policy that keeps no memory of its own."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
from gymnasium.utils import RecordConstructorArgs

from ..media.rgb import Image
from ..types import Action, Info, Observation


class FullHistory(
    gym.Wrapper[Observation, Action, Observation, Action],
    RecordConstructorArgs,
):
    """`images` holds every view shown so far in the episode, so `first_image` is always 1.

    The numbers of the views stay what they were: entry i of `images` is view i + 1.

    >>> import gymnasium as gym, pixel_env
    >>> env = FullHistory(gym.make("PixelReason-SyntheticSearch-v0"))
    >>> observation, info = env.reset(seed=1)
    >>> observation, *_ = env.step(pixel_env.zoom_in([0, 0, 0.5, 0.5]))
    >>> len(observation["images"]), observation["first_image"]
    (2, 1)
    """

    def __init__(self, env: gym.Env[Observation, Action]) -> None:
        """Wraps an environment whose observations hold only new views."""
        RecordConstructorArgs.__init__(self)
        super().__init__(env)
        self._views: tuple[Image, ...] = ()

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, Info]:
        """Starts an episode; arguments as in `PixelReasoningEnv.reset`."""
        observation, info = self.env.reset(seed=seed, options=options)
        self._views = ()
        return self._with_history(observation), info

    def step(self, action: Action) -> tuple[Observation, float, bool, bool, Info]:
        """Takes one action; see `PixelReasoningEnv.step`."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        return self._with_history(observation), float(reward), terminated, truncated, info

    def _with_history(self, observation: Observation) -> Observation:
        """Returns the observation with copies of all views, so that a caller can't corrupt them."""
        before = self._views[: observation["first_image"] - 1]
        self._views = before + tuple(observation["images"])
        full = observation.copy()
        full["images"] = tuple(view.copy() for view in self._views)
        full["first_image"] = 1
        return full
