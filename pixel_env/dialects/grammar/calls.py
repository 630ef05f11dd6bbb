"""Reading the JSON of a call, under limits, and never `eval`.

Whatever the text is, the outcome is a call or an `OperationError` whose sentence can be shown to
the model.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from ...errors import OperationError
from ...reading import MAX_INTEGER_CHARS

MAX_MESSAGE_CHARS = 1_000_000
"""A longer message is refused before it is read."""

MAX_CALL_CHARS = 10_000
"""A longer call is refused before it is parsed."""

MAX_DEPTH = 8
"""How deeply the JSON of a call may nest."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call as written: the tool's name and its arguments, not yet checked.

    Attributes:
        name: the tool asked for; any text.
        arguments: JSON values by argument name.
    """

    name: str
    arguments: dict[str, Any]


def read_call(body: str) -> Call:
    """Reads `{"name": ..., "arguments": {...}}`.

    Args:
        body: JSON text, with or without white space around it.

    Raises:
        OperationError: it isn't one such object ("malformed"), or it holds NaN ("bad_arguments").

    >>> read_call('{"name": "zoom", "arguments": {"target_image": 2}}')
    Call(name='zoom', arguments={'target_image': 2})
    """
    value = read_json(body)
    if not isinstance(value, dict):
        raise OperationError("malformed", "A call must be one JSON object with name and arguments.")
    return as_call(value)


def as_call(value: Mapping[str, Any]) -> Call:
    """Takes the name and the arguments out of a JSON object.

    Raises:
        OperationError: kind "malformed", one is missing or of the wrong kind.
    """
    name, arguments = value.get("name"), value.get("arguments")
    if not isinstance(name, str) or not isinstance(arguments, dict):
        raise OperationError(
            "malformed", "A call must have a name (text) and arguments (a JSON object)."
        )
    return Call(name, arguments)


def read_object(body: str, max_chars: int = MAX_CALL_CHARS) -> dict[str, Any]:
    """Reads one JSON object; see `read_json`.

    Raises:
        OperationError: kind "malformed" or "bad_arguments".
    """
    value = read_json(body, max_chars)
    if not isinstance(value, dict):
        raise OperationError("malformed", "A call must be one JSON object.")
    return value


def read_json(body: str, max_chars: int = MAX_CALL_CHARS) -> Any:
    """Reads JSON under limits of length and depth.

    Args:
        body: JSON text, with or without white space around it.
        max_chars: a longer text is refused unread.

    Raises:
        OperationError: it isn't JSON, too long or too deep ("malformed"), or it holds NaN
            ("bad_arguments").
    """
    if len(body) > max_chars:
        raise OperationError(
            "malformed", f"A call may hold {max_chars} characters, got {len(body)}."
        )
    _check_depth(body)
    try:
        return json.loads(
            body,
            parse_int=_read_integer,
            parse_constant=_refuse_constant,
            object_pairs_hook=_read_pairs,
        )
    except json.JSONDecodeError as error:
        raise OperationError(
            "malformed", f"The call is not JSON: {error.msg} at character {error.pos + 1}."
        ) from None


def nesting(text: str) -> Iterator[tuple[int, int]]:
    """Yields the place of each bracket and how deep the text nests behind it.

    Brackets within JSON's texts don't count.

    >>> list(nesting('{"a": "}"}'))
    [(0, 1), (9, 0)]
    """
    depth, is_in_text, is_escaped = 0, False, False
    for place, sign in enumerate(text):
        if is_in_text:
            is_in_text = is_escaped or sign != '"'
            is_escaped = sign == "\\" and not is_escaped
        elif sign == '"':
            is_in_text = True
        elif sign in "[]{}":
            depth += 1 if sign in "[{" else -1
            yield place, depth


def _check_depth(body: str) -> None:
    """Refuses deep nesting before the JSON parser, which recurses, sees it."""
    if any(depth > MAX_DEPTH for _, depth in nesting(body)):
        raise OperationError("malformed", f"A call may nest {MAX_DEPTH} deep, got more.")


def _read_integer(digits: str) -> int | float:
    """Reads an integer of any length without the cost, or the limit, of long ones."""
    return int(digits) if len(digits) <= MAX_INTEGER_CHARS else float(digits)


def _refuse_constant(name: str) -> NoReturn:
    """Refuses NaN and the infinities, which JSON doesn't have."""
    raise OperationError("bad_arguments", f"{name} is not a number: write plain decimal numbers.")


def _read_pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuses a name given twice, where a parser would choose one in silence."""
    values = dict(pairs)
    if len(values) != len(pairs):
        raise OperationError("malformed", "A call must give each name once.")
    return values
