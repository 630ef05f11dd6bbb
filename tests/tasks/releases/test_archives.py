"""Archives are unpacked beside themselves, whole, again without work, and never outside."""

from __future__ import annotations

import random
import stat
import zipfile

import pytest

from pixel_env.errors import DataError
from pixel_env.tasks.releases import archives
from pixel_env.tasks.releases.archives import UnpackLimits, unpack_all


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


def fails(folder, match, limits=None):
    with pytest.raises(DataError, match=match) as fault:
        unpack_all(folder, limits)
    assert "\n" not in str(fault.value)
    assert not list(folder.glob("**/*.part"))


@pytest.mark.parametrize("method", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("seed", range(8))
def test_a_broken_stream_of_any_method_is_one_error(tmp_path, method, seed):
    rng = random.Random(seed)
    path = tmp_path / "images.zip"
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("images/a", rng.randbytes(2_000) + bytes(2_000))
    data = bytearray(path.read_bytes())
    start = 40 + rng.randrange(1_500)
    data[start : start + 60] = rng.randbytes(60)
    path.write_bytes(data)
    fails(tmp_path, r"images\.zip.*can't be unpacked")
    assert not (tmp_path / "images" / "a").exists()


def test_an_encrypted_file_is_named(tmp_path):
    write_zip(tmp_path / "images.zip", images__a="a" * 100)
    data = bytearray((tmp_path / "images.zip").read_bytes())
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(mark) + at] |= 1  # the flag that says so, in both headers
    (tmp_path / "images.zip").write_bytes(data)
    fails(tmp_path, "'images/a', which is encrypted")


@pytest.mark.parametrize("name", ["images/" + "x" * 5_000, "images/" + "y/" * 3_000 + "z"])
def test_an_overlong_name_is_one_error(tmp_path, name):
    write_zip(tmp_path / "images.zip", **{name: "x"})
    fails(tmp_path, r"images\.zip.*can't be unpacked")


@pytest.mark.parametrize("names", [("images/a", "images/a/b"), ("images/a/b", "images/a")])
def test_a_name_of_a_file_and_of_a_folder_is_refused_before_anything_is_written(tmp_path, names):
    write_zip(tmp_path / "images.zip", **dict.fromkeys(names, "x"))
    fails(tmp_path, "'images/a' as a file and as a folder")
    assert not (tmp_path / "images").exists()


def test_a_file_where_a_folder_stands_already_is_one_error(tmp_path):
    write_zip(tmp_path / "images.zip", images__a="x")
    (tmp_path / "images" / "a").mkdir(parents=True)
    fails(tmp_path, r"images\.zip: 'images/a' can't be unpacked")


def test_a_link_that_was_there_leads_no_file_out(tmp_path):
    folder = tmp_path / "data"
    write_zip(folder / "images.zip", images__sub__a="x")
    (tmp_path / "elsewhere").mkdir()
    (folder / "images").mkdir()
    (folder / "images" / "sub").symlink_to(tmp_path / "elsewhere")
    fails(folder, "leads out of the folder")
    assert not list((tmp_path / "elsewhere").iterdir())


def test_what_unpacks_to_too_much_is_refused_before_anything_is_written(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "FREE_BYTES", 1_000)
    path = tmp_path / "images.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("images/a", bytes(10**6))
    fails(tmp_path, "over 200 times as many")
    fails(tmp_path, "would unpack to 1,000,000 bytes, and 999,999 are", UnpackLimits(999_999))
    assert not (tmp_path / "images").exists()
    assert unpack_all(tmp_path, UnpackLimits(10**6, max_ratio=2_000)) == 1


def test_a_file_that_is_larger_than_it_says_is_one_error(tmp_path):
    write_zip(tmp_path / "images.zip", images__a="a" * 1_000)
    data = bytearray((tmp_path / "images.zip").read_bytes())
    for mark, at in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        place = data.index(mark) + at
        data[place : place + 4] = (10).to_bytes(4, "little")
    (tmp_path / "images.zip").write_bytes(data)
    fails(tmp_path, r"images\.zip: 'images/a' can't be unpacked")
