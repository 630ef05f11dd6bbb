"""Lanes of one registered id, over one task object: what `gym.make_vec` calls."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from gymnasium.vector import AutoresetMode

from ..env import PixelReasoningEnv
from ..errors import ConfigError
from ..registration import make_task, split_arguments
from .lanes import Lane, PixelReasoningVectorEnv


def make_vector_env(
    num_envs: int,
    *,
    task: Any,
    wrappers: Sequence[Callable[[Lane], Lane]] = (),
    autoreset_mode: str | AutoresetMode = AutoresetMode.NEXT_STEP,
    n_threads: int = 0,
    **arguments: Any,
) -> PixelReasoningVectorEnv:
    """Builds lanes over one task object: what `gym.make_vec` calls.

    Args:
        num_envs: how many lanes.
        task: a `Task` class, or "module:Class".
        wrappers: put around every lane, the first one innermost.
        autoreset_mode: what an ended lane does, see `PixelReasoningVectorEnv`.
        n_threads: threads that step and reset lanes at once; 0 does one after another.
        **arguments: as for `gym.make`.

    Raises:
        ConfigError: an argument is unknown to the environment and to the task, or every lane
            would open a window.
    """
    if arguments.get("render_mode") == "human":
        raise ConfigError(
            "expected render_mode None or 'rgb_array' for lanes, got 'human', which shows one "
            "environment; gymnasium.wrappers.vector.HumanRendering shows lanes of 'rgb_array'"
        )
    task_arguments, env_arguments = split_arguments(task, arguments)
    shared = make_task(task, **task_arguments)

    def make_lane() -> Lane:
        env: Lane = PixelReasoningEnv(shared, **env_arguments)
        for wrapper in wrappers:
            env = wrapper(env)
        return env

    return PixelReasoningVectorEnv(
        [make_lane] * num_envs, autoreset_mode=autoreset_mode, n_threads=n_threads
    )
