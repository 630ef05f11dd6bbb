"""Calls of operations: their arguments read in a dialect's terms, and written in them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ...errors import OperationError
from ...operations import Argument, BoxArgument, Operation, ViewArgument
from ...reading import quoted
from .calls import Call
from .prompts import function_schema, text_schema
from .terms import DialectTerms


@dataclass(frozen=True)
class Signature:
    """An operation as a dialect calls it.

    Attributes:
        operation: the operation.
        names: of the call; the first one is written, and all are read.
        keys: for each argument the names that it may have, in the operation's order; the first
            one is written, and none where the dialect doesn't write it.
        extra: arguments that mean nothing here, as JSON texts to write.
    """

    operation: Operation
    names: tuple[str, ...]
    keys: Mapping[str, tuple[str, ...]]
    extra: Mapping[str, str]

    def schema(self, terms: DialectTerms) -> dict[str, Any]:
        """Returns the JSON schema of the call."""
        required, optional = self._parts
        own = {self.keys[each.name][0]: each.schema(terms) for each in required}
        extra = {name: text_schema(f"{name} of what is there") for name in self.extra}
        more = {self.keys[each.name][0]: each.schema(terms) for each in optional}
        properties = {**own, **extra, **more}
        return function_schema(self.names[0], self.operation.description, properties, own)

    def read(self, call: Call, terms: DialectTerms) -> dict[str, Any]:
        """Reads the arguments of a call as fields of an action.

        Raises:
            OperationError: one is missing, unknown or wrong.
        """
        check_names(call, self._known)
        values = {
            name: argument.read(call.arguments, self.keys[name], terms)
            for name, argument in self._arguments.items()
        }
        for argument in self._boxes:  # only now: a box's frame may depend on the view
            key, number = self.keys[argument.name][0], values.get(argument.of, 1)
            box = terms.read_box(values[argument.name], number, key)
            values[argument.name] = argument.built(list(box))
        return values

    def write(self, action: Mapping[str, Any], terms: DialectTerms) -> dict[str, str]:
        """Returns the arguments of a call, as JSON texts by name.

        Raises:
            ConfigError: the dialect can't name the view.
        """
        values = {name: action[name] for name in self._arguments}
        for argument in self._boxes:
            x1, y1, x2, y2 = (float(edge) for edge in values[argument.name])
            number, box = terms.address(int(values.get(argument.of, 1)), (x1, y1, x2, y2))
            values[argument.of] = number
            values[argument.name] = terms.box(box or (x1, y1, x2, y2), number)
        placed = {each.of for each in self._boxes}
        for each in self.operation.arguments:
            if isinstance(each, ViewArgument) and each.name not in placed:
                values[each.name], _ = terms.address(int(values[each.name]), None)
        required, optional = self._parts
        written = {self.keys[a.name][0]: a.write(values[a.name], terms) for a in required}
        more = {self.keys[a.name][0]: a.write(values[a.name], terms) for a in optional}
        return {**written, **self.extra, **more}

    @cached_property
    def _arguments(self) -> dict[str, Argument]:
        return {each.name: each for each in self.operation.arguments}

    @cached_property
    def _boxes(self) -> list[BoxArgument]:
        return [each for each in self.operation.arguments if isinstance(each, BoxArgument)]

    @cached_property
    def _known(self) -> tuple[str, ...]:
        """Returns every name that an argument may have."""
        required, optional = self._parts
        before = [key for each in required for key in self.keys[each.name]]
        after = [key for each in optional for key in self.keys[each.name]]
        return (*before, *self.extra, *after)

    @cached_property
    def _parts(self) -> tuple[list[Argument], list[Argument]]:
        """Returns the arguments that must be given, and those that may be left out."""
        written = [each for each in self.operation.arguments if self.keys[each.name]]
        required = [each for each in written if each.is_required]
        return required, [each for each in written if not each.is_required]


def check_names(call: Call, known: Collection[str]) -> None:
    """Refuses an argument that the operation doesn't have: it may be a misspelt one.

    Raises:
        OperationError: kind "bad_arguments".
    """
    for name in call.arguments:
        if name not in known:
            takes = " and ".join(known)
            raise OperationError(
                "bad_arguments", f"{quoted(call.name)} takes {takes}, got {quoted(name)}."
            )
