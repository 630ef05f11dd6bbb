"""Observations and actions of fixed size, for stable-baselines3 and libraries like it."""

from __future__ import annotations

from typing import Any, cast

import gymnasium as gym
import numpy as np
from gymnasium.utils import RecordConstructorArgs
from numpy.typing import NDArray

from ..env import PixelReasoningEnv
from ..errors import ConfigError, OperationError
from ..flat.episode import Memory, decode, encode, remember
from ..flat.spaces import FlatConfig, FlatObservation
from ..media.clips import ClipSource
from ..operations import OPERATIONS
from ..types import Action, Info, Observation
from .full_history import FullHistory

Row = NDArray[np.int64]
"""A flat action: (5,) whole numbers, or more, see `FlatConfig.action_space`."""


class FlatPixelEnv(
    gym.Wrapper[FlatObservation, Row, Observation, Action],
    RecordConstructorArgs,
):
    """A `Dict` of arrays to see, a `MultiDiscrete` to act: what stable-baselines3 takes.

    Observations hold the overview and the newest views, stacked and brought to one size, their
    boxes, counters, and the question as character ids (`FlatConfig.observation_space`). An action
    is five whole numbers: kind, box, target, frame, answer (`FlatConfig.action_space`), and one
    more for each further argument of registered operations; those that its kind doesn't need are
    ignored, and one out of range that it needs is refused like any other mistake of a policy.
    Pictures or frames shown at reset together are put on one sheet, and `frame` names which of them
    is meant.

    An episode that ran out of turns is terminated, not truncated: its counters show the end, and
    nothing can be expected after it. A library that adds the value of what might follow a truncated
    episode would learn never to answer.

    `info` is the environment's, with `n_frames` and the text of `feedback` added.
    `CuriosityReward` can stand on either side of this wrapper.

    Attributes:
        config: the sizes.

    >>> import gymnasium as gym, pixel_env
    >>> env = gym.make("PixelReason-SyntheticSearch-v0")
    >>> env = FlatPixelEnv(env, vocabulary="HJLOTVXZ", n_views=2, scales=(0.25,), stride=1.0)
    >>> observation, info = env.reset(seed=1)
    >>> observation["views"].shape, env.action_space
    ((84, 84, 6), MultiDiscrete([ 2 16  2  1  8]))
    >>> observation, *_, info = env.step(np.array([1, 5, 0, 0, 0]))
    >>> info["executed_box"], observation["boxes"][6:].tolist()
    ((0.25, 0.25, 0.5, 0.5), [1.0, 1.0, 0.25, 0.25, 0.5, 0.5])
    >>> env.step(np.array([0, 0, 0, 0, 3]))[-1]["answer"]
    'O'
    """

    def __init__(
        self,
        env: gym.Env[Observation, Action],
        config: FlatConfig | None = None,
        **settings: Any,
    ) -> None:
        """Wraps an environment.

        Args:
            env: a `PixelReasoningEnv`, wrapped or not.
            config: all sizes at once.
            **settings: fields of `FlatConfig`, instead of a config. What isn't given of
                `n_choices`, `n_pictures` and `has_clips` is what the task's first sample has,
                `max_turns`, `max_views` and `further_operations` are the environment's.

        Raises:
            ConfigError: there is no `PixelReasoningEnv` inside, or a `FullHistory`; a setting is
                unknown or out of range; answers are free and no `vocabulary` is given.
            DataError: there is no config, and the first sample can't be used.
        """
        RecordConstructorArgs.__init__(self, config=config, **settings)
        super().__init__(env)  # type: ignore[arg-type]  # gymnasium types it as the outer one
        if config is not None and settings:
            raise ConfigError(f"expected config or settings, got both: {sorted(settings)}")
        bare = _bare(env)
        self.config = config or FlatConfig.of(_measured(bare) | settings)
        self.observation_space = self.config.observation_space  # type: ignore[assignment]
        self.action_space = self.config.action_space
        self._memory = Memory()

    @property
    def _inner(self) -> gym.Env[Observation, Action]:
        return cast(gym.Env[Observation, Action], self.env)  # gymnasium types it as the outer one

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[FlatObservation, Info]:
        """Starts an episode; arguments as in `PixelReasoningEnv.reset`."""
        observation, info = self._inner.reset(seed=seed, options=options)
        self._memory = remember(self.config, Memory(), observation, None)
        info |= {"n_frames": observation["n_frames"], "feedback": observation["feedback"]}
        return encode(self.config, self._memory, observation), info

    def step(self, action: Row | OperationError) -> tuple[FlatObservation, float, bool, bool, Info]:
        """Takes one row of whole numbers; see `PixelReasoningEnv.step` for the rest.

        Args:
            action: a row, or the `OperationError` of what could not be read as one.
        """
        done: Action | OperationError
        try:
            if isinstance(action, OperationError):
                raise action
            done = decode(self.config, self._memory, action)
        except OperationError as refusal:
            done = refusal  # the environment puts it into the feedback, and counts it
        observation, reward, terminated, truncated, info = self._inner.step(done)  # type: ignore[arg-type]  # as `TextAction` does
        self._memory = remember(self.config, self._memory, observation, done)
        info |= {"n_frames": observation["n_frames"], "feedback": observation["feedback"]}
        flat = encode(self.config, self._memory, observation)
        if truncated and "env_error" not in info:
            terminated, truncated = True, False
        return flat, float(reward), terminated, truncated, info


def _bare(env: gym.Env[Any, Any]) -> PixelReasoningEnv:
    """Returns the environment inside all wrappers, and refuses the wrapper that hinders."""
    inner = env
    while isinstance(inner, gym.Wrapper):
        if isinstance(inner, FullHistory):
            raise ConfigError("expected only new views, got FullHistory inside FlatPixelEnv")
        inner = inner.env
    if not isinstance(inner, PixelReasoningEnv):
        raise ConfigError(f"expected a PixelReasoningEnv to wrap, got {inner}")
    return inner


def _measured(env: PixelReasoningEnv) -> dict[str, Any]:
    """Returns the settings that an environment and the first sample of its task decide."""
    sample = env.task[0]
    built_in = {each.name for each in OPERATIONS}
    is_clip = isinstance(sample.media[0], ClipSource)
    return {
        "n_choices": len(sample.choices),
        "n_pictures": env.config.n_frames if is_clip else len(sample.media),
        "has_clips": is_clip,
        "further_operations": [each.name for each in env.operations if each.name not in built_in],
        "max_turns": env.config.max_turns,
        "max_views": env.config.max_views,
    }
