"""A policy's message as the message of an assistant that a chat server takes back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..dialects.grammar.chat_message import ChatMessage, read_message
from ..dialects.openai import OpenAIDialect
from ..errors import OperationError


def assistant_message(dialect: str, text: str) -> dict[str, Any]:
    """Returns a message of a policy with the role "assistant".

    Only the dialect `openai` writes `tool_calls`; in the others a call is text. A call that a
    server would refuse to take back (arguments that are no JSON object, a call without a name)
    becomes text too, with all others of its message: the policy then still sees what it wrote.

    Args:
        dialect: name of the dialect.
        text: the message, as `TextAction` takes it.

    >>> assistant_message("pixel-reasoner", "B")
    {'role': 'assistant', 'content': 'B'}
    """
    message = _read(text) if dialect == OpenAIDialect.name else None
    if message is None:
        return {"role": "assistant", "content": text}
    if not message.calls:
        return {"role": "assistant", "content": message.content}
    calls = [_tool_call(number, entry) for number, entry in enumerate(message.calls)]
    known = [call for call in calls if call is not None]
    if len(known) < len(calls) or len({call["id"] for call in known}) < len(calls):
        written = "\n".join(json.dumps(entry) for entry in message.calls)
        content = f"{message.content}\n{written}" if message.content else written
        return {"role": "assistant", "content": content}
    return {"role": "assistant", "content": message.content or None, "tool_calls": known}


def call_ids(message: Mapping[str, Any]) -> tuple[str, ...]:
    """Returns the ids of a message's calls, each of which a server wants answered."""
    return tuple(call["id"] for call in message.get("tool_calls", ()))


def _read(text: str) -> ChatMessage | None:
    try:
        return read_message(text)
    except OperationError:
        return None


def _tool_call(number: int, entry: object) -> dict[str, Any] | None:
    """Returns a call as servers take it; None where it can't be one."""
    function = entry.get("function") if isinstance(entry, dict) else None
    if not isinstance(entry, dict) or not isinstance(function, dict):
        return None
    name, arguments = function.get("name"), function.get("arguments")
    if isinstance(arguments, dict):
        arguments = json.dumps(arguments)
    if not isinstance(name, str) or not name or not _is_object(arguments):
        return None
    given = entry.get("id")
    identity = given if isinstance(given, str) and given else f"call_{number}"
    function = {"name": name, "arguments": arguments}
    return {"id": identity, "type": "function", "function": function}


def _is_object(text: object) -> bool:
    if not isinstance(text, str):
        return False
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False
