"""Rows that trainers read: which episode to run, and the messages that it begins with."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..dialects.grammar.dialect import Dialect
from ..env import PixelReasoningEnv
from ..errors import DataError
from ..files.json_values import plain
from .conversation import SystemPrompt, system_text

PICTURE = "<image>"
"""What stands in a message where a picture belongs, as trainers write it."""


@dataclass(frozen=True, slots=True)
class Row:
    """One sample of a task set, without its answer: the environment keeps it, and grades.

    The pictures aren't in it either. Whoever runs the episode gets them from `reset`, as in
    `gym.make(row.env_id, **json.loads(row.env_args)).reset(options={"index": row.sample_index})`.
    """

    env_id: str
    """Id of the environment."""
    env_args: str
    """Its arguments, as JSON."""
    dialect: str
    """How the messages are written."""
    sample_index: int
    """The sample's number in the task set, from 0."""
    sample_id: str
    """Its stable name."""
    category: str
    """Its category; "" where the task set has none."""
    medium: str
    """"video" for a clip, else "image"."""
    n_pictures: int
    """How many pictures the first observation shows."""
    prompt: tuple[Mapping[str, str], ...]
    """The first messages, each with `role` and `content`; each picture is "<image>". The question
    is as it is: count the pictures by `n_pictures`, not by that mark."""


def row_of(
    env: PixelReasoningEnv,
    index: int,
    dialect: Dialect,
    system: SystemPrompt = "full",
    env_id: str = "",
    env_args: Mapping[str, Any] | None = None,
) -> Row:
    """Resets an environment to a sample, and returns its row.

    Args:
        env: the environment.
        index: the sample's number, from 0.
        dialect: how the messages are written.
        system: "full", "brief" or "none".
        env_id: the environment's id, for the row.
        env_args: the arguments that it was made with, for the row.

    Raises:
        ConfigError: there is no such sample.
        DataError: its files can't be read.

    >>> import gymnasium as gym, pixel_env
    >>> from pixel_env.dialects import get_dialect
    >>> env = gym.make("PixelReason-SyntheticSearch-v0").unwrapped
    >>> row = row_of(env, 7, get_dialect("pixel-reasoner"), system="none")
    >>> row.sample_index, row.medium, row.n_pictures, row.prompt[0]["content"][:7]
    (7, 'image', 1, '<image>')
    """
    observation, info = env.reset(options={"index": index})
    if "env_error" in info:
        raise DataError(info["env_error"])
    told = dialect.tell(observation)
    prompt = system_text(dialect, system)
    messages = [] if prompt is None else [{"role": "system", "content": prompt}]
    content = "".join(part if isinstance(part, str) else PICTURE for part in told)
    return Row(
        env_id=env_id,
        env_args=json.dumps(plain(dict(env_args or {}), "env_args"), ensure_ascii=False),
        dialect=dialect.name,
        sample_index=index,
        sample_id=info["sample_id"],
        category=info["category"],
        medium="video" if int(observation["n_frames"]) else "image",
        n_pictures=sum(not isinstance(part, str) for part in told),
        prompt=(*messages, {"role": "user", "content": content}),
    )
