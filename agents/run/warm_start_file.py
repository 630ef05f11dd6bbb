"""Opens a file of demonstrations for a warm start, with the environment that plays them again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gymnasium as gym

from pixel_env.errors import ConfigError, DataError

from ..warm_start.demonstration import Demonstration, load
from .config import RunConfig

Stored = tuple[list[Demonstration], gym.Env[Any, Any]]
"""Demonstrations without observations, and the environment in which they are executed again."""


def open_stored(config: RunConfig) -> Stored | None:
    """Reads the file that a run's warm start names.

    Args:
        config: `warm_start_file` is the file. The demonstrations name their environment;
            `warm_start_env` and `warm_start_args` replace its id, and some of its arguments: a
            folder of data that lies elsewhere now.

    Returns:
        The demonstrations by number and their environment; None where no file is named.

    Raises:
        ConfigError: there is no such file, its demonstrations are of another dialect or of
            several environments, or the environment can't be made.
        DataError: a line can't be read; it names file and line.
    """
    if not config.warm_start_file:
        return None
    path = Path(config.warm_start_file)
    if not path.is_file():
        raise ConfigError(
            f"expected warm_start_file to be a file of `pixel-reason demonstrate`, there is "
            f"none at {path.absolute()}"
        )
    stored = load(path, is_whole=True)
    if not stored:
        raise DataError(f"{path}: holds no demonstration")
    first = stored[0]
    for each in stored:
        if each.dialect != config.dialect:
            raise ConfigError(
                f"{each.origin}: expected the run's dialect {config.dialect!r}, "
                f"got {each.dialect!r}"
            )
        if (each.env_id, each.env_kwargs) != (first.env_id, first.env_kwargs):
            raise ConfigError(
                f"{each.origin}: expected the environment of line 1, {_named(first)}, "
                f"got {_named(each)}"
            )
    env_id = config.warm_start_env or first.env_id
    if not env_id:
        raise ConfigError(f"{first.origin}: names no environment; expected warm_start_env")
    env = gym.make(env_id, **{**first.env_kwargs, **config.warm_start_args})
    return sorted(stored, key=lambda each: each.number), env


def _named(demonstration: Demonstration) -> str:
    return f"{demonstration.env_id} with {demonstration.env_kwargs}"
