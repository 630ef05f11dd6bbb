"""Calls as `<function=...>`, each argument in a tag of its own."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from typing import Any

from ...errors import OperationError
from .calls import MAX_CALL_CHARS, Call, read_json
from .found_calls import MAX_PIECES, CallSyntax, FoundCalls, Piece

_FUNCTION = re.compile(r"<function=([^<>\s]{1,64})>")
_PARAMETER = re.compile(r"\s*<parameter=([^<>\s]{1,64})>")
_VALUE_END = re.compile(r"</parameter>|(?=<parameter=|</function>)")
_AFTER = re.compile(r"\s*(?:</?\w{0,20}>?\s*)?")
_JSON_STARTS = frozenset('[{"-0123456789')
_CLOSED_JSON = frozenset('[{"')


class FunctionCalls(CallSyntax):
    """Calls as `<tag><function=name><parameter=key>value</parameter></function></tag>`.

    A value that begins like JSON is read as JSON, any other as text; the value of a text argument
    is always text. The outer tag may be missing, and so may closing tags where what follows, or
    the value itself, shows that the value is whole.
    """

    def __init__(self, tag: str, text_keys: Callable[[], Collection[str]] = tuple) -> None:
        """Sets the outer tag, and what gives the names of arguments whose value is text."""
        self.tag = tag
        self.text_keys = text_keys
        self._marks = re.compile(
            rf"<(?P<slash>/?){re.escape(tag)}(?:\s[^<>]{{0,99}})?>|(?P<function><function=)",
            re.IGNORECASE,
        )
        self._end = re.compile(rf"</function>|</{re.escape(tag)}|<function=", re.IGNORECASE)

    def find(self, text: str) -> FoundCalls:
        """Finds the functions; see `CallSyntax.find`."""
        found = FoundCalls()
        is_open = False
        starts: list[tuple[int, bool]] = []
        for mark in self._marks.finditer(text):
            if mark["function"]:
                starts.append((mark.start(), is_open))
            elif mark["slash"]:
                found.n_closings += 1
                is_open = False
            else:
                found.n_openings += 1
                is_open = True
                found.mentions.append(self._inside(text, mark.end(), len(found.mentions)))
        if starts:
            found.mentions.clear()
        for start, is_tagged in starts[:MAX_PIECES]:
            piece = Piece(self._body(text, start))
            (found.tagged if is_tagged else found.bare).append(piece)
        return found

    def read(self, body: str) -> Call:
        """Reads the one function of a body; see `CallSyntax.read`."""
        if len(body) > MAX_CALL_CHARS:
            raise OperationError(
                "malformed", f"A call may hold {MAX_CALL_CHARS} characters, got {len(body)}."
            )
        function = _FUNCTION.match(body)
        if function is None:
            raise OperationError("malformed", "A call must be <function=name>...</function>.")
        arguments: dict[str, Any] = {}
        text_keys = self.text_keys()
        place = function.end()
        while parameter := _PARAMETER.match(body, place):
            key = parameter[1]
            if key in arguments:
                raise OperationError("malformed", "A call must give each name once.")
            end = _VALUE_END.search(body, parameter.end())
            value = body[parameter.end() : end.start() if end else len(body)].strip()
            is_json = value[:1] in _JSON_STARTS and key not in text_keys
            if end is None and not (is_json and value[:1] in _CLOSED_JSON):  # a part may be missing
                raise OperationError("malformed", "A parameter must end with </parameter>.")
            arguments[key] = read_json(value) if is_json else value
            place = end.end() if end else len(body)
        if _AFTER.fullmatch(body, place) is None:
            raise OperationError(
                "malformed", "A function must hold only <parameter=name>...</parameter>."
            )
        return Call(function[1], arguments)

    def _inside(self, text: str, start: int, n_before: int) -> str | None:
        """Returns what stands in a tag; only of the first is it ever read."""
        end = None if n_before else self._end.search(text, start)
        return text[start : end.start()] if end else None

    def _body(self, text: str, start: int) -> str:
        """Cuts out what begins with a function, up to its closing tag or to the next mark."""
        end = self._end.search(text, start + 1)
        if end is None:
            return text[start:]
        return text[start : end.end() if end[0].endswith("</function>") else end.start()]
