"""What a chat server answers, read at one border: nothing behind it meets a broken reply."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


class MalformedReplyError(ValueError):
    """What a server sent is no chat completion."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply.

    Attributes:
        content: its text.
        tool_calls: its calls as the server sent them, whatever they hold.
        reasoning: the thinking, where the server took it out of the content.
        finish_reason: why it ended, such as "stop", "length" or "tool_calls".
        stop: the text that ended it, where the server names it; it isn't in the content.
        prompt_tokens: tokens of the prompt; 0 where the server doesn't count.
        cached_tokens: those of them that came from the server's cache.
        completion_tokens: tokens of the reply, thinking included.
        model: what the server calls the model that replied.
        fingerprint: what it calls its configuration; "" where it doesn't.
        seconds: from asking to the whole reply.
    """

    content: str
    tool_calls: tuple[Any, ...] = ()
    reasoning: str = ""
    finish_reason: str = ""
    stop: str = ""
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    model: str = ""
    fingerprint: str = ""
    seconds: float = 0.0

    def message(self, native_calls: bool) -> str:
        """Returns it as a policy's message, as an environment with `TextAction` takes it.

        Args:
            native_calls: whether the dialect is `openai`, which takes the JSON of a message. In
                another dialect calls that the server took out of the text are put back as the
                `<tool_call>` that they were read from.
        """
        if native_calls:
            calls = {"tool_calls": self.tool_calls} if self.tool_calls else {}
            return json.dumps({"role": "assistant", "content": self.content, **calls})
        blocks = [_block(call) for call in self.tool_calls]
        return "\n".join([self.content, *blocks] if self.content else blocks)


def read_reply(body: object) -> Reply:
    """Reads a chat completion.

    Raises:
        MalformedReplyError: it isn't one.
    """
    fields = _object(body, "a reply")
    choices = fields.get("choices")
    if not isinstance(choices, list) or not choices:
        raise MalformedReplyError("the reply has no choices")
    choice = _object(choices[0], "a choice")
    message = _object(choice.get("message"), "a message")
    calls, older = _list(message.get("tool_calls")), message.get("function_call")
    if older and not calls:
        calls = [{"function": older}]
    stop = choice.get("stop_reason")
    return Reply(
        content=_content(message.get("content")),
        tool_calls=tuple(_valid(calls)),
        reasoning=_text(message.get("reasoning_content") or message.get("reasoning")),
        finish_reason=_text(choice.get("finish_reason")),
        stop=stop if isinstance(stop, str) else "",  # a token's id otherwise
        model=_text(fields.get("model")),
        fingerprint=_text(fields.get("system_fingerprint")),
        **_counts(fields.get("usage")),
    )


@dataclass(slots=True)
class Pieces:
    """A reply that comes piece by piece.

    Attributes:
        message: what has come of the message so far.
        calls: its calls by their place.
        choice: what the pieces had of the choice, beside the message.
        body: what they had beside the choice.
    """

    message: dict[str, str] = field(default_factory=dict)
    calls: dict[int, dict[str, Any]] = field(default_factory=dict)
    choice: dict[str, Any] = field(default_factory=dict)
    body: dict[str, Any] = field(default_factory=dict)

    def add(self, chunk: object) -> None:
        """Adds one piece.

        Raises:
            MalformedReplyError: it is none.
        """
        fields = _object(chunk, "a piece of a reply")
        for name in ("model", "system_fingerprint", "usage"):
            if fields.get(name):
                self.body[name] = fields[name]
        for entry in _list(fields.get("choices")):
            choice = _object(entry, "a choice")
            for name in ("finish_reason", "stop_reason"):
                if choice.get(name) is not None:
                    self.choice[name] = choice[name]
            self._add_delta(_object(choice.get("delta") or {}, "a delta"))

    def reply(self) -> Reply:
        """Returns the whole reply.

        Raises:
            MalformedReplyError: it wasn't brought to its end.
        """
        if "finish_reason" not in self.choice:
            raise MalformedReplyError("the stream ended before the reply did")
        calls = [self.calls[place] for place in sorted(self.calls)]
        message = {**self.message, **({"tool_calls": calls} if calls else {})}
        return read_reply({**self.body, "choices": [{**self.choice, "message": message}]})

    def _add_delta(self, delta: Mapping[str, Any]) -> None:
        for name in ("content", "reasoning_content", "reasoning"):
            if delta.get(name):
                self.message[name] = self.message.get(name, "") + _text(delta[name])
        for each in _list(delta.get("tool_calls")):
            self._add_call(_object(each, "an entry of tool_calls"))

    def _add_call(self, entry: Mapping[str, Any]) -> None:
        place = entry.get("index")
        if not isinstance(place, int):
            place = max(self.calls, default=-1) + 1
        empty = {"id": "", "type": "function", "function": {"name": "", "arguments": ""}}
        call = self.calls.setdefault(place, empty)
        call["id"] = call["id"] or _text(entry.get("id"))
        function = _object(entry.get("function") or {}, "a function")
        for name in ("name", "arguments"):
            call["function"][name] += _text(function.get(name))


def _block(call: object) -> str:
    """Writes a call in the form that servers' parsers read from text."""
    function = call.get("function") if isinstance(call, dict) else None
    if not isinstance(function, dict):
        return json.dumps(call)
    name, arguments = json.dumps(function.get("name")), function.get("arguments")
    written = arguments if isinstance(arguments, str) else json.dumps(arguments)
    return f'<tool_call>\n{{"name": {name}, "arguments": {written}}}\n</tool_call>'


def _object(value: object, what: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise MalformedReplyError(f"expected {what} to be an object, got {type(value).__name__}")
    return value


def _list(value: object) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise MalformedReplyError(f"expected a list, got {type(value).__name__}")
    return value


def _content(content: object) -> str:
    """Reads a content: text, or a list of parts."""
    if isinstance(content, Sequence) and not isinstance(content, str):
        parts = [_object(part, "a part of a content") for part in content]
        return "".join(_text(part.get("text")) for part in parts)
    return _text(content)


def _text(value: object) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise MalformedReplyError(f"expected a text, got {type(value).__name__}")
    return value.encode("utf-8", errors="replace").decode("utf-8")


def _valid(calls: list[Any]) -> list[Any]:
    """Replaces what JSON can write but is no Unicode: calls go back in later requests."""
    try:
        cleaned: list[Any] = json.loads(_text(json.dumps(calls, ensure_ascii=False)))
    except (ValueError, TypeError, RecursionError) as fault:
        raise MalformedReplyError("tool_calls can't be read") from fault
    return cleaned


def _counts(usage: object) -> dict[str, int]:
    """Reads what a server counted; nothing where it doesn't count."""
    if not isinstance(usage, Mapping):
        return {}
    details = usage.get("prompt_tokens_details")
    cached = details.get("cached_tokens") if isinstance(details, Mapping) else None
    found = {
        "prompt_tokens": usage.get("prompt_tokens"),
        "cached_tokens": cached,
        "completion_tokens": usage.get("completion_tokens"),
    }
    return {name: n for name, n in found.items() if isinstance(n, int) and n >= 0}
