"""Archives are unpacked beside themselves, whole, again without work, and never outside."""

from __future__ import annotations

import stat
import zipfile

import pytest

from pixel_env.errors import DataError
from pixel_env.tasks.releases.archives import unpack_all


def write_zip(path, **members):
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "/"), content)


def test_archives_are_unpacked_beside_themselves(tmp_path):
    write_zip(tmp_path / "images.zip", images__a="a", images__b="bb")
    write_zip(tmp_path / "video" / "star.zip", Charades__c="c")
    assert unpack_all(tmp_path) == 3
    assert (tmp_path / "images" / "a").read_text() == "a"
    assert (tmp_path / "video" / "star" / "Charades" / "c").read_text() == "c"


def test_unpacking_again_writes_what_is_missing_or_cut(tmp_path):
    write_zip(tmp_path / "images.zip", images__a="a", images__b="bb")
    unpack_all(tmp_path)
    assert unpack_all(tmp_path) == 0
    (tmp_path / "images" / "b").write_text("b")
    assert unpack_all(tmp_path) == 1
    assert (tmp_path / "images" / "b").read_text() == "bb"


@pytest.mark.parametrize("name", ["../out", "/abs", "images/../../out", "C:\\x", "a\\..\\..\\x"])
def test_file_that_would_lie_outside_is_refused_before_any_is_written(tmp_path, name):
    folder = tmp_path / "data"
    write_zip(folder / "images.zip", images__a="a", **{name: "x"})
    with pytest.raises(DataError, match="would lie outside its folder"):
        unpack_all(folder)
    assert [path.name for path in folder.iterdir()] == ["images.zip"]
    assert not (tmp_path / "out").exists()


def test_link_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "images.zip", "w") as archive:
        link = zipfile.ZipInfo("images/link")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/hostname")
    with pytest.raises(DataError, match="'images/link', which would lie outside"):
        unpack_all(tmp_path)


@pytest.mark.parametrize("kept", [10, -30])
def test_broken_archive_is_named(tmp_path, kept):
    write_zip(tmp_path / "images.zip", images__a="a" * 10_000)
    path = tmp_path / "images.zip"
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(DataError, match=r"images\.zip can't be unpacked"):
        unpack_all(tmp_path)
