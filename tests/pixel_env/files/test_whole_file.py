"""A file is the old one or the new one, at every moment."""

import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from pixel_env.files.whole_file import whole_file, write_whole


@pytest.mark.parametrize("sync", [True, False])
def test_text_and_bytes_are_written_and_nothing_is_left_beside(tmp_path, sync):
    write_whole(tmp_path / "a.txt", "größer\n", sync)
    write_whole(tmp_path / "b", b"\x00\xff", sync)
    assert (tmp_path / "a.txt").read_bytes() == "größer\n".encode()
    assert (tmp_path / "b").read_bytes() == b"\x00\xff"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.txt", "b"]


def test_the_old_file_stands_until_the_new_one_is_whole(tmp_path):
    path = tmp_path / "a.txt"
    write_whole(path, "old")
    with whole_file(path) as stream:
        stream.write(b"ne")
        stream.flush()
        assert path.read_text() == "old"
        stream.write(b"w")
    assert path.read_text() == "new"


def test_a_fault_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "a.txt"
    write_whole(path, "old")

    def stopped():
        with whole_file(path) as stream:
            stream.write(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped()
    with pytest.raises(TypeError):
        write_whole(path, 3)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_many_writers_of_one_file_do_not_disturb_each_other(tmp_path):
    path = tmp_path / "a.txt"
    contents = [str(n) * 10_000 for n in range(10)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda content: write_whole(path, content, sync=False), contents * 5))
    assert path.read_text() in contents
    assert list(tmp_path.iterdir()) == [path]


def test_others_may_read_it_as_any_new_file(tmp_path):
    write_whole(tmp_path / "a", "x")
    (tmp_path / "b").write_text("x")
    modes = [os.stat(tmp_path / name).st_mode for name in "ab"]
    assert modes[0] == modes[1]
