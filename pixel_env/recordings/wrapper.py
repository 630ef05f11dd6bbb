"""Records the episodes of an environment as JSON lines with their pictures."""

from __future__ import annotations

import os
from typing import Any

import gymnasium as gym
from gymnasium.utils import RecordConstructorArgs

from ..errors import ConfigError
from ..types import Info, Observation
from .trajectory import TrajectoryFolder, TrajectoryRecord


class RecordTrajectories(
    gym.Wrapper[Observation, Any, Observation, Any],
    RecordConstructorArgs,
):
    """Appends each finished episode to `folder/trajectories.jsonl`, its pictures to `images/`.

    An existing folder is continued, and several environments may share one. Wrap it outermost,
    so that messages and every reward term are seen. What a line holds: `TrajectoryRecord`.

    Attributes:
        folder: where the trajectories go.
        notes: what is added to the records of episodes that start from now on, by name.
        turn_notes: what is added to the record of the next step, by name; then it is empty.

    >>> import tempfile, gymnasium as gym, pixel_env
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     env = RecordTrajectories(gym.make("PixelReason-SyntheticSearch-v0"), folder)
    ...     observation, info = env.reset(seed=1)
    ...     _ = env.step(pixel_env.answer("B"))
    ...     len(env.folder)
    1
    """

    def __init__(
        self,
        env: gym.Env[Observation, Any],
        folder: str | os.PathLike[str],
        every: int = 1,
        image_format: str = "png",
    ) -> None:
        """Wraps an environment.

        Args:
            env: the environment, with whatever wrappers.
            folder: where to write; made where missing.
            every: record the first of each `every` episodes, at least 1.
            image_format: "png" or "jpeg".

        Raises:
            ConfigError: `every` is under 1, the format is unknown, or `folder` is a file.
        """
        RecordConstructorArgs.__init__(
            self, folder=str(folder), every=every, image_format=image_format
        )
        super().__init__(env)
        if every < 1:
            raise ConfigError(f"expected every >= 1, got {every}")
        self.folder = TrajectoryFolder(folder, image_format)
        self.notes: dict[str, Any] = {}
        self.turn_notes: dict[str, Any] = {}
        self._every = every
        self._n_episodes = 0
        self._record: TrajectoryRecord | None = None

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, Info]:
        """Starts an episode; one that was not finished is dropped."""
        observation, info = self.env.reset(seed=seed, options=options)
        self._record = None
        if self._n_episodes % self._every == 0:
            self._record = TrajectoryRecord(self.folder, observation, info, seed, options)
            self._record.note(self.notes)
        self._n_episodes += 1
        return observation, info

    def step(self, action: Any) -> tuple[Observation, float, bool, bool, Info]:
        """Takes one action; see `PixelReasoningEnv.step`."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        if self._record is not None:
            self._record.add(action, observation, float(reward), info, self.turn_notes)
            if terminated or truncated:
                self._record.finish(terminated, truncated, info)
                self._record = None
        self.turn_notes = {}
        return observation, float(reward), terminated, truncated, info
