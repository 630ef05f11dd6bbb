"""Gymnasium ids of the task sets, and `register_task` for a user's own."""

from __future__ import annotations

import difflib
import importlib
import inspect
from collections.abc import Mapping
from typing import Any

import gymnasium as gym
from gymnasium.envs.registration import load_env_creator

from .config import FIELDS, EnvConfig
from .env import PixelReasoningEnv
from .errors import ConfigError, PixelEnvError, UnknownArgument
from .task import Task
from .task_sets import FLAT, TASKS

NAMESPACE = "PixelReason"

STEPS = "max_episode_steps"
"""Gymnasium's name for the most turns of an episode."""

_ENV_ARGUMENTS = (*FIELDS, "preset", "render_mode")


def register_task(
    name: str,
    entry_point: str | type[Task],
    *,
    flat: Mapping[str, Any] | None = None,
    **defaults: Any,
) -> str:
    """Registers a task set as "PixelReason-{name}-v0", and with flat spaces as "...-Flat-v0".

    Args:
        name: letters and digits.
        entry_point: a `Task` class, or where it is, as "module:Class"; imported by `make` only.
        flat: arguments of `gym.make` for the flat id alone, such as fields of `FlatConfig`.
        **defaults: arguments of `gym.make` for both ids, of the environment or of the task.

    Returns:
        The id whose spaces aren't flat.

    Raises:
        ConfigError: the name or the entry point is malformed.
    """
    if not name.isalnum():
        raise ConfigError(f"expected a name of letters and digits, got {name!r}")
    if isinstance(entry_point, str) and entry_point.count(":") != 1:
        raise ConfigError(f"expected an entry point 'module:Class', got {entry_point!r}")
    made = {"task": entry_point, **defaults}
    gym.register(
        id=flat_id(name),
        entry_point=_FLAT_ENTRY,
        vector_entry_point="pixel_env.wrappers.flat_env:make_flat_vector_env",
        kwargs={**made, **(flat or {})},
    )
    env_id = f"{NAMESPACE}-{name}-v0"
    gym.register(
        id=env_id,
        entry_point="pixel_env.registration:make_env",
        vector_entry_point="pixel_env.vector:make_vector_env",
        kwargs=made,
    )
    return env_id


_FLAT_ENTRY = "pixel_env.wrappers.flat_env:make_flat_env"


def flat_id(name: str) -> str:
    """Returns the id of a task set with flat spaces.

    Args:
        name: of the task set, or its id.

    >>> flat_id("VStar"), flat_id("PixelReason-VStar-v0")
    ('PixelReason-VStar-Flat-v0', 'PixelReason-VStar-Flat-v0')
    """
    return f"{NAMESPACE}-{name.removeprefix(f'{NAMESPACE}-').removesuffix('-v0')}-Flat-v0"


def make_env(task: str | type[Task], **arguments: Any) -> PixelReasoningEnv:
    """Builds an environment: what `gym.make` calls.

    Args:
        task: a `Task` class, or "module:Class".
        **arguments: fields of `EnvConfig`, `preset` and `render_mode` go to the environment, the
            rest to the task's constructor.

    Raises:
        UnknownArgument: an argument is unknown to both.
    """
    limit = arguments.pop(STEPS, _limit_of_make())
    task_arguments, env_arguments = split_arguments(task, {**arguments, STEPS: limit})
    return PixelReasoningEnv(make_task(task, **task_arguments), **env_arguments)


def make_task(task: str | type[Task], **arguments: Any) -> Task:
    """Builds a task.

    Args:
        task: a `Task` class, or "module:Class".
        **arguments: of its constructor.
    """
    return _task_class(task)(**arguments)


def split_arguments(
    task: str | type[Task], arguments: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Sorts arguments of `gym.make` into the task's and the environment's.

    `max_episode_steps` becomes `max_turns` where that is more, so that `turns_left` promises no
    turn which Gymnasium's `TimeLimit` cuts off.

    Raises:
        UnknownArgument: an argument is unknown to both.
    """
    arguments = dict(arguments)
    limit = arguments.pop(STEPS, None)
    cls = _task_class(task)
    names = cls.argument_names()
    of_task, of_env = {}, {}
    for name, value in arguments.items():
        if name in _ENV_ARGUMENTS:
            of_env[name] = value
        elif names is None or name in names:
            of_task[name] = value
        else:
            raise UnknownArgument(  # libraries look for the first words, which are Python's
                f"got an unexpected keyword argument {name!r}; expected one of the task set "
                f"{cls.name or cls.__name__} ({', '.join(sorted(names))}) or of the environment "
                f"({', '.join(sorted(_ENV_ARGUMENTS))})."
                f"{_hint(name, [*names, *_ENV_ARGUMENTS])}"
            )
    if isinstance(limit, int) and limit > 0:  # -1 stands for no limit
        fields = {name: value for name, value in of_env.items() if name != "render_mode"}
        of_env["max_turns"] = min(EnvConfig.of(**fields).max_turns, limit)
    return of_task, of_env


def _limit_of_make() -> int | None:
    """Returns `max_episode_steps` of the `gym.make` that is running, or of the id; None for none.

    Gymnasium hands it to the wrapper that it puts around an environment and to nobody else: not to
    the creator, not to the environment's spec; and an additional wrapper of the id, which could
    read it, would close `make_vec` to our lanes. So it can only be read where it stands, in the
    frame of `make`. Where a Gymnasium keeps it elsewhere, nothing is read, and nothing breaks.
    """
    frame = inspect.currentframe()
    while frame is not None and frame.f_code is not gym.make.__code__:
        frame = frame.f_back
    if frame is None:
        return None
    given: int | None = frame.f_locals.get(STEPS)
    of_id: int | None = getattr(frame.f_locals.get("env_spec"), STEPS, None)
    return of_id if given is None else given


def check_id(env_id: str) -> None:
    """Refuses an id that isn't registered, with the one that was meant.

    Args:
        env_id: as for `gym.make`; "module:id" registers when it is made, and isn't looked up.

    Raises:
        ConfigError: there is no such id.

    Example:
        >>> check_id("VStar")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        pixel_env.errors.ConfigError: ... got 'VStar'. Did you mean 'PixelReason-VStar-v0'?
    """
    if ":" in env_id or env_id in gym.registry:
        return
    ours = [each for each in gym.registry if each.startswith(f"{NAMESPACE}-")]
    short = {each.removeprefix(f"{NAMESPACE}-").removesuffix("-v0").lower(): each for each in ours}
    got = env_id.removeprefix(f"{NAMESPACE}-").removesuffix("-v0").lower()
    near = short.get(got) or next(
        (short[each] for each in difflib.get_close_matches(got, short, n=1)), ""
    )
    hint = f" Did you mean {near!r}?" if near else f" There are {', '.join(sorted(ours))}."
    raise ConfigError(f"expected the id of an environment, got {env_id!r}.{hint}")


def make_bare(env_id: str, **arguments: Any) -> PixelReasoningEnv:
    """Makes an environment of this package by its id, without Gymnasium's wrappers.

    Raises:
        ConfigError: there is no such id, an argument is unknown, or it is an environment of
            another kind.
    """
    check_id(env_id)
    if ":" not in env_id and _makes_another(env_id):
        raise ConfigError(
            f"expected the id of a PixelReasoningEnv, such as {NAMESPACE}-VStar-v0, got {env_id!r}"
        )
    if ":" not in env_id and gym.registry[env_id].entry_point == _FLAT_ENTRY:
        raise ConfigError(
            f"expected an id whose spaces aren't flat, {env_id.replace('-Flat-', '-')}; "
            f"got {env_id!r}"
        )
    try:
        env = gym.make(env_id, **arguments).unwrapped
    except PixelEnvError:
        raise
    except TypeError as fault:  # an argument is of another type
        raise ConfigError(f"{env_id} can't be made: {fault}") from fault
    if not isinstance(env, PixelReasoningEnv):
        raise ConfigError(f"expected a PixelReasoningEnv behind {env_id!r}, got {env}")
    return env


def _makes_another(env_id: str) -> bool:
    """Tells whether an id makes something that could not take the arguments of a task."""
    entry = gym.registry[env_id].entry_point
    creator: Any = load_env_creator(entry) if isinstance(entry, str) else entry
    return inspect.isclass(creator) and not issubclass(creator, PixelReasoningEnv)


def _hint(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f" Did you mean {near[0]!r}?" if near else ""


def _task_class(task: str | type[Task]) -> type[Task]:
    """Imports a task class."""
    if not isinstance(task, str):
        return task
    module, _, name = task.partition(":")
    found: type[Task] = getattr(importlib.import_module(module), name)
    return found


for _name, (_entry_point, _defaults) in TASKS.items():
    register_task(_name, _entry_point, flat=FLAT.get(_name), **_defaults)
