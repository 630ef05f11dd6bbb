"""Environments whose own spaces are flat: what the ids `PixelReason-...-Flat-v0` make.

Libraries that read the spaces of `env.unwrapped`, or take nothing but an id, see no wrapper.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from typing import Any, ClassVar

import gymnasium as gym
from numpy.typing import NDArray

from ..env import PixelReasoningEnv
from ..flat.spaces import FlatConfig, FlatObservation
from ..registration import make_env
from ..types import Info
from ..vector import Lane, PixelReasoningVectorEnv, make_vector_env
from .flat import FlatPixelEnv, Row

SIZES = frozenset(field.name for field in fields(FlatConfig)) - {"max_turns", "max_views"}
"""Arguments of `gym.make` that are sizes of flat arrays; the others are the environment's."""

EVERY_INFO = (
    *("sample_id", "task", "category", "origin", "feedback", "reward_terms"),
    *("n_calls", "n_operations", "n_operation_errors", "n_views", "n_frames"),
)
"""Keys that the info of every step has."""


class FlatReasoningEnv(gym.Env[FlatObservation, Row]):
    """A `PixelReasoningEnv` behind flat spaces, with nothing to unwrap.

    Observations, actions, rewards and infos are those of `FlatPixelEnv`. `plain_info=True` leaves
    out of the infos what not every step has: buffers such as tianshou's take nothing else.

    Attributes:
        inner: the environment, whose `sample`, `views` and `history` are privileged.
        config: the sizes.

    >>> import gymnasium as gym, pixel_env
    >>> env = gym.make("PixelReason-SyntheticSearch-Flat-v0", n_views=2, max_turns=3)
    >>> env.unwrapped.observation_space["views"].shape, env.unwrapped.action_space
    ((84, 84, 6), MultiDiscrete([ 2 58  2  1  4]))
    """

    metadata: ClassVar[dict[str, Any]] = PixelReasoningEnv.metadata  # type: ignore[misc]

    def __init__(self, env: PixelReasoningEnv, *, plain_info: bool = False, **sizes: Any) -> None:
        """Puts flat spaces before an environment.

        Args:
            env: the environment.
            plain_info: whether infos have the keys in `EVERY_INFO` alone.
            **sizes: as for `FlatPixelEnv`.

        Raises:
            ConfigError: as `FlatPixelEnv`.
            DataError: the first sample can't be used.
        """
        self._flat = FlatPixelEnv(env, **sizes)
        self.inner = env
        self._plain_info = plain_info
        self.config = self._flat.config
        self.render_mode = env.render_mode
        self.observation_space = self.config.observation_space  # type: ignore[assignment]
        self.action_space = self.config.action_space

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[FlatObservation, Info]:
        """Starts an episode; arguments as in `PixelReasoningEnv.reset`."""
        super().reset(seed=seed)
        observation, info = self._flat.reset(seed=seed, options=options)
        return observation, self._info(info)

    def step(self, action: Row) -> tuple[FlatObservation, float, bool, bool, Info]:
        """Takes one row of whole numbers; see `FlatPixelEnv.step`."""
        observation, reward, terminated, truncated, info = self._flat.step(action)
        return observation, reward, terminated, truncated, self._info(info)

    def render(self) -> NDArray[Any] | None:
        """Draws the episode so far; see `PixelReasoningEnv.render`."""
        return self.inner.render()

    def close(self) -> None:
        """Closes the environment."""
        self.inner.close()

    def _info(self, info: Info) -> Info:
        if not self._plain_info:
            return info
        return {name: info[name] for name in EVERY_INFO if name in info}


def make_flat_env(task: Any, **arguments: Any) -> FlatReasoningEnv:
    """Builds an environment with flat spaces: what `gym.make` calls.

    Args:
        task: a `Task` class, or "module:Class".
        **arguments: fields of `FlatConfig`, and `plain_info`; the rest as for `make_env`.

    Raises:
        UnknownArgument: nothing takes an argument.
        ConfigError: answers are free and no `vocabulary` is given, or a size is out of range.
    """
    sizes, others = _split(arguments)
    return FlatReasoningEnv(make_env(task, **others), **sizes)


def make_flat_vector_env(
    num_envs: int,
    *,
    wrappers: Sequence[Callable[[Lane], Lane]] = (),
    **arguments: Any,
) -> PixelReasoningVectorEnv:
    """Builds lanes with flat spaces: what `gym.make_vec` calls.

    Args:
        num_envs: how many lanes.
        wrappers: put around every lane, the first one innermost.
        **arguments: fields of `FlatConfig`, and `plain_info`; the rest as for `make_vector_env`.
    """
    sizes, others = _split(arguments)

    def flat(env: Any) -> Lane:
        return FlatReasoningEnv(env, **sizes)

    return make_vector_env(num_envs, wrappers=[flat, *wrappers], **others)


def _split(arguments: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Sorts arguments into sizes and others."""
    own = SIZES | {"plain_info"}
    sizes = {name: value for name, value in arguments.items() if name in own}
    return sizes, {name: value for name, value in arguments.items() if name not in own}
