"""The border where foreign bytes are decoded: whatever comes out of a decoder is a `DataError`.

Decoders of other libraries raise whatever they meet: no list of it would ever be complete. What
this package raises on purpose passes, and so does what isn't meant to be caught: an interrupt.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ..errors import DataError, PixelEnvError

_MAX_REASON = 200
"""Characters of a decoder's own message that are passed on."""


@contextmanager
def foreign_bytes(what: str, trouble: str = "can't be read") -> Iterator[None]:
    """Turns whatever is raised inside into the `DataError` of what the bytes belong to.

    Args:
        what: names it, with file and row where they are known, such as "picture a.png (q.jsonl
            row 3)".
        trouble: what is the matter with it, before the decoder's own message.

    >>> with foreign_bytes("picture a.png"):
    ...     raise KeyError("no such tile")
    Traceback (most recent call last):
    pixel_env.errors.DataError: picture a.png can't be read: KeyError: 'no such tile'
    """
    try:
        yield
    except PixelEnvError:
        raise
    except Exception as fault:
        raise DataError(f"{what} {trouble}: {reason_of(fault)}") from fault


def reason_of(fault: BaseException) -> str:
    """Returns a foreign error's message, in one short line."""
    message = getattr(fault, "strerror", None) or str(fault)
    line = " ".join(str(message).split())[:_MAX_REASON]
    if isinstance(fault, OSError | ValueError | SyntaxError) and line:
        return line
    return f"{type(fault).__name__}: {line}" if line else type(fault).__name__
