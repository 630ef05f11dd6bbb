"""A file that a decoder may read for so many seconds."""

from __future__ import annotations

import time
from typing import IO, Any


class TimedFile:
    """Passes everything on to an open file; reading fails once the time is over.

    A decoder that runs in C can't be interrupted, but it comes back for the next bytes.
    """

    def __init__(self, file: IO[bytes], max_s: float) -> None:
        """Starts the clock.

        Args:
            file: the open file, which the caller closes.
            max_s: how many seconds it may be read for.
        """
        self._file = file
        self._max_s = max_s
        self._ends = time.monotonic() + max_s

    def read(self, n_bytes: int = -1) -> bytes:
        """Reads up to `n_bytes`, all that there are by default.

        Raises:
            TimeoutError: the time is over.
        """
        if time.monotonic() > self._ends:
            raise TimeoutError(f"decoding it took longer than {self._max_s:g} seconds")
        return self._file.read(n_bytes)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)
