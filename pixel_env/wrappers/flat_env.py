"""Environments whose own spaces are flat: what the ids `PixelReason-...-Flat-v0` make.

Libraries that read the spaces of `env.unwrapped`, or take nothing but an id, see no wrapper.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from typing import Any, ClassVar, cast

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from ..env import PixelReasoningEnv
from ..errors import OperationError
from ..flat.one_array import OneArray, array_space, as_one_array, slices
from ..flat.one_number import action_rows
from ..flat.spaces import FlatConfig, FlatObservation
from ..reading import described
from ..registration import make_env
from ..types import Info
from ..vector import Lane, PixelReasoningVectorEnv, make_vector_env
from .flat import FlatPixelEnv, Row

SIZES = frozenset(field.name for field in fields(FlatConfig)) - {"max_turns", "max_views"}
"""Arguments of `gym.make` that are sizes of flat arrays; the others are the environment's."""

_NO_BOX = (0.0, 0.0, 0.0, 0.0)

NEUTRAL: Info = {
    **dict.fromkeys(("sample_id", "task", "category", "origin", "feedback"), ""),
    **dict.fromkeys(("n_calls", "n_operations", "n_operation_errors", "n_views", "n_frames"), 0),
    **dict.fromkeys(("operation", "operation_error", "env_error", "answer"), ""),
    **dict.fromkeys(("requested_box", "executed_box", "view_box"), _NO_BOX),
    "target_image": 0,
    "clamped": False,
    "reward_terms": {"score": 0.0},
    "grade": {"score": 0.0, "correct": False, "parsed": ""},
}
"""What stands in an info for what a step doesn't have."""


class FlatReasoningEnv(gym.Env[FlatObservation | OneArray, Row | int]):
    """A `PixelReasoningEnv` behind flat spaces, with nothing to unwrap.

    An observation is one array of numbers in [0, 1] (`flat.one_array`), an action one whole number
    (`flat.one_number`): the spaces that every library takes. With `as_dict` observations are the
    arrays of `FlatPixelEnv`, with `as_row` actions are its rows. Rewards and ends are its own.

    Every info, that of `reset` too, has the keys of `NEUTRAL`, `frames` ((n_pictures,) numbers of
    the selected frames) and `views_added` ((max_views,) numbers of the new views), with values of
    one type and length: 0, "" and the like where a step has nothing to say. So they can be stacked,
    as the buffers of libraries do. Facts of registered operations and the `error` of a grade, which
    have no such value, are in the infos of `FlatPixelEnv` alone.

    Attributes:
        inner: the environment, whose `sample`, `views` and `history` are privileged.
        config: the sizes.
        slices: where each array of `FlatPixelEnv` is in the one array.
        rows: (n_actions, 5 or more), the row of `FlatPixelEnv` that each action stands for; empty
            with `as_row`.

    >>> import gymnasium as gym, pixel_env
    >>> env = gym.make("PixelReason-SyntheticSearch-Flat-v0", n_views=2, max_turns=3)
    >>> env.observation_space.shape, env.unwrapped.slices["views"], env.action_space
    ((52720,), slice(10384, 52720, None), Discrete(120))
    >>> env.unwrapped.rows[[0, 3, 4]].tolist()  # the first option, the last, the first zoom
    [[0, 0, 0, 0, 0], [0, 0, 0, 0, 3], [1, 0, 0, 0, 0]]
    """

    metadata: ClassVar[dict[str, Any]] = PixelReasoningEnv.metadata  # type: ignore[misc]

    def __init__(
        self,
        env: PixelReasoningEnv,
        *,
        as_dict: bool = False,
        as_row: bool = False,
        **sizes: Any,
    ) -> None:
        """Puts flat spaces before an environment.

        Args:
            env: the environment.
            as_dict: whether observations are a `Dict` of arrays, for networks that read pictures
                and texts each in its way.
            as_row: whether an action is a row of numbers, a `MultiDiscrete`, for networks that
                choose box, target and answer apart.
            **sizes: as for `FlatPixelEnv`.

        Raises:
            ConfigError: as `FlatPixelEnv`, or there are too many actions to number them.
            DataError: the first sample can't be used.
        """
        self._flat = FlatPixelEnv(env, **sizes)
        self.inner = env
        self._as_dict, self._as_row = as_dict, as_row
        self.config = self._flat.config
        self.slices = slices(self.config)
        self.render_mode = env.render_mode
        space = self.config.observation_space if as_dict else array_space(self.config)
        self.observation_space = space  # type: ignore[assignment]
        row_space = self.config.action_space
        self.rows = action_rows(self.config) if not as_row else np.empty((0, *row_space.shape), int)
        number_space = spaces.Discrete(len(self.rows) or 1)
        self.action_space = row_space if as_row else number_space  # type: ignore[assignment]

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[FlatObservation | OneArray, Info]:
        """Starts an episode; arguments as in `PixelReasoningEnv.reset`."""
        super().reset(seed=seed)
        observation, info = self._flat.reset(seed=seed, options=options)
        return self._seen(observation), self._info(info)

    def step(self, action: Row | int) -> tuple[FlatObservation | OneArray, float, bool, bool, Info]:
        """Takes one whole number, or with `as_row` a row of them; see `FlatPixelEnv.step`."""
        row = cast(Row, action) if self._as_row else self._row(action)
        observation, reward, terminated, truncated, info = self._flat.step(row)
        return self._seen(observation), reward, terminated, truncated, self._info(info)

    def render(self) -> NDArray[Any] | None:
        """Draws the episode so far; see `PixelReasoningEnv.render`."""
        return self.inner.render()

    def close(self) -> None:
        """Closes the environment."""
        self.inner.close()

    def _row(self, action: Any) -> Row | OperationError:
        """Returns the row that an action stands for; what is no action is a policy's mistake."""
        most = len(self.rows) - 1
        try:
            number = operator.index(action)
        except TypeError:
            return OperationError(
                "malformed",
                f"An action is a whole number from 0 to {most}, got {described(action)}.",
            )
        if not 0 <= number <= most:
            return OperationError(
                "unknown_operation", f"An action must be 0 to {most}, got {number}."
            )
        return cast(Row, self.rows[number])

    def _seen(self, observation: FlatObservation) -> FlatObservation | OneArray:
        return observation if self._as_dict else as_one_array(self.slices, observation)

    def _info(self, info: Info) -> Info:
        """Returns an info with every key, and values that can be stacked."""
        stacked: Info = {name: info.get(name, nothing) for name, nothing in NEUTRAL.items()}
        grade = stacked["grade"]
        stacked["grade"] = {name: grade[name] for name in ("score", "correct")}
        stacked["grade"]["parsed"] = grade["parsed"] or ""  # None where it could not be read
        stacked["reward_terms"] = dict(stacked["reward_terms"])
        most = {"frames": self.config.n_pictures, "views_added": self.config.max_views}
        for name, n in most.items():
            stacked[name] = (*info.get(name, ()), *[0] * n)[:n]
        return stacked


def make_flat_env(task: Any, **arguments: Any) -> FlatReasoningEnv:
    """Builds an environment with flat spaces: what `gym.make` calls.

    Args:
        task: a `Task` class, or "module:Class".
        **arguments: fields of `FlatConfig`, `as_dict` and `as_row`; the rest as for `make_env`.

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
        **arguments: fields of `FlatConfig`, `as_dict` and `as_row`; the rest as for
            `make_vector_env`.
    """
    sizes, others = _split(arguments)

    def flat(env: Any) -> Lane:
        return FlatReasoningEnv(env, **sizes)

    return make_vector_env(num_envs, wrappers=[flat, *wrappers], **others)


def _split(arguments: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Sorts arguments into sizes and others."""
    own = SIZES | {"as_dict", "as_row"}
    sizes = {name: value for name, value in arguments.items() if name in own}
    return sizes, {name: value for name, value in arguments.items() if name not in own}
