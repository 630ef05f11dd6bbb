"""A served model as a policy: it writes one message for each observation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from typing import Any

from pixel_env.chat.conversation import Conversation, system_text
from pixel_env.dialects import get_dialect
from pixel_env.dialects.openai import OpenAIDialect
from pixel_env.types import Action, Observation

from .address import Address, read_address
from .reply import Reply
from .server import OVER_CONTEXT, ChatServer
from .settings import NO_MATTER, ServedSettings, read_settings
from .usage import Usage

PREFIX = "openai:"
"""Begins the name of a served policy."""

SEEDS = 2**31
"""Seeds that are sent lie under this; servers read them as 32 bits with a sign."""


@dataclass(slots=True)
class LaneState:
    """What is remembered of one episode.

    Attributes:
        conversation: its messages.
        seed: the episode's own; None where it is drawn afresh.
        usage: what its replies cost.
        last: what is told of its last message.
        is_over: whether the conversation became longer than the server takes.
    """

    conversation: Conversation
    seed: int | None = None
    usage: Usage = field(default_factory=Usage)
    last: dict[str, Any] = field(default_factory=dict)
    is_over: bool = False


class ServedPolicy:
    """Asks a chat server for every message; each lane is a conversation of its own.

    A conversation that is longer than the server takes gives empty messages: its remaining turns
    are spent, as with a model that runs out of context here.

    Attributes:
        name: `openai:URL#MODEL`, with the model that replies.
        dialect: name of the dialect of its messages.
    """

    def __init__(self, server: ChatServer, url: str, settings: ServedSettings) -> None:
        """Takes what is asked.

        Args:
            server: gives the replies.
            url: its address, for the name.
            settings: how it is asked.
        """
        self.name = f"{PREFIX}{Address(url, server.model)}"
        self.dialect = settings.dialect
        self._server = server
        self._settings = settings
        self._dialect = get_dialect(settings.dialect)
        self._is_native = settings.dialect == OpenAIDialect.name
        self._tools = {"tools": self._dialect.tool_schemas()} if self._is_native else {}
        self._lanes: dict[int, LaneState] = {}

    @classmethod
    def connect(cls, address: str, settings: Mapping[str, Any] | None = None) -> ServedPolicy:
        """Connects to a server.

        Args:
            address: `URL#MODEL`, `#MODEL` for the client's own server, or `URL` where the server
                has one model.
            settings: fields of `ServedSettings` by name.

        Raises:
            ConfigError: the address or a setting is wrong, the package `openai` or a key is
                missing, or the server has several models and the address names none.
            ServiceError: the server doesn't answer.
        """
        place, read = read_address(address), read_settings(settings or {})
        return cls(ChatServer(place, read), place.url, read)

    def settings(self) -> dict[str, Any]:
        """Returns how the server is asked, without what no reply depends on."""
        return {
            name: value for name, value in self._settings.as_json().items() if name not in NO_MATTER
        }

    def facts(self) -> dict[str, Any]:
        """Returns the system message, and what the server says of itself.

        Raises:
            ServiceError: the server doesn't answer.
        """
        prompt = system_text(self._dialect, self._settings.system)
        return {"system_prompt": prompt, "server": self._server.facts()}

    def reset(self, lane: int, seed: int | None = None) -> None:
        """Starts an episode in a lane and forgets the last one there.

        Args:
            lane: number of the lane, from 0.
            seed: decides what is sampled, where the server takes seeds.
        """
        settings = self._settings
        conversation = Conversation(
            self._dialect, settings.system, settings.picture(), settings.tool_pictures
        )
        self._lanes[lane] = LaneState(conversation, seed)

    def ask(self, observation: Observation, lane: int) -> Future[str | Action]:
        """Asks for one lane's message, and doesn't wait for it.

        Args:
            observation: one turn's news.
            lane: its number, from 0; it waits for no other message.

        Returns:
            The message to come. It may raise `ServiceError`; the lane's episode can't go on then.
        """
        state = self._lanes[lane]
        if not state.is_over:
            # Here and not on the event loop, which encoding the pictures of a lane would hold up.
            state.conversation.observe(observation)
        return self._server.submit(self._message(state))

    def act(
        self, observations: Sequence[Observation], lanes: Sequence[int]
    ) -> Sequence[str | Action]:
        """Asks for a message in each waiting lane, all at once; see `Policy.act`.

        Raises:
            ServiceError: one of them has no reply.
        """
        asked = [self.ask(*each) for each in zip(observations, lanes, strict=True)]
        return [future.result() for future in asked]

    def usage(self, lane: int) -> Usage:
        """Returns what the lane's episode has cost so far."""
        return self._lanes[lane].usage

    def message_facts(self, lane: int) -> dict[str, Any]:
        """Returns what there is to say of the lane's last message; values that JSON can hold."""
        return dict(self._lanes[lane].last)

    async def _message(self, state: LaneState) -> str | Action:
        if state.is_over:
            return ""
        conversation, settings = state.conversation, self._settings
        fields: dict[str, Any] = dict(self._tools)
        if settings.seed and state.seed is not None:
            # Another one in each turn: the same would draw alike from alike distributions.
            fields["seed"] = (state.seed + state.usage.requests) % SEEDS
        reply = await self._server.reply(list(conversation.messages), **fields)
        if reply.finish_reason == OVER_CONTEXT:
            state.is_over, state.last = True, {"finish_reason": OVER_CONTEXT}
            return ""
        if reply.stop in settings.stop and not reply.content.endswith(reply.stop):
            reply = replace(reply, content=reply.content + reply.stop)
        message = reply.message(self._is_native)
        kept = {"reasoning_content": reply.reasoning} if settings.keep_reasoning else {}
        conversation.respond(message, kept if reply.reasoning else {})
        used = self._usage(reply, conversation.n_pictures)
        state.usage += used
        state.last = _facts(reply, used)
        return message

    def _usage(self, reply: Reply, n_pictures: int) -> Usage:
        used = Usage(
            requests=1,
            prompt_tokens=reply.prompt_tokens,
            cached_tokens=reply.cached_tokens,
            completion_tokens=reply.completion_tokens,
            pictures=n_pictures,
            seconds=round(reply.seconds, 3),
            fingerprints=_fingerprints(reply, self._server.model),
        )
        return replace(used, cost=self._settings.cost(used))


def _fingerprints(reply: Reply, asked: str) -> tuple[str, ...]:
    """Returns how the server names what replied, where that is more than what was asked for."""
    model = reply.model if reply.model != asked else ""
    named = " ".join(each for each in (model, reply.fingerprint) if each)
    return (named,) if named else ()


def _facts(reply: Reply, used: Usage) -> dict[str, Any]:
    """Returns what a record holds of a message beside it; nothing that is empty."""
    facts = {
        "reasoning": reply.reasoning,
        "finish_reason": reply.finish_reason,
        "prompt_tokens": used.prompt_tokens,
        "completion_tokens": used.completion_tokens,
        "seconds": used.seconds,
        "cost": used.cost,
    }
    return {name: value for name, value in facts.items() if value not in ("", None)}
