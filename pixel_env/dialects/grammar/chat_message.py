"""The message of a chat completion, as JSON: its content, its calls, its reasoning."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from ...errors import OperationError
from .calls import MAX_MESSAGE_CHARS, Call, as_call, read_json, read_object

_END = re.compile(r"(?:<\|(?:im_end|endoftext|eot_id|end_of_text)\|>\s*)+\Z")
_BARE_CALL = re.compile(
    r"\s*\{\s*[\"']?(?:name|arguments|parameters|bbox_2d|bbox|target_frames|type|function)[\"']?\s*:"
)
_KEYS = frozenset({"role", "content", "tool_calls", "function_call"})
_TEXT_PARTS = frozenset({"text", "output_text"})
_SILENT_PARTS = frozenset({"refusal", "thinking", "reasoning", "image_url"})


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """A message in parts.

    Attributes:
        content: its text.
        calls: entries of `tool_calls`, or the older `function_call` in the form of one.
        reasoning: the thinking, where a server took it out of the content.
    """

    content: str
    calls: list[Any]
    reasoning: str = ""

    @property
    def text(self) -> str:
        """The message as a model without a server wrote it."""
        return f"<think>{self.reasoning}</think>{self.content}" if self.reasoning else self.content


def read_message(text: str) -> ChatMessage | None:
    """Reads the JSON of a message, or returns None for a text that is a content.

    Raises:
        OperationError: kind "malformed" or "bad_arguments".

    >>> read_message('{"content": "B"}').content
    'B'
    """
    if len(text) > MAX_MESSAGE_CHARS:
        raise OperationError(
            "malformed", f"A message may hold {MAX_MESSAGE_CHARS} characters, got {len(text)}."
        )
    if not text.lstrip().startswith("{"):
        return None
    fields = _fields(_without_end(text))
    if fields is None:
        return None
    calls, older = fields.get("tool_calls") or [], fields.get("function_call")
    if not isinstance(calls, list):
        raise OperationError("malformed", "tool_calls must be a list.")
    if older:
        calls = [*calls, {"function": older}]
    reasoning = fields.get("reasoning_content") or fields.get("reasoning")
    return ChatMessage(
        _content(fields.get("content")),
        calls,
        _valid(reasoning) if isinstance(reasoning, str) else "",
    )


def read_tool_call(entry: object) -> Call:
    """Reads one entry of `tool_calls`; its arguments are JSON, as text or as they are.

    Raises:
        OperationError: it is no call.
    """
    function = entry.get("function") if isinstance(entry, dict) else None
    if not isinstance(function, dict):
        raise OperationError("malformed", "An entry of tool_calls must have a function.")
    arguments = function.get("arguments")
    if isinstance(arguments, str):
        arguments = read_json(arguments)
    return as_call({"name": function.get("name"), "arguments": arguments})


def _fields(text: str) -> dict[str, Any] | None:
    """Reads a message's object; None for a bare call, which is content."""
    if not _BARE_CALL.match(text):
        return read_object(text, MAX_MESSAGE_CHARS)
    try:
        fields = read_object(text, MAX_MESSAGE_CHARS)
    except OperationError:
        return None
    return fields if fields.keys() & _KEYS else None


def _content(content: object) -> str:
    """Reads a content: text, or a list of parts."""
    if isinstance(content, str):
        return _valid(content)
    if not isinstance(content or [], list):
        raise OperationError("malformed", "The content of a message must be text.")
    texts: list[str] = []
    for part in content or []:  # type: ignore[attr-defined]  # a list, as checked above
        kind = part.get("type") if isinstance(part, dict) else None
        text = part.get("text") if isinstance(part, dict) else None
        if kind in _TEXT_PARTS and isinstance(text, str):
            texts.append(_valid(text))
        elif kind not in _SILENT_PARTS:
            raise OperationError("malformed", "The parts of a content must be of the type text.")
    return "".join(texts)


def _valid(text: str) -> str:
    """Replaces what JSON can write but is no Unicode, such as half a surrogate pair."""
    return text.encode("utf-8", errors="replace").decode("utf-8")


def _without_end(text: str) -> str:
    """Takes the marks of a message's end off."""
    return _END.sub("", text)
