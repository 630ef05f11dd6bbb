"""What the adapters of this room share: cheap environments, and episodes turn by turn."""

from __future__ import annotations

import copy
import json
import threading
from typing import Any

import gymnasium as gym

from pixel_env.chat import ChatEpisode
from pixel_env.chat.conversation import Message
from pixel_env.errors import ConfigError

OVER = "The episode has ended."
"""What a message after the end gets."""


class EnvironmentCopies:
    """Environments by id and arguments: made once, then copied.

    Copies share the task, with its index of rows and the pixels that were decoded last, so many
    episodes at once cost little more memory than one. It stands in for `gym.make`.

    >>> import pixel_env
    >>> copies = EnvironmentCopies()
    >>> first, second = (copies("PixelReason-SyntheticSearch-v0", max_turns=3) for _ in range(2))
    >>> first.unwrapped is second.unwrapped, first.unwrapped.task is second.unwrapped.task
    (False, True)
    """

    def __init__(self) -> None:
        self._made: dict[tuple[str, str], gym.Env[Any, Any]] = {}
        self._lock = threading.Lock()

    def __call__(self, env_id: str, **env_args: Any) -> gym.Env[Any, Any]:
        """Returns an environment that nobody else has; arguments are those of `gym.make`."""
        key = env_id, json.dumps(env_args, sort_keys=True)
        with self._lock:
            if key not in self._made:
                self._made[key] = gym.make(env_id, **env_args)
            return copy.deepcopy(self._made[key])


def begin(episode: ChatEpisode, index: int | None = None, seed: int | None = None) -> list[Message]:
    """Begins an episode; returns its messages, none where the sample can't be read.

    Args:
        episode: the episode.
        index: the sample's number, from 0; None: the next one of the order.
        seed: fixes that order.

    Raises:
        ConfigError: there is no such sample.
    """
    episode.begin(index, seed)
    return list(episode.messages)


def respond(episode: ChatEpisode, message: str) -> list[Message]:
    """Hands over a message of the policy; returns the messages that follow it.

    Where it ends the episode, that is the environment's last feedback. A message after the end
    changes nothing.
    """
    before = len(episode.messages)
    try:
        episode.respond(message)
    except ConfigError:
        return [_text(OVER)]
    if episode.ended and episode.observation is not None:
        return [_text(episode.observation["feedback"])]
    return list(episode.messages[before + 1 :])  # the first one is the policy's own


def score(episode: ChatEpisode) -> float | None:
    """Returns the score; None where the files were at fault, and nothing is to be learnt."""
    return None if episode.facts.fault else episode.facts.score


def _text(text: str) -> Message:
    return {"role": "user", "content": [{"type": "text", "text": text}]}
