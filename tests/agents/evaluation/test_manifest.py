"""What is written beside a result, and in what two manifests differ."""

from __future__ import annotations

import hashlib

import pytest

from pixel_env.agents.evaluation.manifest import (
    git_revision,
    package_versions,
    read_manifest,
)
from pixel_env.agents.model.digests import file_digests
from pixel_env.errors import DataError


def test_versions_and_revision_are_those_of_this_installation():
    assert package_versions()["python"].startswith("3.")
    revision = git_revision()
    assert revision is None or len(revision.removesuffix("+changes")) == 40


def test_digests_are_of_settings_and_weights(tmp_path):
    (tmp_path / "config.json").write_bytes(b"{}")
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    (tmp_path / "notes.txt").write_bytes(b"hm")
    assert file_digests(tmp_path) == {
        "config.json": hashlib.sha256(b"{}").hexdigest(),
        "model.safetensors": hashlib.sha256(b"weights").hexdigest(),
    }


def test_file_that_is_named_by_its_digest_is_not_read(tmp_path):
    (tmp_path / "blobs").mkdir()
    blob = tmp_path / "blobs" / ("ab" * 32)
    blob.write_bytes(b"what is in it doesn't matter")
    (tmp_path / "snapshot").mkdir()
    (tmp_path / "snapshot" / "model.safetensors").symlink_to(blob)
    assert file_digests(tmp_path / "snapshot") == {"model.safetensors": "ab" * 32}


@pytest.mark.parametrize("text", [None, "{", "[]", '{"seed": 1}'])
def test_what_is_no_manifest_is_refused(tmp_path, text):
    if text is not None:
        (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(DataError, match=r"manifest\.json"):
        read_manifest(tmp_path / "manifest.json")
