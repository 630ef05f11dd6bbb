"""Evaluations of a run's stages that an earlier session left."""

from __future__ import annotations

from pathlib import Path

from ..evaluation.folder import MANIFEST, REPORT
from ..evaluation.manifest import read_manifest
from ..policies.vlm import VLMPolicy


def is_measured(folder: Path, policy: VLMPolicy, n_samples: int) -> bool:
    """Whether a folder has the evaluation of these weights, on at least so many samples."""
    if not (folder / REPORT).exists():
        return False
    manifest = read_manifest(folder / MANIFEST)
    weights = manifest["policy_settings"].get("weights")
    is_same = weights is None or Path(weights).name == Path(policy.settings()["weights"]).name
    return is_same and manifest["samples"] >= n_samples
