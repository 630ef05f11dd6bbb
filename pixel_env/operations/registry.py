"""The operations by code and by name: the built-in ones, and those that a user registered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Any, cast

from ..config import EnvConfig
from ..errors import ConfigError, OperationError, unknown_name
from ..reading import CODE, described, field_of, quoted, whole_number
from ..types import Action
from .answer import Answer
from .arguments import Argument
from .base import Operation
from .select_frames import SelectFrames
from .zoom_in import ZoomIn

OPERATIONS: tuple[Operation, ...] = (Answer(), ZoomIn(), SelectFrames())
"""The built-in operations, in the order of their codes."""


class OperationSet:
    """Operations in the order of their codes, and the fields of an action that they need.

    Attributes:
        entries: entry i has code i.
        calls: those that aren't the answer.
        arguments: every argument by the name of its field, in the order of the action space.
    """

    def __init__(self, entries: tuple[Operation, ...]) -> None:
        """Takes operations that fit together.

        Raises:
            ConfigError: two have one name, or mean different things by one field.
        """
        self.entries = entries
        self.calls = tuple(each for each in entries if not each.is_answer)
        self.arguments: dict[str, Argument] = {}
        self._codes: dict[str, int] = {}
        for code, operation in enumerate(entries):
            _check_name("the name of an operation", operation.name)
            if operation.name in self._codes:
                raise ConfigError(f"expected a new name, got {operation.name!r} again")
            self._codes[operation.name] = code
            for argument in operation.arguments:
                self._add(argument, operation.name)

    def __iter__(self) -> Iterator[Operation]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)

    def __deepcopy__(self, memo: dict[int, Any]) -> OperationSet:
        return self  # operations have no state

    def get(self, name: str | None) -> Operation | None:
        """Returns the operation of a name; None where there is none."""
        code = self._codes.get(name) if isinstance(name, str) else None
        return None if code is None else self.entries[code]

    def named(self, name: str) -> Operation:
        """Returns the operation of a name.

        Raises:
            ConfigError: there is none.
        """
        found = self.get(name)
        if found is None:
            raise unknown_name("an operation", name, self._codes)
        return found

    def of(self, action: object) -> Operation:
        """Returns the operation that an action names, by code or by name.

        Args:
            action: anything; the `OperationError` of a message that could not be read is raised.

        Raises:
            OperationError: kind "malformed", "bad_arguments" or "unknown_operation".
        """
        if isinstance(action, OperationError):
            raise action
        if not isinstance(action, dict):
            raise OperationError(
                "malformed", f"An action is a dict of its fields, got {described(action)}."
            )
        given = field_of(action, CODE)
        is_name = isinstance(given, str)
        code = self._codes.get(given) if is_name else whole_number(given)
        if code is None or not 0 <= code < len(self.entries):
            allowed = ", ".join(f"{i} ({each.name})" for i, each in enumerate(self.entries))
            got = quoted(given) if is_name else described(given)
            raise OperationError(
                "unknown_operation", f"operation must be one of {allowed}, got {got}."
            )
        if is_name:
            self._check_fields(action)
        return self.entries[code]

    def action(self, name: str, values: Mapping[str, Any]) -> Action:
        """Builds an action; fields that it doesn't use get fresh neutral values.

        Args:
            name: of the operation.
            values: of its arguments' fields, as they stand in an action.
        """
        action: dict[str, Any] = {CODE: self._codes[name]}
        for field, argument in self.arguments.items():
            action[field] = values[field] if field in values else argument.neutral()
        return cast(Action, action)

    def _check_fields(self, action: Mapping[Any, Any]) -> None:
        """Refuses a field that no operation has: a misspelt one would count as left out."""
        for name in action:
            if name != CODE and name not in self.arguments:
                raise OperationError(
                    "bad_arguments",
                    f"The fields of an action are {', '.join((CODE, *self.arguments))}; got "
                    f"{quoted(name) if isinstance(name, str) else described(name)}.",
                )

    def _add(self, argument: Argument, owner: str) -> None:
        """Takes an argument's field; several operations may share one of the same meaning."""
        _check_name(f"an argument of {owner}", argument.name)
        known = self.arguments.setdefault(argument.name, argument)
        is_same = type(known) is type(argument)
        if not is_same or known.space(EnvConfig()) != argument.space(EnvConfig()):
            raise ConfigError(
                f"expected {argument.name!r} of {owner} to be what it is in other operations, "
                f"{known}; got {argument}"
            )


class Registration:
    """A registered operation; as a context manager it is unregistered at the end."""

    def __init__(self, operation: Operation) -> None:
        """Takes what was registered."""
        self.operation = operation

    def unregister(self) -> None:
        """Takes the operation out again; environments that were made with it keep it."""
        global _current  # the one place that holds what is registered
        _current = OperationSet(tuple(o for o in _current.entries if o is not self.operation))

    def __enter__(self) -> Operation:
        return self.operation

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.unregister()


def register_operation(operation: Operation) -> Registration:
    """Adds an operation to environments that are made, and messages that are read, from now on.

    Processes that a vector environment starts must register it too, as with `gym.register`.

    Args:
        operation: its code is the next free one.

    Returns:
        What unregisters it.

    Raises:
        ConfigError: its name is taken, or an argument's name means something else already.
    """
    global _current
    if not isinstance(operation, Operation) or operation.is_answer:
        raise ConfigError(f"expected an Operation that is no answer, got {operation!r}")
    _current = OperationSet((*_current.entries, operation))
    return Registration(operation)


def operations() -> OperationSet:
    """Returns the operations that are registered now."""
    return _current


def _check_name(what: str, name: str) -> None:
    if not name.isidentifier() or name == CODE:
        raise ConfigError(f"expected {what} to be an identifier other than {CODE!r}, got {name!r}")


_current = OperationSet(OPERATIONS)
