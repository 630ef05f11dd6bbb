"""What is written beside a result, and in what two manifests differ."""

from __future__ import annotations

import hashlib

import pytest

from pixel_env.agents.evaluation.manifest import (
    differences,
    git_revision,
    package_versions,
    plain,
    read_manifest,
)
from pixel_env.agents.model.digests import file_digests
from pixel_env.errors import DataError


def test_manifest_values_are_plain(tmp_path):
    assert plain({"a": (1, {2}), 3: tmp_path, "b": None}) == {
        "a": [1, [2]],
        "3": str(tmp_path),
        "b": None,
    }
    assert package_versions()["python"].startswith("3.")
    revision = git_revision()
    assert revision is None or len(revision.removesuffix("+changes")) == 40


def test_differences_are_named_at_every_level():
    saved = {"seed": 0, "packages": {"numpy": "1", "av": "2"}, "old": 1, "same": [1, 2]}
    given = {"seed": 1, "packages": {"numpy": "1", "torch": "3"}, "same": [1, 2]}
    assert [tuple(each) for each in differences(saved, given)] == [
        ("seed", 0, 1),
        ("packages.av", "2", None),
        ("packages.torch", None, "3"),
        ("old", 1, None),
    ]
    assert str(differences(saved, given)[0]) == "seed was 0, is 1"
    assert len(str(differences({"a": "x" * 999}, {"a": ""})[0])) < 120


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
