"""The settings of a run in its folder: read again, and compared where the run goes on."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pixel_env.errors import ConfigError, DataError
from pixel_env.files.json_records import parsed
from pixel_env.files.json_values import plain
from pixel_env.files.whole_file import write_whole

from ..settings.command_line import as_arguments, read
from ..settings.comparison import check_same
from .config import RunConfig

FILE_NAME = "config.json"

GROWS = ("eval_samples", "on_policy.iterations")
"""Settings that may be larger when a run goes on: it is extended."""


def stored_config(folder: Path) -> RunConfig:
    """Reads the settings of the run in a folder.

    Raises:
        ConfigError: there are none, or they were written by a version with other settings.
    """
    path = folder / FILE_NAME
    try:
        values = parsed(path.read_bytes(), "it")
    except (OSError, DataError) as fault:
        raise ConfigError(f"expected the settings of a run in {path}: {fault}") from fault
    try:
        return read(as_arguments(values, RunConfig()), RunConfig())
    except ConfigError as error:
        raise ConfigError(
            f"{path} was written by a version with other settings; go on with that version, or "
            f"begin a new run ({error})"
        ) from error


def check_config(config: RunConfig, folder: Path, may_differ: Sequence[str]) -> None:
    """Checks that a run may go on in a folder, or that none is there.

    Args:
        config: the settings, with the run's seed in every part.
        folder: the run's folder.
        may_differ: settings that may be others, as "field" or "group.field".

    Raises:
        ConfigError: the folder holds a run of other settings, or one whose settings were written
            by an earlier version.
    """
    if not (folder / FILE_NAME).exists():
        return
    stored = stored_config(folder)
    for name in GROWS:
        before, now = _at(stored, name), _at(config, name)
        if now < before:
            raise ConfigError(f"to go on, {name} must be at least {before}, got {now}")
    before, now = (plain(each, "config") for each in (stored, config))
    check_same(before, now, (*may_differ, *GROWS))


def keep_config(config: RunConfig, folder: Path) -> None:
    """Writes the settings of a run that begins, or is extended."""
    path = folder / FILE_NAME
    if path.exists():
        stored = stored_config(folder)
        rl = replace(stored.on_policy, iterations=config.on_policy.iterations)
        config = replace(stored, on_policy=rl, eval_samples=config.eval_samples)
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(path, json.dumps(plain(config, "config"), indent=1))


def _at(config: Any, path: str) -> Any:
    for name in path.split("."):
        config = getattr(config, name)
    return config
