"""Everything that a result depends on, written beside it."""

from __future__ import annotations

import platform
import subprocess
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pixel_env

PACKAGES = (
    "pixel-reason",
    "gymnasium",
    "numpy",
    "pillow",
    "decord",
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


def _git(root: Path, *arguments: str) -> str | None:
    command = ["git", "-C", str(root), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
