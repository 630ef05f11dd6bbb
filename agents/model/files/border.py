"""The border where the files of a model are read: whatever their readers raise is a `DataError`.

transformers, tokenizers and safetensors raise whatever a damaged file makes them meet, down to a
panic of Rust, which is no `Exception`: no list of it would ever be complete. Only their calls stand
inside, so that mistakes of this package pass.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pixel_env.errors import ConfigError, DataError, PixelEnvError
from pixel_env.media.border import reason_of

_PANIC = "PanicException"
"""What a panic of Rust is called in Python; its class can't be imported."""

_FULL = ("MemoryError", "OutOfMemoryError")
"""Names of what is raised where memory is full, which is no fault of a file."""


@contextmanager
def foreign_files(what: str, trouble: str = "can't be read") -> Iterator[None]:
    """Turns whatever is raised inside into one sentence about the files that are read.

    Args:
        what: names them, such as "models/mine/tokenizer.json".
        trouble: what is the matter with them, before the reader's own message.

    Raises:
        DataError: a file is damaged, or holds what its reader doesn't take.
        ConfigError: a package is missing that the reader needs.

    >>> with foreign_files("models/mine/tokenizer.json"):
    ...     raise KeyError("model")
    Traceback (most recent call last):
    pixel_env.errors.DataError: models/mine/tokenizer.json can't be read: KeyError: 'model'
    """
    try:
        yield
    except PixelEnvError:
        raise
    except ImportError as fault:
        raise ConfigError(f"{what} can't be loaded: {reason_of(fault)}") from fault
    except BaseException as fault:
        kind = type(fault).__name__
        if kind in _FULL or not (isinstance(fault, Exception) or kind == _PANIC):
            raise
        raise DataError(f"{what} {trouble}: {reason_of(fault)}") from fault
