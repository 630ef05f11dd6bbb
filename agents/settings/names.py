"""Names of settings: their options, their lines of help, and what was meant by a typo."""

from __future__ import annotations

import ast
import difflib
import inspect
import re
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import Field, fields, is_dataclass
from itertools import pairwise
from typing import Any

from .marks import FLAG, REPEATED, UNPREFIXED

ALL = "--help-all"
"""Shows every setting."""


def flag(path: str) -> str:
    """Returns the option of a setting.

    Example:
        >>> flag("on_policy.group_size")
        '--on-policy.group-size'
    """
    return f"--{path}".replace("_", "-")


def with_flags(sentence: str, kind: type[Any], at: str = "") -> str:
    """Names the options in a sentence that names fields.

    Args:
        sentence: an error. A field's name stands behind "expected", or has an underscore.
        kind: the class that the fields are of.
        at: its path in the config of the command line, with a dot behind it.

    Example:
        >>> from ..generation.config import GenerationConfig
        >>> with_flags("expected top_p in (0, 1], got 2.0", GenerationConfig, "on_policy.")
        'expected --on-policy.top-p in (0, 1], got 2.0'
    """
    names = sorted((each.name for each in fields(kind)), key=len, reverse=True)
    long = "|".join(name for name in names if "_" in name) or "(?!)"
    first = rf"(?<=\bexpected )(?:{'|'.join(names)})"
    pattern = rf"(?:{first}|(?<![\w.'/-])(?:{long}))\b(?:\.[a-z_]+)*"
    return re.sub(pattern, lambda found: flag(at + found[0]), sentence)


def field_help(cls: type) -> dict[str, str]:
    """Returns the line under each field; {} where the source can't be read."""
    try:
        body = ast.parse(textwrap.dedent(inspect.getsource(cls))).body[0]
    except (OSError, TypeError):
        return {}
    statements = body.body if isinstance(body, ast.ClassDef) else []
    return {
        ast.unparse(field.target): " ".join(str(ast.literal_eval(line.value)).split())
        for field, line in pairwise(statements)
        if isinstance(field, ast.AnnAssign) and isinstance(line, ast.Expr)
    }


def paths(config: Any, at: str = "") -> Iterator[tuple[str, Any]]:
    """Yields the path of every nested config, with a dot behind it, then the config; "" first."""
    yield at, config
    for each in fields(config):
        if is_dataclass(value := getattr(config, each.name)):
            yield from paths(value, at if UNPREFIXED in each.metadata else f"{at}{each.name}.")


def options(default: Any) -> dict[str, Field[Any]]:
    """Returns every option of a config, and the setting that it is of."""
    return {
        flag(f"{at}{each.name}"): each
        for at, config in paths(default)
        for each in fields(config)
        if not is_dataclass(getattr(config, each.name))
    }


def option_without_value(arguments: Sequence[str], default: Any) -> str:
    """Returns the first option that is last, or stands before another option.

    Returns:
        The option that has no value; "" where each has one. Lists may be empty.
    """
    known = options(default)
    for place, word in enumerate(arguments, 1):
        setting = known.get(_name(word) if "=" not in word else "")
        if setting is None or FLAG in setting.metadata:
            continue
        is_list = isinstance(setting.default, tuple) and REPEATED not in setting.metadata
        if not is_list and (place == len(arguments) or _name(arguments[place]) in known):
            return word
    return ""


def _name(word: str) -> str:
    """Returns the option in a word of the command line."""
    return word.partition("=")[0].replace("_", "-")


def no_option(word: str, default: Any) -> str:
    """Returns that there is no such option, and which ones are near."""
    given = _name(word)
    if not given.startswith("--"):
        return f"expected options, got {word!r}"
    known = list(options(default))
    last = given.removeprefix("--").rpartition(".")[2]
    near = [each for each in known if re.split(r"--|\.", each)[-1] == last]
    near = near or difflib.get_close_matches(given, known, n=1)
    ends = {re.split(r"--|\.", each)[-1]: each for each in known}
    near = near or [ends[each] for each in difflib.get_close_matches(last, ends, n=1)]
    hint = f" Did you mean {' or '.join(near)}?" if near else ""
    return f"there is no option {given}.{hint} {ALL} lists all of them."
