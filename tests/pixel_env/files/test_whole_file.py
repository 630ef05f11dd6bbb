"""A file is the old one or the new one, at every moment."""

import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from pixel_env.errors import ConfigError
from pixel_env.files.whole_file import naming, whole_file, write_whole, writing_fault


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


def test_a_link_stays_and_what_it_leads_to_is_replaced(tmp_path):
    (tmp_path / "real.txt").write_text("old")
    (tmp_path / "link.txt").symlink_to("real.txt")
    write_whole(tmp_path / "link.txt", "new")
    assert (tmp_path / "link.txt").is_symlink()
    assert (tmp_path / "real.txt").read_text() == "new"


def test_a_pipe_is_written_as_it_is(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    reading = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    write_whole(tmp_path / "pipe", "x", sync=False)
    assert os.read(reading, 9) == b"x"
    os.close(reading)
    assert [path.name for path in tmp_path.iterdir()] == ["pipe"]


def test_lone_surrogates_are_escaped(tmp_path):
    write_whole(tmp_path / "a", "x\ud800")
    assert (tmp_path / "a").read_text() == "x\\ud800"


@pytest.mark.parametrize(
    "fault",
    [
        OSError(28, "No space left on device"),
        OSError(28, "No space left on device", "a/.0123.partial"),
        ValueError("Error while serializing: I/O error: No space left on device (os error 28)"),
    ],
)
def test_a_full_disk_is_named_by_the_file_whatever_a_library_makes_of_it(tmp_path, fault):
    with pytest.raises(OSError, match="No space left on device") as raised, naming(tmp_path / "a"):
        raise fault
    assert (raised.value.errno, raised.value.filename) == (28, str(tmp_path / "a"))


@pytest.mark.parametrize("fault", [ValueError("x"), OSError(2, "gone", "other"), ConfigError("x")])
def test_other_faults_stay_what_they_are(tmp_path, fault):
    with pytest.raises(type(fault)) as raised, naming(tmp_path / "a"):
        raise fault
    assert raised.value is fault


def test_a_library_that_hides_the_cause_is_seen_through(tmp_path):
    def library():
        try:
            raise OSError(27, "File too large")
        except OSError as cause:
            raise RuntimeError("unexpected pos 704 vs 598") from cause

    with pytest.raises(OSError, match="File too large"), naming(tmp_path / "a"):
        library()
    assert writing_fault(ValueError("x"), tmp_path) is None
    assert writing_fault(OSError(28, "full"), tmp_path).filename == str(tmp_path)
