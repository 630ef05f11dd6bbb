"""How long the steps of a run took, over all its sessions."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from pixel_env.errors import DataError
from pixel_env.files.json_records import parsed
from pixel_env.files.whole_file import write_whole

Value = TypeVar("Value")

FILE_NAME = "seconds.json"


class StageTimes:
    """Seconds by the step's name, kept in `seconds.json` of a run's folder.

    Attributes:
        seconds: what was measured so far.
    """

    def __init__(self, folder: Path, is_kept: bool) -> None:
        """Reads what earlier sessions measured.

        Args:
            folder: the run's folder.
            is_kept: whether this process writes the file.

        Raises:
            DataError: the file can't be read.
        """
        self._path, self._is_kept = folder / FILE_NAME, is_kept
        self.seconds = _read(self._path) if self._path.exists() else {}

    def timed(self, name: str, step: Callable[[], Value]) -> Value:
        """Runs a step and adds its time to the run's, however it ends."""
        started = time.perf_counter()
        try:
            return step()
        finally:
            spent = time.perf_counter() - started
            self.seconds[name] = self.seconds.get(name, 0.0) + spent
            if self._is_kept:
                write_whole(self._path, json.dumps(self.seconds))


def _read(path: Path) -> dict[str, float]:
    seconds = parsed(path.read_bytes(), str(path))
    numbers = seconds.values() if isinstance(seconds, dict) else (None,)
    if not all(type(each) in (int, float) for each in numbers):
        raise DataError(f"{path}: expected seconds by the names of a run's steps")
    return seconds  # type: ignore[no-any-return]
