"""The way from a row to a file: what is accepted, and that nothing outside is reached."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixel_env.errors import DataError
from pixel_env.tasks.rows.folders import DataFolder


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "data" / "inner").mkdir(parents=True)
    (tmp_path / "data" / "inner" / "x.jpg").write_bytes(b"x")
    (tmp_path / "secret.txt").write_text("secret")
    return DataFolder(tmp_path / "data")


def test_file_inside_is_found(folder):
    assert folder.file("inner/x.jpg", "row 1") == folder.path / "inner" / "x.jpg"


def test_the_address_of_a_file_inside_is_found(folder):
    there = folder.path / "inner" / "x.jpg"
    for address in (there.absolute().as_uri(), "file://inner/x.jpg", "file:inner/%78.jpg"):
        assert folder.has(address)
        assert folder.file(address, "row 1") == there
    assert not folder.has("file:///etc/hostname.none")


def test_an_address_that_leaves_the_folder_is_refused(folder):
    secret = (folder.path.parent / "secret.txt").absolute()
    (folder.path / "out.txt").symlink_to(secret)
    climbing = f"file://{folder.path.absolute()}/../secret.txt"
    for address in (secret.as_uri(), climbing, "file://out.txt"):
        with pytest.raises(DataError, match=r"^row 1: "):
            folder.file(address, "row 1")


@pytest.mark.parametrize(
    ("relative", "message"),
    [
        ("/etc/hostname", "expected a relative path"),
        ("C:\\x.jpg", "expected a relative path"),
        ("../secret.txt", r"expected a path without '\.\.'"),
        ("inner/../../secret.txt", r"expected a path without '\.\.'"),
        ("inner\\..\\..\\secret.txt", r"expected a path without '\.\.'"),
        ("inner/missing.jpg", "there is no file 'inner/missing.jpg'"),
        ("inner", "is not a file"),
        ("", "expected the path of a file"),
        ("x\0y", "expected the path of a file"),
        ("x" * 5000, "there is no file"),
        ("x\ud800", "there is no file"),
        ("file:///etc/hostname", "expected a relative path"),
        ("file:/etc/hostname", "expected a relative path"),
        ("FILE://localhost/etc/hostname", "expected a relative path"),
        ("file://../secret.txt", r"expected a path without '\.\.'"),
        ("file://inner/%2e%2e/%2E%2E/secret.txt", r"expected a path without '\.\.'"),
        ("file:///etc/%00", "expected the path of a file"),
        ("file://", "expected the path of a file"),
        ("file://inner/missing.jpg", "there is no file 'inner/missing.jpg'"),
    ],
)
def test_path_that_leaves_the_folder_or_leads_nowhere_is_refused(folder, relative, message):
    with pytest.raises(DataError, match=f"^row 1: .*{message}"):
        folder.file(relative, "row 1")


def test_link_out_of_the_folder_is_refused_and_a_link_within_is_not(folder):
    (folder.path / "out.txt").symlink_to(folder.path.parent / "secret.txt")
    (folder.path / "out").symlink_to(folder.path.parent)
    (folder.path / "in.jpg").symlink_to("inner/x.jpg")
    (folder.path / "loop").symlink_to("loop")
    for relative in ("out.txt", "out/secret.txt"):
        with pytest.raises(DataError, match="is a link that leads out of"):
            folder.file(relative, "row 1")
    with pytest.raises(DataError, match="there is no file 'loop'"):
        folder.file("loop", "row 1")
    assert folder.file("in.jpg", "row 1").read_bytes() == b"x"


def test_folder_may_itself_be_a_link(folder, tmp_path):
    (tmp_path / "linked").symlink_to(folder.path)
    assert DataFolder(tmp_path / "linked").file("inner/x.jpg", "row 1").is_file()


def test_snapshot_of_the_hub_cache_may_link_to_its_blobs_only(tmp_path):
    snapshot = tmp_path / "datasets--a--b" / "snapshots" / "rev"
    blobs = tmp_path / "datasets--a--b" / "blobs"
    snapshot.mkdir(parents=True)
    blobs.mkdir()
    (blobs / "1").write_bytes(b"x")
    (tmp_path / "other").write_bytes(b"y")
    (snapshot / "x.jpg").symlink_to("../../blobs/1")
    (snapshot / "y.jpg").symlink_to("../../../other")
    assert DataFolder(snapshot).file("x.jpg", "row 1").read_bytes() == b"x"
    with pytest.raises(DataError, match="leads out"):
        DataFolder(snapshot).file("y.jpg", "row 1")


@given(st.text(alphabet="./\\ab~ \0C:", max_size=12))
def test_no_path_reaches_a_file_outside(tmp_path_factory, relative):
    root = tmp_path_factory.getbasetemp() / "fuzz"
    (root / "data" / "a").mkdir(parents=True, exist_ok=True)
    (root / "b").write_text("secret")
    (root / "data" / "b").write_text("public")
    try:
        found = DataFolder(root / "data").file(relative, "row 1")
    except DataError:
        return
    assert found.read_text() == "public"
