"""The command line of a config: one option for every field, its help from the field's own line."""

from __future__ import annotations

import argparse
import ast
import inspect
import json
import re
import textwrap
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from itertools import pairwise
from typing import Any, TypeVar

from pixel_env.errors import ConfigError, unknown_name

Config = TypeVar("Config")
_ENTRY = re.compile(r"^    ?(\w+): (.*)$")


def add_options(parser: argparse.ArgumentParser, config: Any, prefix: str = "") -> None:
    """Adds an option for every field of a dataclass; nested ones get a group and a prefix.

    Args:
        parser: gets the options, such as "--imitation.learning-rate".
        config: an instance; its values are the defaults that are shown.
        prefix: stands before every name.
    """
    told = field_help(type(config))
    nested = []
    group: Any = parser.add_argument_group(prefix.rstrip(".") or "run") if prefix else parser
    for each in fields(config):
        value = getattr(config, each.name)
        if is_dataclass(value):
            nested.append((value, f"{prefix}{each.name}."))
            continue
        group.add_argument(
            f"--{prefix}{each.name}".replace("_", "-"),
            dest=f"{prefix}{each.name}",
            default=None,
            metavar=_metavar(value),
            help=f"{told.get(each.name, '')} (default: {_shown(value)})".replace("%", "%%"),
        )
    for value, name in nested:
        add_options(parser, value, name)


def read_options(given: Mapping[str, str | None], config: Config, prefix: str = "") -> Config:
    """Returns a config with the values that were given on the command line.

    Args:
        given: `vars` of the parsed arguments.
        config: the defaults.
        prefix: as in `add_options`.

    Raises:
        ConfigError: a value is not of its field's kind, or out of range.
    """
    changes: dict[str, Any] = {}
    for each in fields(config):  # type: ignore[arg-type]
        name, value = f"{prefix}{each.name}", getattr(config, each.name)
        if is_dataclass(value):
            changes[each.name] = read_options(given, value, f"{name}.")
        elif (text := given.get(name)) is not None:
            changes[each.name] = _read(text, value, f"--{name}".replace("_", "-"))
    made: Config = replace(config, **changes)  # type: ignore[type-var]
    return made


def with_values(config: Config, values: Any, prefix: str = "") -> Config:
    """Returns a config with the values of a file.

    Args:
        config: the defaults.
        values: fields by name, those of nested configs in mappings of their own, of JSON's types.
        prefix: stands before every name in errors.

    Raises:
        ConfigError: a name is unknown, or a value is not of its field's kind, or out of range.
    """
    if not isinstance(values, Mapping):
        raise ConfigError(f"expected {prefix.rstrip('.') or 'a file'} to hold settings by name")
    known = [each.name for each in fields(config)]  # type: ignore[arg-type]
    changes: dict[str, Any] = {}
    for key, value in values.items():
        name, default = f"{prefix}{key}", getattr(config, str(key), None)
        if key not in known:
            raise unknown_name(f"settings in {prefix.rstrip('.') or 'the file'}", key, known)
        if is_dataclass(default):
            changes[key] = with_values(default, value, f"{name}.")
        else:
            changes[key] = _checked(value, default, name, value)
    made: Config = replace(config, **changes)  # type: ignore[type-var]
    return made


def field_help(cls: type) -> dict[str, str]:
    """Returns what is said about each field: in the line under it, or under "Attributes:"."""
    told: dict[str, str] = {}
    for line in textwrap.dedent(inspect.getdoc(cls) or "").splitlines():
        if entry := _ENTRY.match(line):
            told[entry[1]] = entry[2]
        elif told and line.startswith("      "):
            last = next(reversed(told))
            told[last] += " " + line.strip()
    body = ast.parse(textwrap.dedent(inspect.getsource(cls))).body[0]
    statements = body.body if isinstance(body, ast.ClassDef) else []
    for statement, following in pairwise(statements):
        if isinstance(statement, ast.AnnAssign) and isinstance(following, ast.Expr):
            line = ast.literal_eval(following.value)
            told[ast.unparse(statement.target)] = " ".join(str(line).split())
    return told


def _read(text: str, default: Any, option: str) -> Any:
    """Reads a value of the default's kind; text stays text, everything else is JSON."""
    if isinstance(default, str):
        return text
    if isinstance(default, tuple) and not text.startswith("["):
        text = json.dumps([part for part in text.split(",") if part])
    try:
        value = json.loads(text)
    except ValueError:
        value = text
    return _checked(value, default, option, text)


def _checked(value: Any, default: Any, name: str, shown: Any) -> Any:
    """Returns a value of JSON's types as its field has it."""
    if isinstance(default, tuple) and isinstance(value, list):
        return tuple(value)
    if isinstance(default, float) and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if default is not None and type(value) is not type(default):
        raise ConfigError(f"expected {name} to be {_metavar(default)}, got {shown!r}")
    return value


def _metavar(value: Any) -> str:
    """Names the kind of a value in help and errors."""
    if isinstance(value, bool):
        return "true|false"
    if isinstance(value, tuple):
        return "A,B"
    if isinstance(value, Mapping):
        return "JSON"
    return {int: "N", float: "X", str: "NAME"}.get(type(value), "JSON")


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
