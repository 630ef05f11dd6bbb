"""The numbered folders of runs: runs/NAME-1, runs/NAME-2 and so on."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count, takewhile
from pathlib import Path

from pixel_env.errors import ConfigError

RUNS = Path("runs")


def free_folder(name: str) -> Path:
    """Returns the first folder of a name that isn't there yet."""
    return next(folder for folder in _numbered(name) if not folder.exists())


def begun_folder(name: str, given: Path | None = None) -> Path:
    """Returns the folder of a run that was begun: the one given, else the newest of a name.

    Raises:
        ConfigError: there is none.
    """
    folders = [given] if given else list(takewhile(Path.exists, _numbered(name)))
    if not folders or not (folders[-1] / "config.json").exists():
        where = given or RUNS / f"{name}-1"
        raise ConfigError(f"expected a run to go on with, found none in {where}")
    return folders[-1]


def _numbered(name: str) -> Iterator[Path]:
    plain = name.replace(":", "-").replace("/", "-")
    return (RUNS / f"{plain}-{number}" for number in count(1))
