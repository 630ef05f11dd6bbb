"""Rows and data folders: what is accepted, and that every fault names file and row."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pixel_env.tasks.rows import DataFolder, Row, read_json, read_jsonl

from pixel_env.errors import DataError


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "data" / "inner").mkdir(parents=True)
    (tmp_path / "data" / "inner" / "x.jpg").write_bytes(b"x")
    (tmp_path / "secret.txt").write_text("secret")
    return DataFolder(tmp_path / "data")


def test_rows_are_numbered_by_line_and_blank_lines_passed_over(tmp_path):
    path = tmp_path / "q.jsonl"
    path.write_bytes(b'\xef\xbb\xbf{"a": "x\xe2\x80\xa8y"}\r\n\r\n{"a": "z"}\n')
    rows = read_jsonl(path)
    assert [(row.text("a"), row.origin) for row in rows] == [
        ("x\u2028y", "q.jsonl row 1"),
        ("z", "q.jsonl row 3"),
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"a": 1}\n{"a": \n', r"q\.jsonl row 2 \(in .*\): not valid JSON"),
        (b"[1, 2]\n", r"q\.jsonl row 1 \(in .*\): expected an object, got '\[1, 2\]'"),
        (b'{"a": "\xff"}\n', r"q\.jsonl: can't be read"),
        (b"[" * 100_000, r"q\.jsonl row 1 .*not valid JSON"),
    ],
)
def test_bad_line_names_file_and_row(tmp_path, content, message):
    (tmp_path / "q.jsonl").write_bytes(content)
    with pytest.raises(DataError, match=message):
        read_jsonl(tmp_path / "q.jsonl")


def test_bad_json_file_names_file_and_the_row_that_points_to_it(tmp_path):
    (tmp_path / "a.json").write_text("{")
    with pytest.raises(DataError, match=r"^q\.jsonl row 7: a\.json: not valid JSON"):
        read_json(tmp_path / "a.json", "q.jsonl row 7")
    with pytest.raises(DataError, match=r"missing\.json: can't be read"):
        read_json(tmp_path / "missing.json")


def test_columns_are_checked():
    row = Row({"n": 3, "s": " a ", "blank": " ", "yes": True}, "q.jsonl row 4")
    assert (row.text("s"), row.name("s"), row.name("n")) == (" a ", "a", "3")
    with pytest.raises(DataError, match=r"^q\.jsonl row 4: expected text in column 'n', got 3$"):
        row.text("n")
    with pytest.raises(DataError, match="column 'm' is missing; the columns are blank, n, s, yes"):
        row.text("m")
    for column in ("blank", "yes"):
        with pytest.raises(DataError, match="expected a name or a number"):
            row.name(column)


def test_file_inside_is_found(folder):
    assert folder.file("inner/x.jpg", "row 1") == folder.path / "inner" / "x.jpg"


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
