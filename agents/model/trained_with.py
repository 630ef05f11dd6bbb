"""What a model was trained with, kept beside its weights, so that it is run as it was trained."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from pixel_env.config import FIELDS
from pixel_env.dialects import get_dialect
from pixel_env.errors import ConfigError, DataError, unknown_name
from pixel_env.files.whole_file import write_whole

from .files.json_files import read_object

MOST_TOKENS = 2**31
SYSTEMS = ("full", "brief", "none")
"""What a system message can hold."""

FILE_NAME = "pixel_reason.json"

ENVIRONMENT_NAMES = (*FIELDS, "preset")
"""What of an environment is kept with a model."""


@dataclass(frozen=True, slots=True)
class TrainedWith:
    """What an evaluation of a trained model begins with."""

    dialect: str
    """How the model writes calls."""
    system: str
    """Its system message: "full", "brief" or "none"."""
    max_new_tokens: int
    """Longest message, in tokens."""
    max_context: int
    """Longest trajectory, in tokens."""
    environment: Mapping[str, Any] = field(default_factory=dict)
    """Settings of the environment that it was measured with, where they are not the id's own."""

    def write(self, folder: Path) -> None:
        """Writes it into the folder of a model."""
        text = json.dumps(asdict(self), indent=1) + "\n"
        write_whole(folder / FILE_NAME, text)

    def for_policy(self) -> dict[str, Any]:
        """Returns the settings of a policy."""
        values = asdict(self)
        del values["environment"]
        return values


def read_trained_with(folder: Path | None) -> TrainedWith | None:
    """Reads what stands in the folder of a model; None where nothing does.

    Raises:
        DataError: the file can't be read, or holds something else.
    """
    path = folder / FILE_NAME if folder else None
    if path is None or not path.exists():
        return None
    values = read_object(path)
    try:
        made = TrainedWith(**values)
    except TypeError as fault:
        names = ", ".join(each.name for each in fields(TrainedWith))
        raise DataError(f"{path}: expected an object of {names}: {fault}") from fault
    _check(made, path)
    return made


def _check(made: TrainedWith, path: Path) -> None:
    texts = (made.dialect, made.system)
    counts = (made.max_new_tokens, made.max_context)
    is_right = all(isinstance(each, str) for each in texts)
    is_right &= all(isinstance(each, int) and 0 < each < MOST_TOKENS for each in counts)
    if not (is_right and isinstance(made.environment, Mapping)):
        raise DataError(
            f"{path}: expected dialect and system to be texts, max_new_tokens and max_context to "
            f"be whole numbers over 0, environment to be an object; got {asdict(made)!r:.200}"
        )
    if made.system not in SYSTEMS:
        raise DataError(f"{path}: {unknown_name('system', made.system, SYSTEMS)}")
    try:
        get_dialect(made.dialect)
    except ConfigError as fault:
        raise DataError(f"{path}: {fault}") from fault
    for name in made.environment:
        if name not in ENVIRONMENT_NAMES:  # never a task, a folder, or a module to import
            raise DataError(
                f"{path}: expected environment to hold settings of EnvConfig, got {name!r:.80}"
            )
