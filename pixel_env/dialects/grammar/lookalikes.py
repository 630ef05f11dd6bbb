"""Text that looks like a call of some dialect: it is never taken for an answer."""

from __future__ import annotations

import re

from .json_calls import JSONCalls

_MARKS = re.compile(
    r"</?(?:tool_calls?|tools|grounding|function_call|tool_code)\b[^<>]{0,99}>"
    r"|</?(?:function|parameter)(?:=|>)"
    r"|<\|(?:tool_call|python_tag)"
    r"|\b\w{1,64}\(\s{0,9}bbox(?:_2d)?\s{0,9}=",
    re.IGNORECASE,
)
_OBJECTS = JSONCalls("tool_call")


def looks_like_call(text: str) -> bool:
    """Whether a text holds the marks of a call, whole or not.

    >>> looks_like_call('{"name": "zoom_in", "arguments": {}}'), looks_like_call("{1, 2}")
    (True, False)
    >>> looks_like_call("<function=zoom_in>"), looks_like_call("a < b")
    (True, False)
    """
    return _MARKS.search(text) is not None or bool(_OBJECTS.find(text))
