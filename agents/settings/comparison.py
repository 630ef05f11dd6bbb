"""In what two settings, manifests or records of JSON's types differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from pixel_env.errors import ConfigError

_SHOWN_CHARACTERS = 80


class Difference(NamedTuple):
    """One entry in which two values differ.

    Attributes:
        name: the entry, with dots between the levels; "" for the whole.
        saved: its value in the older one; None where it isn't there.
        given: its value in the newer one; None where it isn't there.
    """

    name: str
    saved: Any
    given: Any

    def __str__(self) -> str:
        return f"{self.name} was {_short(self.saved)}, is {_short(self.given)}"


def differences(
    saved: Any, given: Any, may_differ: Sequence[str] = (), name: str = ""
) -> list[Difference]:
    """Lists the entries in which two values differ, in the order of the older one.

    Args:
        saved: the older one.
        given: the newer one.
        may_differ: entries, as "name" or "group.name", that are left out with all inside them.
        name: where the two stand in something larger.

    Example:
        >>> saved, given = {"a": {"b": 1, "c": 2}, "d": 0}, {"a": {"b": 1, "c": 3}, "d": 1}
        >>> [str(each) for each in differences(saved, given)]
        ['a.c was 2, is 3', 'd was 0, is 1']
        >>> [str(each) for each in differences(saved, given, may_differ=["a.c"])]
        ['d was 0, is 1']
    """
    if name and name in may_differ:
        return []
    if isinstance(saved, Mapping) and isinstance(given, Mapping):
        keys = [*saved, *(key for key in given if key not in saved)]
        return [
            each
            for key in keys
            for each in differences(
                saved.get(key), given.get(key), may_differ, f"{name}.{key}" if name else str(key)
            )
        ]
    return [] if saved == given else [Difference(name, saved, given)]


def check_same(saved: Any, given: Any, may_differ: Sequence[str] = ()) -> None:
    """Checks that what goes on has the settings that it began with.

    Raises:
        ConfigError: they differ; it names the first entry, the saved value and the given one.
    """
    for name, before, now in differences(saved, given, may_differ)[:1]:
        raise ConfigError(
            f"to resume, {name or 'config'} must be as it was saved: {before!r}, got {now!r}"
        )


def _short(value: Any) -> str:
    written = repr(value)
    if len(written) <= _SHOWN_CHARACTERS:
        return written
    return f"{written[: _SHOWN_CHARACTERS - 3]}..."
