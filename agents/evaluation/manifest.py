"""Everything that a result depends on, written beside it."""

from __future__ import annotations

import platform
import subprocess
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pixel_env
from pixel_env.errors import DataError
from pixel_env.files.json_records import parsed

PACKAGES = (
    "pixel-reason",
    "gymnasium",
    "numpy",
    "pillow",
    "pyvips",
    "pyvips-binary",
    "decord",
    "av",
    "pyarrow",
    "torch",
    "transformers",
    "tokenizers",
    "peft",
    "vllm",
    "stable-baselines3",
)
"""Packages that pixels, tokens or scores depend on."""


_NEEDED: Mapping[str, type] = {
    "env_id": str,
    "env_kwargs": dict,
    "policy": str,
    "policy_settings": dict,
    "samples": int,
    "repeats": int,
    "lanes": int,
    "seed": int,
    "control": list,
    "image_format": str,
}
"""What an evaluation is run again from, and of which type it is."""


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


def read_manifest(path: Path) -> dict[str, Any]:
    """Reads a manifest.

    Raises:
        DataError: there is none, or it isn't one.
    """
    try:
        manifest = parsed(path.read_bytes(), f"manifest {path}")
    except OSError as fault:
        raise DataError(f"manifest {path} can't be read: {fault}") from fault
    if not isinstance(manifest, dict) or not {"env_id", "policy", "seed"} <= manifest.keys():
        raise DataError(f"manifest {path} is none of an evaluation: it names no env_id or policy")
    return manifest


def check_runnable(manifest: Mapping[str, Any], path: Path) -> None:
    """Checks that a manifest says what an evaluation is run again from.

    Raises:
        DataError: an entry is missing, or of another type; it names the entry.
    """
    for name, kind in _NEEDED.items():
        if type(manifest.get(name)) is not kind:
            raise DataError(
                f"manifest {path}: expected {name} to be {kind.__name__}, "
                f"got {type(manifest.get(name)).__name__}"
            )


def _git(root: Path, *arguments: str) -> str | None:
    command = ["git", "-C", str(root), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
