"""Gymnasium ids of the task sets, and `register_task` for a user's own."""

from __future__ import annotations

import difflib
import importlib
import inspect
from typing import Any

import gymnasium as gym
from gymnasium.envs.registration import load_env_creator

from .config import FIELDS, EnvConfig
from .env import PixelReasoningEnv
from .errors import ConfigError
from .task import Task

NAMESPACE = "PixelReason"

TASKS: dict[str, tuple[str, dict[str, Any]]] = {
    "SmallSearch": (  # for small networks: few, large objects in four cells, a coarse overview
        "pixel_env.tasks.synthetic.search.task:SyntheticSearch",
        {
            "scene_px": 224,
            "grid": 2,
            "target_px": 112,
            "mark_px": 14,
            "marks": "LOTX",
            "min_objects": 1,
            "max_objects": 3,
            "overview_px": (28 * 28, 28 * 28),
            "crop_px": (56 * 56, 56 * 56),
            "max_turns": 2,
        },
    ),
    "SmallCounting": (  # for small networks: few stickers, two cards with six marks
        "pixel_env.tasks.synthetic.counting.task:SyntheticCounting",
        {
            "scene_px": 896,
            "sticker_px": 128,
            "card_px": 96,
            "mark_px": 15,
            "max_count": 4,
            "distractors": 3,
            "n_cards": 2,
            "marks_per_card": 6,
            "overlaps": 0.0,
            "visible": 1.0,
            "overview_px": (112 * 112, 112 * 112),
            "crop_px": (112 * 112, 112 * 112),
        },
    ),
    "SmallInfographic": (  # for small networks: titles and large figures, facts of the small print
        "pixel_env.tasks.synthetic.infographic.task:SyntheticInfographic",
        {
            "page_px": 560,
            "small_px": 11,
            "large_px": 23,
            "bars": 4,
            "rows": 4,
            "about": ("title", "figure", "source", "asked", "when", "edition"),
            "overview_px": (112 * 224, 112 * 224),
            "crop_px": (40 * 28 * 28, 56 * 28 * 28),
        },
    ),
    "SmallClip": (  # for small networks: two shapes, a frame is four tokens
        "pixel_env.tasks.synthetic.clip.task:SyntheticClip",
        {
            "side_px": 168,
            "n_shapes": 2,
            "shape_px": 56,
            "letter_px": 11,
            "letters": "HJLOTVXZ",
            "clip_px": (56 * 56, 56 * 56),
            "frame_px": (168 * 168, 168 * 168),
            "crop_px": (112 * 112, 112 * 112),
        },
    ),
    "VStar": ("pixel_env.tasks.vstar:VStar", {}),
    "TallyQA": ("pixel_env.tasks.tallyqa:TallyQA", {}),
    "InfographicsVQA": ("pixel_env.tasks.infographicsvqa:InfographicsVQA", {}),
    "MVBench": ("pixel_env.tasks.mvbench:MVBench", {}),
    "HRBench": ("pixel_env.tasks.hrbench:HRBench", {"option_order": "as_given"}),
    "Records": ("pixel_env.tasks.records:Records", {}),
    "PixelReasonerRL": ("pixel_env.tasks.pixel_reasoner_rl:PixelReasonerRL", {}),
    "PixelReasonerSFT": (  # recorded messages name options by letter
        "pixel_env.tasks.pixel_reasoner_sft:PixelReasonerSFT",
        {"option_order": "as_given"},
    ),
    "SyntheticSearch": (
        "pixel_env.tasks.synthetic.search.task:SyntheticSearch",
        {"overview_px": (112 * 112, 112 * 112), "crop_px": (112 * 112, 112 * 112)},
    ),
    "SyntheticMix": (  # each twin has sizes of its own; these are the least and the most of them
        "pixel_env.tasks.synthetic.mix:SyntheticMix",
        {
            "overview_px": (112 * 112, 112 * 224),
            "clip_px": (56 * 56, 56 * 56),
            "crop_px": (112 * 112, 56 * 28 * 28),
            "frame_px": (168 * 168, 168 * 168),
        },
    ),
    "SyntheticCounting": (
        "pixel_env.tasks.synthetic.counting.task:SyntheticCounting",
        {"overview_px": (224 * 224, 224 * 224), "crop_px": (224 * 224, 224 * 224)},
    ),
    "SyntheticInfographic": (  # pages are twice as high as wide
        "pixel_env.tasks.synthetic.infographic.task:SyntheticInfographic",
        {"overview_px": (224 * 448, 224 * 448), "crop_px": (224 * 224, 336 * 336)},
    ),
    "SyntheticClip": (  # many small frames, then a few large ones
        "pixel_env.tasks.synthetic.clip.task:SyntheticClip",
        {
            "clip_px": (84 * 84, 84 * 84),
            "frame_px": (224 * 224, 224 * 224),
            "crop_px": (224 * 224, 224 * 224),
        },
    ),
}
"""Task sets by name: where the class is, and the arguments that differ from the defaults."""

STEPS = "max_episode_steps"
"""Gymnasium's name for the most turns of an episode."""

_ENV_ARGUMENTS = (*FIELDS, "preset", "render_mode")


def register_task(name: str, entry_point: str | type[Task], **defaults: Any) -> str:
    """Registers a task set as "PixelReason-{name}-v0".

    Args:
        name: letters and digits.
        entry_point: a `Task` class, or where it is, as "module:Class"; imported by `make` only.
        **defaults: arguments of `gym.make` for this id, of the environment or of the task.

    Returns:
        The id.

    Raises:
        ConfigError: the name or the entry point is malformed.
    """
    if not name.isalnum():
        raise ConfigError(f"expected a name of letters and digits, got {name!r}")
    if isinstance(entry_point, str) and entry_point.count(":") != 1:
        raise ConfigError(f"expected an entry point 'module:Class', got {entry_point!r}")
    env_id = f"{NAMESPACE}-{name}-v0"
    gym.register(
        id=env_id,
        entry_point="pixel_env.registration:make_env",
        vector_entry_point="pixel_env.vector:make_vector_env",
        kwargs={"task": entry_point, **defaults},
    )
    return env_id


def make_env(task: str | type[Task], **arguments: Any) -> PixelReasoningEnv:
    """Builds an environment: what `gym.make` calls.

    Args:
        task: a `Task` class, or "module:Class".
        **arguments: fields of `EnvConfig`, `preset` and `render_mode` go to the environment, the
            rest to the task's constructor.

    Raises:
        ConfigError: an argument is unknown to both.
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
        ConfigError: an argument is unknown to both.
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
            raise ConfigError(
                f"expected an argument of the task set {cls.name or cls.__name__} "
                f"({', '.join(sorted(names))}) or of the environment "
                f"({', '.join(sorted(_ENV_ARGUMENTS))}); got {name!r}."
                f"{_hint(name, [*names, *_ENV_ARGUMENTS])}"
            )
    if isinstance(limit, int) and limit > 0:  # -1 stands for no limit
        fields = {name: value for name, value in of_env.items() if name != "render_mode"}
        of_env["max_turns"] = min(EnvConfig.of(**fields).max_turns, limit)
    return of_task, of_env


def _limit_of_make() -> int | None:
    """Returns `max_episode_steps` of the `gym.make` that is running, or of the id; None for none.

    Gymnasium hands it to the wrapper that it puts around an environment and to nobody else, so it
    can only be read where it stands: in the frame of `make`.
    """
    frame = inspect.currentframe()
    while frame is not None and frame.f_code is not gym.make.__code__:
        frame = frame.f_back
    if frame is None:
        return None
    given: int | None = frame.f_locals[STEPS]
    of_id: int | None = frame.f_locals["env_spec"].max_episode_steps
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
    env = gym.make(env_id, **arguments).unwrapped
    if not isinstance(env, PixelReasoningEnv):
        raise ConfigError(f"expected a PixelReasoningEnv behind {env_id!r}, got {env}")
    return env


def _makes_another(env_id: str) -> bool:
    """Tells whether an id makes something else, which could not take the arguments of a task."""
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
    register_task(_name, _entry_point, **_defaults)
