"""The `qwen-xml` dialect: the words of `qwen3-vl`, each argument in a tag of its own."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, ClassVar

from ..errors import OperationError
from .grammar.answers import PLAIN, AnswerStyle
from .grammar.call_dialect import TAG
from .grammar.calls import MAX_CALL_CHARS, Call, find_call, read_json
from .qwen3_vl import Qwen3VLDialect

_FUNCTION = re.compile(r"\s*<function=([^<>\s]{1,64})>(.*)</function>\s*", re.DOTALL)
_PARAMETER = re.compile(r"\s*<parameter=([^<>\s]{1,64})>(.*?)</parameter>\s*", re.DOTALL)
_JSON_STARTS = frozenset('[{"-0123456789')


class QwenXMLDialect(Qwen3VLDialect):
    """Calls as `<function=...>` and `<parameter=...>` in `<tool_call>`, answers as plain text.

    A value that begins like JSON is read as JSON, any other as text. A message without a call is
    the answer: all that follows the thinking.

    >>> from pixel_env.dialects import Shown
    >>> box = "<parameter=bbox_2d>[500, 0, 1000, 250]</parameter>"
    >>> call = f"<tool_call><function=image_zoom_in_tool>{box}</function></tool_call>"
    >>> QwenXMLDialect().parse(call, Shown(sizes=((640, 480),)))["bbox"].tolist()
    [0.5, 0.0, 1.0, 0.25]
    """

    name: ClassVar[str] = "qwen-xml"
    answers: ClassVar[AnswerStyle] = PLAIN
    form: ClassVar[str] = (
        f"<{TAG}>\n<function=...>\n<parameter=...>\n...\n</parameter>\n</function>\n</{TAG}>"
    )

    def split(self, text: str) -> tuple[Call | None, str]:
        """Splits a message into its call and the text that may answer."""
        body = find_call(text, TAG)
        return (None if body is None else _read_function(body)), text

    def write_call(self, name: str, arguments: Mapping[str, str]) -> str:
        """Writes each argument in its tag, text without quotes."""
        lines = [f"<{TAG}>", f"<function={name}>"]
        for key, value in arguments.items():
            plain = json.loads(value) if value.startswith('"') else value
            lines += [f"<parameter={key}>", plain, "</parameter>"]
        return "\n".join([*lines, "</function>", f"</{TAG}>"])


def _read_function(body: str) -> Call:
    """Reads the one function of a call.

    Raises:
        OperationError: kind "malformed", or "several_calls".
    """
    if len(body) > MAX_CALL_CHARS:
        raise OperationError(
            "malformed", f"A call may hold {MAX_CALL_CHARS} characters, got {len(body)}."
        )
    if (n_calls := body.count("<function=")) > 1:
        raise OperationError("several_calls", f"Write one call in a message, got {n_calls}.")
    function = _FUNCTION.fullmatch(body)
    if function is None:
        raise OperationError("malformed", "A call must be <function=name>...</function>.")
    name, inside = function.groups()
    arguments: dict[str, Any] = {}
    place = 0
    while found := _PARAMETER.match(inside, place):
        key, value = found[1], found[2].strip()
        if key in arguments:
            raise OperationError("malformed", "A call must give each name once.")
        arguments[key] = read_json(value) if value[:1] in _JSON_STARTS else value
        place = found.end()
    if inside[place:].strip():
        raise OperationError(
            "malformed", "A function must hold only <parameter=name>...</parameter>."
        )
    return Call(name, arguments)
