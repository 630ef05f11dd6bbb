"""skyrl-gym: one class, for `skyrl_gym.register`; its `extras` are a line of `pixel-reason rows`.

skyrl-gym can't leave an episode out: its reward is a number. So `metadata["left_out"]` says where
the sample's files were at fault, beside what the paper's bonus needs (`group_rewards`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from skyrl_gym.envs.base_text_env import BaseTextEnv, BaseTextEnvStepOutput

from pixel_env.chat import ChatEpisode
from pixel_env.chat.conversation import Message

from .episode import EnvironmentCopies, begin, respond


class SkyRLEnvironment(BaseTextEnv):  # type: ignore[misc]  # the package has no types
    """One episode; messages are those of OpenAI's API, with pictures as data URLs."""

    _copies: ClassVar[EnvironmentCopies] = EnvironmentCopies()

    def __init__(self, env_config: Any = None, extras: Mapping[str, Any] | None = None) -> None:
        """Takes a row; `env_config` isn't read.

        Raises:
            ConfigError: the row is of no environment, or of no dialect.
        """
        super().__init__()
        row = dict(extras or {})
        self._index = int(row["sample_index"])
        given = row["env_id"], json.loads(row["env_args"]), row["dialect"]
        self._episode = ChatEpisode(*given, system="none", make=self._copies)

    def init(self, prompt: Sequence[Message]) -> tuple[list[Message], dict[str, Any]]:
        """Begins the episode; returns the prompt with the sample's own first message."""
        opening = [message for message in prompt if message["role"] == "system"]
        return [*opening, *begin(self._episode, self._index)], self.get_metrics()

    def step(self, action: str) -> BaseTextEnvStepOutput:
        """Takes a message of the policy."""
        before = self._episode.facts.score
        messages = respond(self._episode, action)
        facts, ended = self._episode.facts, self._episode.ended
        return BaseTextEnvStepOutput(
            observations=[] if ended else messages,
            reward=0.0 if facts.fault else facts.score - before,
            done=ended,
            metadata=self.get_metrics(),
        )

    def get_metrics(self) -> dict[str, Any]:
        """Returns what a trainer may know of the episode."""
        facts = self._episode.facts
        left_out = bool(facts.fault)
        return {"n_calls": facts.n_calls, "video": facts.video, "left_out": left_out}

    def close(self) -> None:
        """Closes the environment."""
        self._episode.close()
