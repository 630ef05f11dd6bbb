"""Parquet rows: what is read when, and what broken files say."""

from __future__ import annotations

import os
import pickle
import sys
from concurrent.futures import ThreadPoolExecutor

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from dataset_folders.files import HUB_PICTURE, hub_picture, write_parquet

from pixel_env.errors import ConfigError, DataError
from pixel_env.tasks.rows import parquet_files as parquet_rows
from pixel_env.tasks.rows.parquet_files import ParquetRows, read_parquets

N_ROWS = 25


@pytest.fixture
def path(tmp_path):
    rows = [{"n": number, "image": hub_picture(number)} for number in range(N_ROWS)]
    write_parquet(tmp_path / "x.parquet", rows, row_group_size=10, image=HUB_PICTURE)
    return tmp_path / "x.parquet"


class NotedReads:
    """A ParquetFile that notes which columns of which row groups are read."""

    def __init__(self, inner, noted):
        self._inner, self._noted = inner, noted

    def __getattr__(self, name):
        return getattr(self._inner, name)

    def read(self, columns, **options):
        self._noted.append(("all", tuple(columns)))
        return self._inner.read(columns=columns, **options)

    def iter_batches(self, row_groups, columns, **options):
        self._noted.append((tuple(row_groups), tuple(columns)))
        return self._inner.iter_batches(row_groups=row_groups, columns=columns, **options)


@pytest.fixture
def noted(monkeypatch):
    reads = []
    opened = parquet_rows._opened
    monkeypatch.setattr(parquet_rows, "_opened", lambda path: NotedReads(opened(path), reads))
    return reads


def test_pictures_are_read_when_asked_for_and_only_their_row_group(path, noted):
    rows = ParquetRows(path)
    row = rows[13]
    assert (row.values, row.origin, row.position) == ({"n": 13}, "x.parquet row 14", 14)
    assert noted == [("all", ("n",))]
    assert row.late["image"]() == hub_picture(13)
    assert noted[1:] == [((1,), ("image",))]


def test_reading_in_order_reads_each_row_group_once(path, noted):
    rows = ParquetRows(path)
    assert [rows[i].late["image"]()["path"] for i in range(N_ROWS)] == [
        f"{i}.png" for i in range(N_ROWS)
    ]
    assert [read[0] for read in noted[1:]] == [(0,), (1,), (2,)]


def test_rows_read_a_few_apart_come_from_memory(path, noted):
    rows = ParquetRows(path)
    for index in (5, 3, 4, 6, 2):
        assert rows[index].late["image"]()["path"] == f"{index}.png"
    assert len(noted) == 2


def test_memory_for_late_values_is_bounded(path, noted, monkeypatch):
    monkeypatch.setattr(parquet_rows, "KEPT_BYTES", 1)
    rows = ParquetRows(path)
    for index in (5, 3, 4):
        assert rows[index].late["image"]()["path"] == f"{index}.png"
    assert [read[0] for read in noted[1:]] == [(0,), (0,)]


def test_any_order_gives_the_same_values(path):
    rows = ParquetRows(path)
    order = [7, 24, 0, 12, 11, 13, 3, 24, 2]
    assert [rows[i].late["image"]()["path"] for i in order] == [f"{i}.png" for i in order]


def test_threads_may_read_at_once(path):
    rows = ParquetRows(path)
    with ThreadPoolExecutor(8) as threads:
        read = list(threads.map(lambda i: rows[i % N_ROWS].late["image"](), range(100)))
    assert read == [hub_picture(i % N_ROWS) for i in range(100)]


def test_rows_can_be_sent_to_another_process_and_open_the_file_there(path):
    rows = ParquetRows(path)
    _ = rows[3].late["image"]()
    sent = pickle.dumps(rows)
    assert len(sent) < 1000
    assert pickle.loads(sent)[20].late["image"]() == hub_picture(20)
    late = pickle.loads(pickle.dumps(rows[4].late["image"]))
    assert late() == hub_picture(4)


def test_all_rows_are_those_one_by_one(path):
    rows = ParquetRows(path)
    assert [(row.values, row.origin) for row in rows.each()] == [
        (rows[i].values, rows[i].origin) for i in range(N_ROWS)
    ]


def test_chosen_columns_alone_are_there(path):
    assert ParquetRows(path, ["n", "other"]).columns() == {"n"}
    assert ParquetRows(path, late=["n"])[3].late["n"]() == 3


def test_several_files_are_one(path, tmp_path):
    write_parquet(tmp_path / "y.parquet", [{"n": 99, "image": hub_picture(99)}], image=HUB_PICTURE)
    rows = read_parquets([path, tmp_path / "y.parquet"])
    assert len(rows) == N_ROWS + 1
    assert rows[N_ROWS].values == {"n": 99}
    assert rows.origin(N_ROWS) == "y.parquet row 1"
    assert rows.digest() != ParquetRows(path).digest()


def test_digest_changes_with_the_data(path):
    before = ParquetRows(path).digest()
    assert ParquetRows(path).digest() == before
    rows = [{"n": number, "image": hub_picture(number)} for number in range(N_ROWS - 1)]
    write_parquet(path, rows, row_group_size=10, image=HUB_PICTURE)
    assert ParquetRows(path).digest() != before


def test_missing_pyarrow_names_the_extra(path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(ConfigError, match=r"pip install 'pixel-reason\[data\]'"):
        ParquetRows(path)


@pytest.mark.parametrize("kept", [0, 3, 100, -1, -20])
def test_truncated_file_is_refused_by_name(path, kept):
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(DataError, match=r"x\.parquet can't be read as parquet"):
        ParquetRows(path)


def test_broken_page_is_a_fault_of_its_rows_alone(tmp_path):
    path = tmp_path / "x.parquet"
    table = pa.table({"n": [0, 1], "image": [b"a" * 5000, bytes(range(250)) * 20]})
    pq.write_table(table, path, row_group_size=1, compression="zstd", use_dictionary=False)
    chunk = pq.ParquetFile(path).metadata.row_group(0).column(1)
    content = bytearray(path.read_bytes())
    end = chunk.data_page_offset + chunk.total_compressed_size
    content[end - 12 : end] = b"\xff" * 12
    path.write_bytes(content)
    rows = ParquetRows(path)
    for _ in range(2):
        with pytest.raises(DataError, match=r"^x\.parquet row 1: column 'image' can't be read"):
            rows[0].late["image"]()
    assert rows[1].late["image"]() == bytes(range(250)) * 20


def test_text_that_is_none_and_a_date_out_of_range_are_faults_of_their_row(tmp_path):
    path = tmp_path / "x.parquet"
    binary = pa.array([b"a", b"\xff\xfe", b"c"])
    texts = pa.Array.from_buffers(pa.string(), 3, binary.buffers())
    dates = pa.array([0, 1, 9 * 10**17], pa.int64()).cast(pa.timestamp("us"))
    pq.write_table(pa.table({"text": texts, "n": dates}), path)
    rows = ParquetRows(path)
    assert rows[0].values["text"] == "a"
    for index in (1, 2):
        with pytest.raises(DataError, match=rf"^x\.parquet row {index + 1} .*can't be read"):
            rows[index]
    assert [isinstance(row, DataError) for row in rows.each()] == [False, True, True]


def test_two_columns_of_one_name_are_refused_by_it(tmp_path):
    table = pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["image", "image"])
    pq.write_table(table, tmp_path / "x.parquet")
    with pytest.raises(DataError, match=r"x\.parquet has several columns called 'image'"):
        ParquetRows(tmp_path / "x.parquet")


def test_a_pipe_is_no_parquet(tmp_path):
    os.mkfifo(tmp_path / "x.parquet")
    with pytest.raises(DataError, match="no regular file"):
        ParquetRows(tmp_path / "x.parquet")


def test_a_text_that_many_rows_share_stands_in_memory_once(tmp_path):
    text = "x" * 10**6
    pq.write_table(pa.table({"a": [text] * 80, "n": range(80)}), tmp_path / "x.parquet")
    rows = ParquetRows(tmp_path / "x.parquet")
    assert rows._table.nbytes < 3 * 10**6
    assert [row.values["n"] for row in rows.each() if row.values["a"] == text] == list(range(80))
    assert rows._longest_text == 10**6


@pytest.mark.parametrize("nested", [False, True])
def test_columns_that_unpack_to_too_much_are_refused(tmp_path, monkeypatch, nested):
    monkeypatch.setattr(parquet_rows, "UNPACKED_BYTES", 10**6)
    text = "x" * 10**5
    values = [[text]] * 50 if nested else [text + str(n) for n in range(50)]
    pq.write_table(pa.table({"a": values}), tmp_path / "x.parquet", compression="zstd")
    assert (tmp_path / "x.parquet").stat().st_size < 10**5
    with pytest.raises(DataError, match=r"x\.parquet .*columns a unpack to more than 1 MB"):
        ParquetRows(tmp_path / "x.parquet")
