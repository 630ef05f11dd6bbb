"""skyrl-gym: one class, for `skyrl_gym.register`; its `extras` are a line of `pixel-reason rows`.

skyrl-gym can't leave an episode out: its reward is a number. So `metadata["left_out"]` says where
the sample's files were at fault, beside what the paper's bonus needs (`group_rewards`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from skyrl_gym.envs.base_text_env import BaseTextEnv, BaseTextEnvStepOutput

from pixel_env.chat import AsDataURL
from pixel_env.chat.conversation import Message

from .episode import EnvironmentCopies, MessageEpisode


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
        env = self._copies(row["env_id"], row["env_args"])
        self._episode = MessageEpisode(env, row["dialect"], AsDataURL())

    def init(self, prompt: Sequence[Message]) -> tuple[list[Message], dict[str, Any]]:
        """Begins the episode; returns the prompt with the sample's own first message."""
        opening = [message for message in prompt if message["role"] == "system"]
        shown = {"role": "user", "content": self._episode.reset(index=self._index)}
        return [*opening, shown], self.get_metrics()

    def step(self, action: str) -> BaseTextEnvStepOutput:
        """Takes a message of the policy."""
        before = self._episode.facts.reward
        shown = {"role": "user", "content": self._episode.step(action)}
        facts = self._episode.facts
        return BaseTextEnvStepOutput(
            observations=[] if facts.ended else [shown],
            reward=0.0 if facts.fault else facts.reward - before,
            done=facts.ended,
            metadata=self.get_metrics(),
        )

    def get_metrics(self) -> dict[str, Any]:
        """Returns what a trainer may know of the episode."""
        facts = self._episode.facts
        return {
            "n_calls": facts.n_calls,
            "is_clip": facts.is_clip,
            "left_out": bool(facts.fault),
        }

    def close(self) -> None:
        """Closes the environment."""
        self._episode.close()
