"""Checksums of the files of a model: what a manifest knows a model by."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path


def file_digests(
    folder: Path, patterns: Sequence[str] = ("*.json", "*.safetensors")
) -> dict[str, str]:
    """Returns the SHA-256 of every settings and weights file of a model's folder, by name.

    In the hub's cache a large file is named by its digest, and isn't read again.

    Args:
        folder: the model's folder, or a checkpoint.
        patterns: of the files' names.
    """
    files = sorted(path for pattern in patterns for path in folder.glob(pattern))
    return {path.name: _digest(path) for path in files}


def _digest(path: Path) -> str:
    blob = path.resolve()
    if blob.parent.name == "blobs" and re.fullmatch(r"[0-9a-f]{64}", blob.name):
        return blob.name
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
