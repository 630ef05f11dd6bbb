"""One episode in chat messages, for engines that run each rollout by themselves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import gymnasium as gym

from ..env import PixelReasoningEnv
from ..errors import ConfigError
from ..registration import check_id
from ..types import Info, Observation
from ..wrappers.text_action import TextAction
from .conversation import Conversation, Message, SystemPrompt
from .parts import AsPicture


@dataclass(frozen=True, slots=True)
class EpisodeFacts:
    """What a trainer needs to know of an episode; never the answer."""

    score: float
    """The task's score of what was declared; 0 where nothing was."""
    n_calls: int
    """How many calls the policy made, refused ones included."""
    n_operations: int
    """How many of them were executed."""
    video: bool
    """Whether the sample is a clip."""
    fault: str = ""
    """Why the episode must be left out: the fault of the data; "" where there is none."""


class ChatEpisode:
    """Plays episodes of one environment in messages, one after the other.

    Attributes:
        ended: whether the episode is over: answered, out of turns, or stopped by a fault.
        observation: the newest one, with the environment's feedback.

    >>> import pixel_env
    >>> episode = ChatEpisode("PixelReason-SyntheticSearch-v0", {"split": "test"})
    >>> episode.begin(index=7)
    >>> [message["role"] for message in episode.messages]
    ['system', 'user']
    >>> episode.respond("<answer>A</answer>")
    >>> episode.ended, episode.facts.n_calls, episode.facts.fault
    (True, 0, '')
    """

    def __init__(
        self,
        env_id: str,
        env_args: Mapping[str, Any] | None = None,
        dialect: str = "pixel-reasoner",
        system: SystemPrompt = "full",
        picture: AsPicture | None = None,
        make: Callable[..., gym.Env[Any, Any]] = gym.make,
    ) -> None:
        """Makes the environment.

        Args:
            env_id: its id. One that names a module is refused: ids come out of files of rows,
                and no file says what is imported.
            env_args: arguments for `gym.make`; a task's class is none of them, for the same reason.
            dialect: how calls are written.
            system: "full", "brief" or "none".
            picture: the form of pictures; None: PNG files in data URLs.
            make: makes the environment in place of `gym.make`, of the same arguments.

        Raises:
            ConfigError: there is no such id, dialect or argument.
        """
        if ":" in env_id:
            raise ConfigError(f"expected the id of a registered environment, got {env_id!r}")
        if "task" in (env_args or {}):
            raise ConfigError("expected arguments without a task: the id has one")
        check_id(env_id)
        env = make(env_id, **(env_args or {}))
        if not isinstance(env.unwrapped, PixelReasoningEnv):
            raise ConfigError(f"expected an environment with pictures, got {env_id}")
        self._env = TextAction(env, dialect)
        self._system = system
        self._picture = picture
        self._conversation = Conversation(self._env.dialect, system, picture)
        self._info: Info = {}
        self._score = 0.0
        self.ended = True
        self.observation: Observation | None = None

    @property
    def messages(self) -> list[Message]:
        """The messages so far; only ever appended to."""
        return self._conversation.messages

    @property
    def facts(self) -> EpisodeFacts:
        """The facts of the episode so far."""
        shown = self.observation
        return EpisodeFacts(
            score=self._score,
            n_calls=int(self._info.get("n_calls", 0)),
            n_operations=int(self._info.get("n_operations", 0)),
            video=shown is not None and int(shown["n_frames"]) > 0,
            fault=str(self._info.get("env_error", "")),
        )

    def begin(self, index: int | None = None, seed: int | None = None) -> None:
        """Resets the environment, and shows its first observation.

        Args:
            index: the sample's number, from 0; None: the next one of the order.
            seed: fixes that order.

        Raises:
            ConfigError: there is no such sample.
        """
        options = None if index is None else {"index": index}
        self.observation, self._info = self._env.reset(seed=seed, options=options)
        self._conversation = Conversation(self._env.dialect, self._system, self._picture)
        self._score = 0.0
        self.ended = "env_error" in self._info
        if not self.ended:
            self._conversation.observe(self.observation)

    def respond(self, message: str) -> None:
        """Takes a message of the policy, and shows what it leads to unless that ends the episode.

        Raises:
            ConfigError: the episode is over.
        """
        if self.ended:
            raise ConfigError("expected an episode that goes on; begin another one first")
        self._conversation.respond(message)
        self.observation, reward, terminated, truncated, self._info = self._env.step(message)
        self._score += reward
        self.ended = terminated or truncated
        if not self.ended:
            self._conversation.observe(self.observation)

    def close(self) -> None:
        """Closes the environment."""
        self._env.close()
