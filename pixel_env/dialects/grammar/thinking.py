"""Splits a message into content and thinking, without quotes and what follows its end."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ...errors import OperationError
from .calls import MAX_MESSAGE_CHARS

_END = re.compile(r"<\|(?:im_end|endoftext|eot_id|end_of_text)\|>")
_START = re.compile(r"\s{0,9}<\|im_start\|>assistant\s")
_THINKING = re.compile(r"<(/?)think(?:ing)?>", re.IGNORECASE)
_RESPONSE = re.compile(r"<(/?)tool_response>", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class MessageParts:
    """A message in parts.

    Attributes:
        content: what stands outside the thinking, without quoted `<tool_response>` elements.
        last: the last part of it that isn't blank, so what follows the thinking.
        thinking: what stands inside it, the same way.
    """

    content: str
    last: str
    thinking: str


def split_thinking(text: str) -> MessageParts:
    """Splits a message into its content and its thinking.

    A message ends at its first `<|im_end|>`, `<|endoftext|>`, `<|eot_id|>` or `<|end_of_text|>`,
    where its server would have stopped. A `</think>` alone ends thinking that the prompt began;
    thinking that isn't brought to an end goes on to the end of the message.

    Raises:
        OperationError: kind "malformed", the message is too long.

    >>> split_thinking("<think>Red? No.</think>Blue<|im_end|>").content
    'Blue'
    >>> split_thinking("Red? No.</think>Blue").thinking
    'Red? No.'
    """
    if len(text) > MAX_MESSAGE_CHARS:
        raise OperationError(
            "malformed", f"A message may hold {MAX_MESSAGE_CHARS} characters, got {len(text)}."
        )
    end = _END.search(text)
    start = _START.match(text)
    message = text[start.end() if start else 0 : end.start() if end else len(text)]
    content, thinking = _parts(_without_quotes(message))
    parts = [part for part in content if part.strip()]
    return MessageParts("\n".join(parts), parts[-1] if parts else "", "\n".join(thinking))


def _parts(message: str) -> tuple[list[str], list[str]]:
    """Splits a message into what stands outside its thinking, and what stands inside."""
    content: list[str] = []
    thinking: list[str] = []
    place, is_thinking = 0, False
    for tag in _THINKING.finditer(message):
        is_closing = bool(tag[1])
        if is_thinking and not is_closing:
            continue  # the thinking mentions its own tag
        part = message[place : tag.start()]
        (thinking if is_closing else content).append(part)
        place, is_thinking = tag.end(), not is_closing
    (thinking if is_thinking else content).append(message[place:])
    return content, thinking


def _without_quotes(message: str) -> str:
    """Takes out what is quoted from an operation: nobody may declare or call with it."""
    kept: list[str] = []
    place, start = 0, -1
    for tag in _RESPONSE.finditer(message):
        if not tag[1]:
            start = tag.start()
        elif start >= 0:
            kept.append(message[place:start])
            place, start = tag.end(), -1
    return "".join([*kept, message[place:]]) if kept else message
