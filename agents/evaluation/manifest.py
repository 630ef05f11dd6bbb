"""Everything that a result depends on, written beside it."""

from __future__ import annotations

import json
import platform
import subprocess
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NamedTuple

import pixel_env
from pixel_env.errors import DataError

PACKAGES = (
    "pixel-reason",
    "gymnasium",
    "numpy",
    "pillow",
    "decord",
    "av",
    "pyarrow",
    "torch",
    "transformers",
    "tokenizers",
    "peft",
    "stable-baselines3",
)
"""Packages that pixels, tokens or scores depend on."""


def package_versions() -> dict[str, str]:
    """Returns Python's version and those of the packages that are installed."""
    versions = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    return versions


def git_revision() -> str | None:
    """Returns the commit of the clone that this package runs from; None outside a clone.

    "+changes" follows it where tracked files differ from the commit.
    """
    root = Path(pixel_env.__file__).resolve().parents[1]
    if not (root / ".git").exists():
        return None
    commit = _git(root, "rev-parse", "HEAD")
    if commit is None:
        return None
    changes = _git(root, "status", "--porcelain", "--untracked-files=no")
    return f"{commit}+changes" if changes else commit


def plain(value: Any) -> Any:
    """Turns a value into what JSON can hold; a path or another object becomes its text."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    return str(value)


class Difference(NamedTuple):
    """One entry in which two manifests differ.

    Attributes:
        name: the entry, with dots between the levels.
        saved: its value in the older one; None where it isn't there.
        given: its value in the newer one; None where it isn't there.
    """

    name: str
    saved: Any
    given: Any

    def __str__(self) -> str:
        return f"{self.name} was {_short(self.saved)}, is {_short(self.given)}"


def differences(saved: Any, given: Any, name: str = "") -> list[Difference]:
    """Lists the entries in which two manifests differ.

    Example:
        >>> [str(each) for each in differences({"a": {"b": 1, "c": 2}}, {"a": {"b": 1, "c": 3}})]
        ['a.c was 2, is 3']
    """
    if isinstance(saved, Mapping) and isinstance(given, Mapping):
        names = [*saved, *(key for key in given if key not in saved)]
        return [
            each
            for key in names
            for each in differences(
                saved.get(key), given.get(key), f"{name}.{key}" if name else str(key)
            )
        ]
    return [] if saved == given else [Difference(name, saved, given)]


def read_manifest(path: Path) -> dict[str, Any]:
    """Reads a manifest.

    Raises:
        DataError: there is none, or it isn't one.
    """
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as fault:
        raise DataError(f"manifest {path} can't be read: {fault}") from fault
    if not isinstance(manifest, dict) or not {"env_id", "policy", "seed"} <= manifest.keys():
        raise DataError(f"manifest {path} is none of an evaluation: it names no env_id or policy")
    return manifest


def _short(value: Any) -> str:
    written = repr(value)
    return written if len(written) <= 80 else f"{written[:77]}..."


def _git(root: Path, *arguments: str) -> str | None:
    command = ["git", "-C", str(root), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
