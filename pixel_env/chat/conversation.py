"""One episode as the messages of a chat: system message, observations, the policy's messages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args

from ..dialects.grammar.dialect import Dialect
from ..errors import unknown_name
from ..types import Observation
from .assistant import assistant_message, call_ids
from .parts import AsDataURL, AsPicture, ChatPart, as_chat_part

Message = dict[str, Any]
"""One message: its role, its content, and what else that role has."""

SystemPrompt = Literal["full", "brief", "none"]
"""Whether the system message has the operations with their schemas, without, or isn't there."""


def system_text(dialect: Dialect, system: SystemPrompt) -> str | None:
    """Returns the system message of a dialect; None where there is none.

    Raises:
        ConfigError: `system` is none of the three names.
    """
    if system not in get_args(SystemPrompt):
        raise unknown_name("system", system, get_args(SystemPrompt))
    return None if system == "none" else dialect.system_prompt(brief=system == "brief")


class Conversation:
    """The messages of one episode, as a chat server or a chat template takes them.

    The past is never changed: each turn adds messages, so a server can use its cache of prefixes,
    and every picture stays in the request of every later turn.

    A policy's message that holds `tool_calls` is followed by one message of the role "tool" for
    each call. Those of OpenAI's API can't hold pictures, so these follow in a user message.

    Attributes:
        messages: the messages so far.
        n_pictures: how many pictures they hold.

    >>> import gymnasium as gym, pixel_env
    >>> from pixel_env.dialects import get_dialect
    >>> from pixel_env.wrappers import TextAction
    >>> env = TextAction(gym.make("PixelReason-SyntheticSearch-v0"), "openai")
    >>> observation, _ = env.reset(seed=1)
    >>> conversation = Conversation(env.dialect)
    >>> conversation.observe(observation)
    >>> message = env.dialect.render(pixel_env.zoom_in([0, 0, 0.5, 0.5]), env.shown)
    >>> conversation.respond(message)
    >>> conversation.observe(env.step(message)[0])
    >>> [each["role"] for each in conversation.messages]
    ['system', 'user', 'assistant', 'tool', 'user']
    """

    def __init__(
        self,
        dialect: Dialect,
        system: SystemPrompt = "full",
        picture: AsPicture | None = None,
        tool_pictures: bool = False,
    ) -> None:
        """Begins with the system message.

        Args:
            dialect: how observations are written.
            system: "full", "brief" or "none".
            picture: the form of pictures; None: PNG files in data URLs.
            tool_pictures: whether messages of the role "tool" hold the pictures of a call's
                result, which only some servers take.

        Raises:
            ConfigError: `system` is none of the three names.
        """
        self._dialect = dialect
        self._picture = picture or AsDataURL()
        self._tool_pictures = tool_pictures
        self._open_calls: tuple[str, ...] = ()
        prompt = system_text(dialect, system)
        self.messages: list[Message] = []
        if prompt is not None:
            self.messages.append({"role": "system", "content": prompt})
        self.n_pictures = 0

    def observe(self, observation: Observation) -> None:
        """Adds an observation: the user's message, or the results of the calls before it."""
        told = self._dialect.tell(observation)
        parts = [as_chat_part(part, self._picture) for part in told]
        self.n_pictures += sum(not isinstance(part, str) for part in told)
        if not self._open_calls:
            self.messages.append({"role": "user", "content": parts})
            return
        texts = [part for part in parts if part["type"] == "text"]
        pictures = [part for part in parts if part["type"] != "text"]
        shown = parts if self._tool_pictures else texts
        for number, name in enumerate(self._open_calls):
            # One observation answers every call; only the first gets its pictures.
            content = shown if number == 0 else texts
            self.messages.append(_result(name, content))
        if pictures and not self._tool_pictures:
            self.messages.append({"role": "user", "content": pictures})
        self._open_calls = ()

    def respond(self, message: str, extra: Mapping[str, Any] | None = None) -> None:
        """Adds a message of the policy, written in the dialect.

        Args:
            message: what the environment's `step` is given: a text, or in the dialect `openai`
                the JSON of a message. Its calls become `tool_calls` where all of them can be read,
                and text otherwise, for servers refuse a past that holds broken ones.
            extra: further fields of the message, such as the reasoning that a server wants back.
        """
        made = assistant_message(self._dialect.name, message)
        self._open_calls = call_ids(made)
        self.messages.append({**made, **(extra or {})})


def _result(name: str, content: Sequence[ChatPart]) -> Message:
    return {"role": "tool", "tool_call_id": name, "content": list(content)}
