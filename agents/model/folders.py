"""Where a model's files are: the folder that ships, one of the user's, or the hub's cache."""

from __future__ import annotations

import os
from pathlib import Path

from pixel_env.errors import ConfigError

from .settings import TINY

BASE_WEIGHTS = Path(__file__).parents[1] / "base_weights"
"""Folder of the model that ships with the package."""

_FILES = ("*.json", "*.safetensors", "*.txt", "*.jinja")
"""What is fetched of a model: no pickled weights, and no code."""

_SECONDS = 10.0
"""How long the hub may take to answer."""


def folder_of(name: str | Path) -> Path | None:
    """Returns where a model's files are: the folder itself, or the hub's cache; None if nowhere."""
    if str(name) == TINY:
        return BASE_WEIGHTS
    if Path(name).is_dir():
        return Path(name)
    try:
        from huggingface_hub import snapshot_download
    except ImportError:
        return None
    try:
        return Path(snapshot_download(str(name), local_files_only=True))
    except (OSError, ValueError):
        return None


def fetched_folder(name: str | Path) -> Path:
    """Returns the folder with all files of a model; fetches from the hub what isn't cached.

    Raises:
        ConfigError: it can't be fetched.
    """
    found = folder_of(name)
    is_folder = str(name) == TINY or Path(name).is_dir()
    if found is not None and (is_folder or any(found.glob("*.safetensors"))):
        return found
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(str(name), allow_patterns=list(_FILES)))
    except Exception as fault:  # of the client's own kinds, which differ between its versions
        reason = " ".join(str(fault).split())[:120] or type(fault).__name__
        raise ConfigError(f"{name} can't be fetched from the hub: {reason}") from fault


def check_model(name: str | Path) -> None:
    """Refuses at once what can't be loaded: no folder, no known name, a hub that doesn't answer.

    Raises:
        ConfigError: there is no such model; the message names what was tried.
    """
    if folder_of(name) is not None:
        return
    text = str(name)
    if _is_path(text):
        raise ConfigError(f"expected a folder with a model, got {text!r}: there is none")
    try:
        _ask_hub(text)
    except Exception as fault:  # of the client's own kinds, which differ between its versions
        reason = " ".join(str(fault).split())[:120] or type(fault).__name__
        raise ConfigError(
            f"expected a folder with a model, or a name on the hub that is cached or can be "
            f"reached; got {text!r}: {reason} (with a connection: hf download {text})"
        ) from fault


def _is_path(text: str) -> bool:
    """Distinguishes a path from OWNER/NAME, by its form and by the folder that it would lie in."""
    owner, _, name = text.partition("/")
    if text.startswith((".", "~", os.sep)) or not owner or not name or "/" in name:
        return True
    return Path(owner).is_dir()


def _ask_hub(name: str) -> None:
    """Asks the hub once, for a client's own tries go on for minutes."""
    from huggingface_hub import get_hf_file_metadata, hf_hub_url

    get_hf_file_metadata(hf_hub_url(name, "config.json"), timeout=_SECONDS)
