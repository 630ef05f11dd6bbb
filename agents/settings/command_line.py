"""The command line of a config: tyro reads it, and this adds what tyro can't know.

Values of files take the same way: a file is a command line that stands before the one typed.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import partial
from typing import Annotated, Any, TypeVar, get_origin, get_type_hints

import tyro
from tyro.constructors import (
    ConstructorRegistry,
    PrimitiveConstructorSpec,
    PrimitiveTypeInfo,
    StructConstructorSpec,
    StructFieldSpec,
    StructTypeInfo,
)

from pixel_env.errors import ConfigError, PixelEnvError, unknown_name

from .kinds import TITLES, boolean, mapping, null, parts
from .marks import FLAG, POSITIONAL, REPEATED, UNPREFIXED
from .names import ALL, field_help, flag, no_option, option_without_value, paths, with_flags

Config = TypeVar("Config")

_HELP = ("-h", "--help")


class UsageError(ConfigError):
    """A command line that can't be read: an option is unknown, or one that is needed is missing."""


class _Refused(PixelEnvError):
    """A wrong value. No `ValueError`, which tyro would show in a box of its own."""


@dataclass(frozen=True, slots=True)
class Page:
    """The help of a command.

    Attributes:
        command: the command, such as "pixel-reason train".
        text: what it does, with examples.
        often: paths of the settings that the short help shows; () shows all of them.
    """

    command: str
    text: str = ""
    often: tuple[str, ...] = ()


def read(arguments: Sequence[str], default: Config, page: Page | None = None) -> Config:
    """Returns a config changed by a command line.

    Args:
        arguments: what stands behind the command; of an option given twice, the last one counts.
        default: the config without any; its class has a line under every field, which is the help.
        page: the help.

    Raises:
        UsageError: an option is unknown, or has no value.
        ConfigError: a value is of another kind, or out of range; the sentence names the option.
        SystemExit: help was asked for, and printed.
    """
    page = page or Page("pixel-reason")
    shown = _asked_for_help(arguments)
    hidden = shown in _HELP and page.often
    if not shown and (word := option_without_value(arguments, default)):
        raise UsageError(f"expected a value behind {word}")
    made, unknown = _cli([_HELP[1]] if shown else arguments, default, page, bool(hidden))
    if unknown:
        raise UsageError(no_option(unknown[0], default))
    return made


def read_some(arguments: Sequence[str], default: Config) -> Config:
    """Returns a config changed by its part of a command line, whatever else stands there."""
    return _cli([word for word in arguments if word not in (*_HELP, ALL)], default, Page(""))[0]


def as_arguments(values: Any, default: Any, at: str = "") -> list[str]:
    """Turns the values of a file into the arguments of a command line.

    Args:
        values: settings by name, those of nested configs in mappings of their own, of JSON's types.
        default: the config that they are of.
        at: its path in an outer config, with a dot behind it.

    Raises:
        ConfigError: a name is unknown.

    Example:
        >>> from ..run.config import RunConfig
        >>> as_arguments({"seed": 3, "on_policy": {"loss": {"clip_low": 0.1}}}, RunConfig())
        ['--seed=3', '--on-policy.loss.clip-low=0.1']
    """
    where = at.rstrip(".") or "the file"
    if not isinstance(values, Mapping):
        raise ConfigError(f"expected {where} to hold settings by name")
    known = [each.name for each in fields(default)]
    arguments = []
    for name, value in values.items():
        if name not in known:
            raise unknown_name(f"settings in {where}", name, known)
        if is_dataclass(inner := getattr(default, name)):
            arguments += as_arguments(value, inner, f"{at}{name}.")
        else:
            text = value if isinstance(value, str) else json.dumps(value)
            arguments.append(f"{flag(at + name)}={text}")
    return arguments


def _asked_for_help(arguments: Sequence[str]) -> str:
    return next((word for word in arguments if word in (*_HELP, ALL)), "")


def _cli(
    arguments: Sequence[str], default: Config, page: Page, is_short: bool = False
) -> tuple[Config, list[str]]:
    """Calls tyro; returns the config and the arguments that it doesn't know."""
    registry = ConstructorRegistry()
    registry.primitive_rule(boolean)
    registry.primitive_rule(null)
    registry.primitive_rule(mapping)
    at = {id(config): path for path, config in paths(default)}
    own: Any = fields(default)  # type: ignore[arg-type]
    often = {*page.often, *(each.name for each in own)} if is_short else None
    registry.struct_rule(partial(_struct, at, often))
    text = page.text + f"\n\n{ALL} shows every setting." * is_short
    kind: Any = type(default)
    try:
        made: tuple[Config, list[str]] = tyro.cli(
            kind, default=default, args=list(arguments), prog=page.command, description=text,
            registry=registry, return_unknown_args=True,
        )  # fmt: skip
    except _Refused as refused:
        raise ConfigError(str(refused)) from refused
    return made


def _struct(
    at: Mapping[int, str], often: Collection[str] | None, info: StructTypeInfo
) -> StructConstructorSpec | None:
    """Describes to tyro what a config is made of; leaves out what a short help doesn't show."""
    if not is_dataclass(info.type):
        return None
    kind: Any = info.type
    hide: Any = tyro.conf.Suppress
    path = at[id(info.default)]
    # Not by the module's name: a script that was run from its path has left `sys.modules`.
    help_texts, hints = field_help(kind), get_type_hints(kind, kind.__init__.__globals__)
    shown = []
    for each in fields(kind):
        own, default = f"{path}{each.name}", getattr(info.default, each.name)
        inner: Any = hints[each.name]
        if is_dataclass(default):
            if UNPREFIXED in each.metadata:
                inner = Annotated[inner, tyro.conf.arg(name="")]
        elif often is not None and own not in often:
            inner = hide[inner]
        else:
            inner = _leaf(inner, each.metadata, flag(own))
        shown.append(StructFieldSpec(each.name, inner, default, help_texts.get(each.name)))
    return StructConstructorSpec(partial(_made, kind, path), tuple(shown))


def _made(kind: Any, path: str, **values: Any) -> Any:
    """Makes a config; its errors name options."""
    try:
        return kind(**values)
    except ConfigError as error:
        raise _Refused(with_flags(str(error), kind, path)) from error


def _leaf(kind: Any, marks: Mapping[str, Any], name: str) -> Any:
    """Returns the type of one setting as tyro reads it."""
    marked: Any = tyro.conf
    if FLAG in marks:
        return kind
    if REPEATED in marks:
        return marked.UseAppendAction[kind]
    spec = ConstructorRegistry.get_primitive_spec(PrimitiveTypeInfo.make(kind, set()))
    assert isinstance(spec, PrimitiveConstructorSpec)  # a test reads every config
    is_list = get_origin(kind) is tuple
    title = spec.metavar.removeprefix("null|")

    def read_arguments(arguments: list[str]) -> Any:
        try:
            given = parts(arguments) if is_list else arguments
            if spec.nargs not in ("*", len(given)):
                raise ValueError(given)
            return spec.instance_from_str(given)
        except ValueError:
            wanted = TITLES.get(title, title)
            got = " ".join(arguments)
            raise _Refused(f"expected {name} to be {wanted}, got {got!r}") from None

    nargs: Any = "*" if is_list else spec.nargs
    read = replace(spec, nargs=nargs, metavar=title, instance_from_str=read_arguments, choices=None)
    kind = Annotated[marked.FlagConversionOff[kind], read]
    return marked.Positional[kind] if POSITIONAL in marks else kind
