"""How the arguments of a command line stand for values, where tyro has another way."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, get_origin

from tyro.constructors import PrimitiveConstructorSpec, PrimitiveTypeInfo

from pixel_env.errors import ConfigError

TITLES = {"INT": "a whole number", "FLOAT": "a number", "JSON": "an object of JSON"}
"""What a value must be, by how help calls it."""


def boolean(info: PrimitiveTypeInfo) -> PrimitiveConstructorSpec[bool] | None:
    """True and false in small letters."""
    if info.type is not bool:
        return None
    read = {"true": True, "false": False}

    def from_arguments(arguments: list[str]) -> bool:
        if arguments[0].lower() not in read:
            raise ValueError(arguments[0])
        return read[arguments[0].lower()]

    return PrimitiveConstructorSpec(
        nargs=1,
        metavar="{true,false}",
        instance_from_str=from_arguments,
        is_instance=lambda value: isinstance(value, bool),
        str_from_instance=lambda value: [str(value).lower()],
    )


def null(info: PrimitiveTypeInfo) -> PrimitiveConstructorSpec[None] | None:
    """JSON's word for nothing."""
    if info.type is not type(None):
        return None
    return PrimitiveConstructorSpec(
        nargs=1,
        metavar="null",
        instance_from_str=lambda arguments: None,
        is_instance=lambda value: value is None,
        str_from_instance=lambda value: ["null"],
        choices=("null",),
    )


def mapping(info: PrimitiveTypeInfo) -> PrimitiveConstructorSpec[dict[str, Any]] | None:
    """An object of JSON in one argument."""
    if get_origin(info.type) is not Mapping:
        return None

    def from_arguments(arguments: list[str]) -> dict[str, Any]:
        value = json.loads(arguments[0])
        if not isinstance(value, dict):
            raise ValueError(value)
        return value

    return PrimitiveConstructorSpec(
        nargs=1,
        metavar="JSON",
        instance_from_str=from_arguments,
        is_instance=lambda value: isinstance(value, Mapping),
        str_from_instance=lambda value: [json.dumps(dict(value))],
    )


def parts(arguments: Sequence[str]) -> list[str]:
    """Returns the entries of a list: arguments, one with commas, or a list of JSON."""
    if len(arguments) == 1 and arguments[0].startswith("["):
        return [
            part if isinstance(part, str) else json.dumps(part) for part in json.loads(arguments[0])
        ]
    return [part for argument in arguments for part in argument.split(",") if part]


def pairs(arguments: Sequence[str], option: str) -> dict[str, Any]:
    """Reads every NAME=VALUE; a value that is no JSON is taken as text.

    Args:
        arguments: what stood behind the option.
        option: its name, for the error.

    Raises:
        ConfigError: an argument has another form.

    Example:
        >>> pairs(["max_turns=8", "preset=pixel-reasoner"], "--env-arg")
        {'max_turns': 8, 'preset': 'pixel-reasoner'}
    """
    read: dict[str, Any] = {}
    for argument in arguments:
        name, sign, value = argument.partition("=")
        if not name.isidentifier() or not sign:
            raise ConfigError(f"expected {option} to be NAME=VALUE, got {argument!r}")
        try:
            read[name] = json.loads(value)
        except ValueError:
            read[name] = value
    return read
