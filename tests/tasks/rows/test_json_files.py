"""Rows of JSON files: how they are numbered, and that every fault names file and row."""

from __future__ import annotations

import pytest

from pixel_env.errors import DataError
from pixel_env.tasks.rows.json_files import read_json, read_json_list, read_jsonl


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
        (b"[1, 2]\n", r"q\.jsonl row 1 \(in .*\): expected an object, got \[1, 2\]"),
        (b"[" * 100_000, r"q\.jsonl row 1 .*not valid JSON"),
    ],
)
def test_bad_line_names_file_and_row_and_spares_the_others(tmp_path, content, message):
    (tmp_path / "q.jsonl").write_bytes(content + b'\n{"a": 5}')
    rows = read_jsonl(tmp_path / "q.jsonl")
    faults = [row for row in rows.each() if isinstance(row, DataError)]
    assert len(faults) == 1
    with pytest.raises(DataError, match=message):
        raise faults[0]
    assert rows[len(rows) - 1].value("a") == 5


def test_a_line_that_is_no_text_is_its_own_fault_and_a_list_that_is_none_is_refused(tmp_path):
    """Lines stand apart, whatever their bytes; a list is one text."""
    (tmp_path / "q.jsonl").write_bytes(b'{"a": 1}\n{"a": "\xff"}\n{"a": "\xc3\xa9"}\n')
    rows = read_jsonl(tmp_path / "q.jsonl")
    assert (rows[0].value("a"), rows[2].value("a")) == (1, "\xe9")
    with pytest.raises(DataError, match=r"q\.jsonl row 2 \(in .*\): not valid UTF-8 at char"):
        rows[1]
    (tmp_path / "q.json").write_bytes(b'[{"a": "\xff"}]')
    with pytest.raises(DataError, match=r"q\.json: can't be read"):
        read_json_list(tmp_path / "q.json")


@pytest.mark.parametrize("content", ['[{"a": 1}, 7]', '{"data": [{"a": 1}, 7], "more": 0}'])
def test_list_of_rows_may_stand_under_a_key(tmp_path, content):
    (tmp_path / "q.json").write_text(content)
    rows = read_json_list(tmp_path / "q.json", "data", {"split": "x"})
    assert (len(rows), dict(rows[0].values), rows[0].position) == (2, {"a": 1, "split": "x"}, 1)
    with pytest.raises(DataError, match=r"^q\.json row 2 \(in .*\): expected an object, got 7"):
        rows[1]


@pytest.mark.parametrize("content", ['{"rows": []}', "7", "null"])
def test_file_without_a_list_is_refused(tmp_path, content):
    (tmp_path / "q.json").write_text(content)
    with pytest.raises(DataError, match=r"q\.json: expected a list of rows under 'data'"):
        read_json_list(tmp_path / "q.json", "data")


def test_bad_json_file_names_file_and_the_row_that_points_to_it(tmp_path):
    (tmp_path / "a.json").write_text("{")
    with pytest.raises(DataError, match=r"^q\.jsonl row 7: a\.json: not valid JSON"):
        read_json(tmp_path / "a.json", "q.jsonl row 7")
    with pytest.raises(DataError, match=r"missing\.json: can't be read"):
        read_json(tmp_path / "missing.json")
