"""Calls as JSON objects: in a tag, or without it where they are clear."""

from __future__ import annotations

import re

from ...errors import OperationError
from .calls import MAX_CALL_CHARS, Call, nesting, read_call, read_json, read_object
from .found_calls import MAX_PIECES, CallSyntax, FoundCalls, Piece

_BOX_OR_FRAMES = ("bbox_2d", "bbox", "target_frames", "frame_idx")
_FIRST_KEYS = (
    *("name", "arguments", "parameters", "function", "function_call", "tool_calls", "type", "id"),
    *("source", "label", "img_idx", "target_image"),
    *_BOX_OR_FRAMES,
)
_OBJECT = rf"(?<!\\)(?P<object>\{{)\s{{0,99}}[\"']?(?:{'|'.join(_FIRST_KEYS)})[\"']?\s{{0,99}}:"
_CALL_KEYS = ("arguments", "parameters", "function", "function_call", "tool_calls", *_BOX_OR_FRAMES)
_SIGN = re.compile(rf"[\"'](?:{'|'.join(_CALL_KEYS)})[\"']")
_TOOL = re.compile(r"[a-z0-9]+(?:_[a-z0-9]+)+")
_BEFORE = re.compile(r"\s*(?:```\w{0,9}\s*)?(?:\[\s*)?(?=\{)")
_AFTER = re.compile(r"\s*(?:\]\s*)?(?:```\s*)?(?:</?\w{0,20}>?\s*)?")


class JSONCalls(CallSyntax):
    """Calls as `<tag>{"name": ..., "arguments": {...}}</tag>`.

    >>> syntax = JSONCalls("call")
    >>> found = syntax.find('I zoom. <call>{"name": "zoom", "arguments": {}}')
    >>> syntax.read(found.tagged[0].body)
    Call(name='zoom', arguments={})
    """

    def __init__(self, tag: str, name: str | None = None) -> None:
        """Sets the tag, and the name of every call where the object holds the arguments alone."""
        self.tag = tag
        self.name = name
        tags = rf"<(?P<slash>/?){re.escape(tag)}(?:\s[^<>]{{0,99}})?>"
        self._closing = re.compile(rf"</{re.escape(tag)}\s{{0,9}}>", re.IGNORECASE)
        self._marks = re.compile(f"{tags}|{_OBJECT}", re.IGNORECASE)

    def find(self, text: str) -> FoundCalls:
        """Finds the objects that follow the tag, and those that look like a call elsewhere."""
        found = FoundCalls()
        place, is_open, n_checked = 0, False, 0
        while mark := self._marks.search(text, place):
            place = mark.end()
            if mark["slash"]:
                found.n_closings += 1
                is_open = False
                continue
            start = mark.start()
            if mark["object"] is None:
                found.n_openings += 1
                is_open = True
                body = _BEFORE.match(text, place)
                if body is None:
                    found.mentions.append(self._inside(text, place, len(found.mentions)))
                    continue
                start = body.end()
            n_checked += 1
            if n_checked > MAX_PIECES:
                continue
            end = object_end(text, start)
            if mark["object"] is None or _looks_like_call(text[start:end], end is not None):
                piece = self._piece(text, start, end)
                (found.tagged if is_open else found.bare).append(piece)
                place = start + len(piece.body)
        return found

    def read(self, body: str) -> Call:
        """Reads the object; see `CallSyntax.read`."""
        return read_call(body) if self.name is None else Call(self.name, read_object(body))

    def _inside(self, text: str, start: int, n_before: int) -> str | None:
        """Returns what stands in a tag; only of the first is it ever read."""
        closing = None if n_before else self._closing.search(text, start)
        return text[start : closing.start()] if closing else None

    def _piece(self, text: str, start: int, end: int | None) -> Piece:
        """Cuts a piece out; one without an end goes on to the closing tag."""
        closing = self._closing.search(text, end or start)
        stop = closing.start() if closing else len(text)
        if end is None:
            return Piece(text[start:stop])
        return Piece(text[start:end], _AFTER.fullmatch(text, end, stop) is not None)


def _looks_like_call(body: str, is_whole: bool) -> bool:
    """Whether an object outside the tag, with such a first key, may have been meant as a call."""
    if not is_whole:
        return True
    try:
        value = read_json(body)
    except OperationError:
        return _SIGN.search(body) is not None
    if not isinstance(value, dict):
        return False
    name = value.get("name")
    is_tool = isinstance(name, str) and _TOOL.fullmatch(name) is not None
    return is_tool or not value.keys().isdisjoint(_CALL_KEYS)


def object_end(text: str, start: int) -> int | None:
    """Returns where the JSON object that begins at `start` ends, or None.

    Brackets within texts don't count. An object of more than `MAX_CALL_CHARS` has no end here.

    >>> object_end('{"a": "}"} and', 0)
    10
    """
    for place, depth in nesting(text[start : start + MAX_CALL_CHARS]):
        if depth == 0:
            return start + place + 1
    return None
