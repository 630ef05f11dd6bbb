"""The kinds of fault, kept apart because different readers act on them.

A model reads an `OperationError` (as one sentence of feedback), a trainer or an
evaluation reads a `DataError` (and leaves the episode out), a developer reads a
`ConfigError` (and fixes the call), whoever runs a server reads a `ServiceError` (and an
evaluation leaves the episode out until it is run again).
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class PixelEnvError(Exception):
    """Base of every error that this package raises on purpose."""


class OperationError(PixelEnvError):
    """What a policy asked for can't be done; becomes its feedback, never raised out of `step`.

    Attributes:
        kind: a short stable name, for counting: "malformed", "unknown_operation",
            "bad_arguments", "bad_box", "bad_image", "bad_frames", "too_small",
            "too_many_views", "several_calls", "no_answer", "not_allowed".
    """

    def __init__(self, kind: str, sentence: str) -> None:
        super().__init__(sentence)
        self.kind = kind


class DataError(PixelEnvError):
    """A file of the data set can't be used; the message names the file and the row.

    The message can be written anywhere: lone surrogates, which a file may hold, are escaped.
    """

    def __init__(self, sentence: str = "") -> None:
        super().__init__(sentence.encode("utf-8", "backslashreplace").decode("utf-8"))


class ServiceError(PixelEnvError):
    """A server gave no reply, however often it was asked; says nothing about the policy.

    Attributes:
        stops: whether asking on is no use: the key is refused, the model isn't there, or too many
            requests in a row have failed.
    """

    def __init__(self, sentence: str, stops: bool = False) -> None:
        super().__init__(sentence)
        self.stops = stops


class ConfigError(PixelEnvError, ValueError):
    """A developer's argument is wrong; the message names what was expected and what was given."""


class UnknownArgument(ConfigError, TypeError):
    """An argument has a name that nothing takes: a `TypeError` too, as Python's own calls raise.

    Libraries that try an argument and go on without it wait for a `TypeError`.
    """


def unknown_name(what: str, got: object, known: Iterable[str]) -> ConfigError:
    """Builds the error for a name that isn't one of `known`, with the nearest one suggested."""
    names = sorted(known)
    near = difflib.get_close_matches(str(got), names, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    return ConfigError(f"expected {what} to be one of {', '.join(names)}; got {got!r}.{hint}")
