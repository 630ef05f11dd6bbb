"""The `openai` dialect: a chat completion's message, with `tool_calls` or plain content."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from ..operations import operations
from ..types import Action
from .grammar.answers import PLAIN, AnswerStyle, in_tags
from .grammar.call_dialect import CallDialect, as_object
from .grammar.calls import Call
from .grammar.chat_message import read_message, read_tool_call
from .grammar.coordinates import FRACTIONS
from .grammar.dialect import Shown
from .grammar.found_calls import Beside, Rules, several
from .grammar.thinking import split_thinking
from .grammar.view_names import Numbered


class OpenAIDialect(CallDialect):
    """Messages of an OpenAI chat API, and of servers that speak like one.

    A text that begins with a brace is the JSON of a message, with `content` and `tool_calls`; any
    other is a message's content. The content of a message without a call is the answer: what it
    declares, else all of it; beside a call it is commentary. A call that a server left in the
    content, in `<tool_call>` or bare, is run. `tool_schemas()` goes into the request's `tools`,
    so the system message holds no schemas; the pictures of `tell` become `image_url` parts.

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
    rules: ClassVar[Rules] = Rules(Beside.CALL)
    names: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "zoom_in": ("zoom_in", "crop_image_normalized")
    }
    keys: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "bbox": ("bbox_2d",),
        "frames": ("target_frames",),
    }
    how_to_call: ClassVar[str] = "Call one tool"
    form: ClassVar[str] = "  a call of one of the tools"
    shows_schemas: ClassVar[bool] = False
    thinks: ClassVar[bool] = False

    def split(self, text: str) -> tuple[Call | None, str]:
        """Returns the call of a message, or None and the answer in its content."""
        message = read_message(text)
        if message is None:
            return super().split(text)
        if not message.calls:
            return super().split(message.text)
        content = split_thinking(message.content).content
        n_calls = len(message.calls) + self.syntax.find(content).n_pieces
        if n_calls > 1:
            raise several(n_calls)
        return read_tool_call(message.calls[0]), ""

    def write_call(self, name: str, arguments: Mapping[str, str]) -> str:
        """Writes a message that calls."""
        return _message(None, _tool_call(name, arguments))

    def render(self, action: Action, shown: Shown) -> str:
        """Writes an action as the JSON of a message."""
        if operations().of(action).is_answer:
            answer = action["text"]
            return _message(self._written(self.answers.write(answer), answer))
        return super().render(action, shown)

    def compose(self, thought: str, action: Action, shown: Shown) -> str:
        """Writes a message whose content begins with the thinking."""
        if operations().of(action).is_answer:
            declared = self._written(in_tags(action["text"]), action["text"])
            return _message(f"{thought}\n{declared}")
        return _message(thought, _tool_call(*self._call_of(action, shown)))


def _tool_call(name: str, arguments: Mapping[str, str]) -> dict[str, Any]:
    """Builds one entry of `tool_calls`."""
    function = {"name": name, "arguments": as_object(arguments)}
    return {"id": "call_0", "type": "function", "function": function}


def _message(content: str | None, *calls: Mapping[str, Any]) -> str:
    """Writes the JSON of an assistant's message."""
    message: dict[str, Any] = {"role": "assistant", "content": content}
    return json.dumps(message | ({"tool_calls": calls} if calls else {}))
