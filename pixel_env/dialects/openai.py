"""The `openai` dialect: a chat completion's message, with `tool_calls` or plain content."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from ..errors import OperationError
from ..types import Action
from .grammar.answers import PLAIN, AnswerStyle, in_tags
from .grammar.call_dialect import CallDialect, as_object
from .grammar.calls import MAX_MESSAGE_CHARS, Call, as_call, read_json, read_object
from .grammar.coordinates import FRACTIONS
from .grammar.dialect import Shown
from .grammar.prompts import Prompt
from .grammar.view_names import Numbered


class OpenAIDialect(CallDialect):
    """Messages of an OpenAI chat API, and of servers that speak like one.

    A text that begins with a brace is the JSON of a message, with `content` and `tool_calls`; any
    other is a message's content. The content of a message without a call is the answer: what it
    declares, else all of it. `tool_schemas()` goes into the request's `tools`, so the system
    message holds no schemas; the pictures of `tell` become `image_url` parts.

    >>> from pixel_env import zoom_in
    >>> from pixel_env.dialects import Shown
    >>> dialect, shown = OpenAIDialect(), Shown(sizes=((640, 480),))
    >>> message = dialect.render(zoom_in([0.5, 0, 1, 0.25]), shown)
    >>> json.loads(message)["tool_calls"][0]["function"]["arguments"]
    '{"bbox_2d": [0.5, 0, 1, 0.25], "target_image": 1}'
    >>> dialect.parse(message, shown)["bbox"].tolist()
    [0.5, 0.0, 1.0, 0.25]
    >>> dialect.parse("B", shown)["text"]
    'B'
    """

    name: ClassVar[str] = "openai"
    frame = FRACTIONS
    views = Numbered("target_image", first=1)
    answers: ClassVar[AnswerStyle] = PLAIN
    zoom: ClassVar[str] = "zoom_in"
    zoom_aliases: ClassVar[tuple[str, ...]] = ("crop_image_normalized",)
    select: ClassVar[str | None] = "select_frames"
    frames_key: ClassVar[str] = "target_frames"
    how_to_call: ClassVar[str] = "Call one tool"
    form: ClassVar[str] = "  a call of one of the tools"
    thinks: ClassVar[bool] = False

    def system_prompt(self, brief: bool = False) -> str:
        """Returns the system message; the schemas go beside it."""
        prompt = Prompt(self._names(), self.answers, self.form, self.thinks, self.views.rule)
        return prompt.brief() if brief else prompt.full((), self.select)

    def split(self, text: str) -> tuple[Call | None, str]:
        """Splits a message into its call and its content."""
        if len(text) > MAX_MESSAGE_CHARS:
            raise OperationError(
                "malformed", f"A message may hold {MAX_MESSAGE_CHARS} characters, got {len(text)}."
            )
        if not text.lstrip().startswith("{"):
            return None, text
        message = read_object(text, MAX_MESSAGE_CHARS)
        content, calls = message.get("content"), message.get("tool_calls")
        if not isinstance(content or "", str) or not isinstance(calls or [], list):
            raise OperationError(
                "malformed", "A message must have content (text) or tool_calls (a list)."
            )
        if calls and len(calls) > 1:
            raise OperationError("several_calls", f"Write one call in a message, got {len(calls)}.")
        said = (content or "").encode("utf-8", errors="replace").decode("utf-8")  # "\ud800"
        return (_read_tool_call(calls[0]) if calls else None), said

    def write_call(self, name: str, arguments: Mapping[str, str]) -> str:
        """Writes a message that calls."""
        return _message(None, _tool_call(name, arguments))

    def render(self, action: Action, shown: Shown) -> str:
        """Writes an action as the JSON of a message."""
        if action["operation"] == 0:
            answer = action["text"]
            return _message(self._written(self.answers.write(answer), answer))
        return super().render(action, shown)

    def compose(self, thought: str, action: Action, shown: Shown) -> str:
        """Writes a message whose content begins with what is thought."""
        if action["operation"] == 0:
            declared = self._written(in_tags(action["text"]), action["text"])
            return _message(f"{thought}\n{declared}")
        return _message(thought, _tool_call(*self._call_of(action, shown)))

    def _answer_in(self, text: str) -> str | None:
        """Reads the answer of a message's content."""
        return self.answers.read(text, self.how_to_call)["text"]


def _read_tool_call(entry: object) -> Call:
    """Reads one entry of `tool_calls`; its arguments are JSON, as text or as they are."""
    function = entry.get("function") if isinstance(entry, dict) else None
    if not isinstance(function, dict):
        raise OperationError("malformed", "An entry of tool_calls must have a function.")
    arguments = function.get("arguments")
    if isinstance(arguments, str):
        arguments = read_json(arguments)
    return as_call({"name": function.get("name"), "arguments": arguments})


def _tool_call(name: str, arguments: Mapping[str, str]) -> dict[str, Any]:
    """Builds one entry of `tool_calls`."""
    function = {"name": name, "arguments": as_object(arguments)}
    return {"id": "call_0", "type": "function", "function": function}


def _message(content: str | None, *calls: Mapping[str, Any]) -> str:
    """Writes the JSON of an assistant's message."""
    message: dict[str, Any] = {"role": "assistant", "content": content}
    return json.dumps(message | ({"tool_calls": calls} if calls else {}))
