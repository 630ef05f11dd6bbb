"""The `qwen-xml` dialect: the texts of `qwen3-vl`, each argument in a tag of its own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import ClassVar

from ..operations import operations
from .grammar.answers import PLAIN, AnswerStyle
from .grammar.call_dialect import TAG
from .grammar.found_calls import CallSyntax
from .grammar.function_calls import FunctionCalls
from .qwen3_vl import Qwen3VLDialect


def _text_keys() -> set[str]:
    """Returns the names of arguments whose value is text, whatever it begins with."""
    extra = {name for names in Qwen3VLDialect.extra.values() for name in names}
    return extra | {name for name, each in operations().arguments.items() if each.is_text}


class QwenXMLDialect(Qwen3VLDialect):
    """Calls as `<function=...>` and `<parameter=...>` in `<tool_call>`, answers as plain text.

    A value that begins like JSON is read as JSON, any other as text; `label` is always text. A
    message without a call is the answer: all that follows the thinking.

    >>> from pixel_env.dialects import Shown
    >>> box = "<parameter=bbox_2d>[500, 0, 1000, 250]</parameter>"
    >>> call = f"<tool_call><function=image_zoom_in_tool>{box}</function></tool_call>"
    >>> QwenXMLDialect().parse(call, Shown(sizes=((640, 480),)))["bbox"].tolist()
    [0.5, 0.0, 1.0, 0.25]
    """

    name: ClassVar[str] = "qwen-xml"
    answers: ClassVar[AnswerStyle] = PLAIN
    syntax: ClassVar[CallSyntax] = FunctionCalls(TAG, text_keys=_text_keys)
    form: ClassVar[str] = (
        f"<{TAG}>\n<function=...>\n<parameter=...>\n...\n</parameter>\n</function>\n</{TAG}>"
    )

    def write_call(self, name: str, arguments: Mapping[str, str]) -> str:
        """Writes each argument in its tag, text without quotes."""
        lines = [f"<{TAG}>", f"<function={name}>"]
        for key, value in arguments.items():
            plain = json.loads(value) if value.startswith('"') else value
            lines += [f"<parameter={key}>", plain, "</parameter>"]
        return "\n".join([*lines, "</function>", f"</{TAG}>"])
