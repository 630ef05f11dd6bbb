"""One episode that is played by messages: what every adapter of this room wraps.

An engine gets parts of chat messages, and afterwards facts of the episode. The environment with the
sample and its answer stays behind this class.
"""

from __future__ import annotations

import copy
import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import gymnasium as gym

from pixel_env.chat import AsPicture, AsPillow, message_parts
from pixel_env.chat.parts import ChatPart
from pixel_env.env import PixelReasoningEnv
from pixel_env.errors import ConfigError
from pixel_env.registration import check_id
from pixel_env.types import Info, Observation
from pixel_env.wrappers import TextAction

OVER = "The episode has ended."
"""What a message after the end gets."""


@dataclass(frozen=True, slots=True)
class EpisodeFacts:
    """What a trainer may know of an episode; nothing of it leads to the answer."""

    sample_id: str = ""
    """The sample's stable name."""
    reward: float = 0.0
    """The sum of the environment's rewards so far."""
    n_calls: int = 0
    """Calls so far, refused ones included."""
    is_clip: bool = False
    """Whether the sample is a clip."""
    ended: bool = False
    """Whether no more messages are taken."""
    fault: str = ""
    """Why the sample can't be shown: a fault of its files. Such an episode has no score."""

    @property
    def score(self) -> float | None:
        """The reward; None where the files were at fault, and the policy is not to be paid."""
        return None if self.fault else self.reward


class MessageEpisode:
    r"""Episodes of one environment, one after the other, played by messages.

    Attributes:
        dialect: how messages are written.
        facts: of the running episode, or of the last one.

    >>> import pixel_env
    >>> episode = MessageEpisode(EnvironmentCopies()("PixelReason-SyntheticSearch-v0"))
    >>> [part["type"] for part in episode.reset(index=3)]
    ['image', 'text']
    >>> call = '{"name": "zoom_in", "arguments": {"bbox_2d": [0, 0, 0.5, 0.5]}}'
    >>> episode.step(f"<tool_call>{call}</tool_call>")[0]["text"]
    'Image 2 is the region [0, 0, 0.5, 0.5] of image 1.'
    >>> _ = episode.step(r"\boxed{A}")
    >>> episode.facts.n_calls, episode.facts.ended
    (1, True)
    """

    def __init__(
        self,
        env: gym.Env[Any, Any],
        dialect: str = "pixel-reasoner",
        picture: AsPicture | None = None,
    ) -> None:
        """Takes an environment with pictures.

        Args:
            env: as `EnvironmentCopies` makes it.
            dialect: name of the dialect.
            picture: the form of pictures; None: Pillow's.

        Raises:
            ConfigError: there is no such dialect.
        """
        self._env = TextAction(env, dialect)
        self._picture = picture or AsPillow()
        self.dialect = self._env.dialect
        self.facts = EpisodeFacts()

    def reset(self, index: int | None = None, seed: int | None = None) -> list[ChatPart]:
        """Begins an episode; returns the first message's parts.

        Args:
            index: the sample's number, from 0; None for the next one in the environment's order.
            seed: fixes the order of samples and every random choice.

        Raises:
            ConfigError: there is no such sample.
        """
        options = None if index is None else {"index": index}
        observation, info = self._env.reset(seed=seed, options=options)
        is_clip = int(observation["n_frames"]) > 0
        self.facts = EpisodeFacts(sample_id=info["sample_id"], is_clip=is_clip)
        return self._told(observation, info, 0.0, ended=bool(info.get("env_error")))

    def step(self, message: str) -> list[ChatPart]:
        """Takes a message of the policy; returns the parts of what follows.

        A message after the end changes nothing.
        """
        if self.facts.ended:
            return [{"type": "text", "text": OVER}]
        observation, reward, terminated, truncated, info = self._env.step(message)
        return self._told(observation, info, float(reward), terminated or truncated)

    def close(self) -> None:
        """Closes the environment."""
        self._env.close()

    def _told(
        self, observation: Observation, info: Info, reward: float, ended: bool
    ) -> list[ChatPart]:
        """Notes the facts, and returns the parts of an observation."""
        self.facts = replace(
            self.facts,
            reward=self.facts.reward + reward,
            n_calls=int(info["n_calls"]),
            ended=ended,
            fault=str(info.get("env_error", "")),
        )
        return message_parts(self.dialect, observation, self._picture)


class EnvironmentCopies:
    """Environments by id and arguments: made once, then copied.

    Copies share the task, with its index of rows and the pixels that were decoded last, so many
    episodes at once cost little more memory than one.
    """

    def __init__(self) -> None:
        self._made: dict[tuple[str, str], gym.Env[Any, Any]] = {}
        self._lock = threading.Lock()

    def __call__(self, env_id: str, env_args: str | Mapping[str, Any] = "{}") -> gym.Env[Any, Any]:
        """Returns an environment of its own.

        Args:
            env_id: id of an environment with pictures.
            env_args: its arguments, also as the JSON of a row.

        Raises:
            ConfigError: there is no such environment, or it has no pictures.
        """
        given = json.loads(env_args) if isinstance(env_args, str) else dict(env_args)
        key = env_id, json.dumps(given, sort_keys=True)
        with self._lock:
            if key not in self._made:
                check_id(env_id)
                env = gym.make(env_id, **given)
                if not isinstance(env.unwrapped, PixelReasoningEnv):
                    raise ConfigError(f"expected an environment with pictures, got {env_id}")
                self._made[key] = env
            return copy.deepcopy(self._made[key])
