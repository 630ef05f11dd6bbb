"""A benchmark described in a TOML file: a command line that stands before the one typed."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pixel_env.errors import ConfigError, unknown_name

from ..settings.names import flag

_ENTRIES = {"policy": "policy_arg", "env": "env_arg", "judge": "judge_arg"}
"""Tables of entries, and the setting that takes their arguments."""

_FIELDS = ("name", "label", "args")


def as_arguments(path: Path, known: Sequence[str]) -> list[str]:
    """Reads a file of a benchmark.

    Args:
        path: a TOML file. `[[policy]]`, `[[env]]` and `[[judge]]` hold a `name`, perhaps a `label`
            and a table of `args`; whatever else stands there is a setting of the command by its
            name.
        known: names of the command's settings.

    Returns:
        The arguments of the command line that means the same.

    Raises:
        ConfigError: the file can't be read, or has an unknown name.
    """
    try:
        with path.open("rb") as stream:
            read = tomllib.load(stream)
    except (OSError, ValueError) as fault:
        raise ConfigError(f"{path} can't be read: {fault}") from fault
    arguments: list[str] = []
    for name, value in read.items():
        if name in _ENTRIES:
            arguments += _entries(name, value, path)
        elif name not in known or name == "config":
            raise unknown_name(f"settings in {path}", name, (*known, *_ENTRIES))
        else:
            arguments += _setting(name, value)
    return arguments


def _setting(name: str, value: Any) -> list[str]:
    if isinstance(value, list):
        return [argument for each in value for argument in _setting(name, each)]
    if isinstance(value, bool):
        return [flag(name)] if value else []
    return [f"{flag(name)}={value}"]


def _entries(kind: str, given: Any, path: Path) -> list[str]:
    if not isinstance(given, list) or not all(isinstance(each, Mapping) for each in given):
        raise ConfigError(f"{path}: expected {kind} to be tables, as in [[{kind}]]")
    arguments = []
    for each in given:
        for field in each:
            if field not in _FIELDS:
                raise unknown_name(f"a field of [[{kind}]] in {path}", field, _FIELDS)
        name, label, own = each.get("name"), each.get("label"), each.get("args", {})
        if not isinstance(name, str) or not isinstance(own, Mapping):
            raise ConfigError(f"{path}: expected each [[{kind}]] to have a name; args is a table")
        arguments.append(f"{flag(kind)}={name if label is None else f'{label}={name}'}")
        at = f"{name if label is None else label}."
        arguments += [
            f"{flag(_ENTRIES[kind])}={at}{key}={json.dumps(value)}" for key, value in own.items()
        ]
    return arguments
