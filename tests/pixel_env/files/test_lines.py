"""Lines are whole or absent: a cut one goes, a full disk leaves the file as it was."""

import errno
import io
import os
import resource
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from pixel_env.files import lines as module
from pixel_env.files.lines import append_line, cut_unfinished_line, whole_lines


def test_lines_come_one_after_the_other(tmp_path):
    path = tmp_path / "a.jsonl"
    append_line(path, "größer\u2028\x85")
    append_line(path, "")
    assert whole_lines(path) == ["größer\u2028\x85".encode(), b""]


@pytest.mark.parametrize("before", [b"a\nb\n", b"a\n" + b"x" * 200_000, b"half", b""])
def test_what_a_dying_process_left_is_never_glued_to_the_next_line(tmp_path, before):
    path = tmp_path / "a.jsonl"
    path.write_bytes(before)
    kept = before[: before.rfind(b"\n") + 1]
    assert whole_lines(path) == kept.split(b"\n")[:-1]
    append_line(path, "next")
    assert path.read_bytes() == kept + b"next\n"
    path.write_bytes(before)
    cut_unfinished_line(path)
    assert path.read_bytes() == kept


def test_no_file_has_nothing_to_cut(tmp_path):
    cut_unfinished_line(tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_a_write_that_takes_a_part_goes_on_with_the_rest(tmp_path, monkeypatch):
    class Slow(io.FileIO):
        def write(self, data):
            return super().write(bytes(data[:3]))

    monkeypatch.setattr(module.Path, "open", lambda path, mode, buffering: Slow(path, mode))
    append_line(tmp_path / "a", "0123456789")
    monkeypatch.undo()
    assert (tmp_path / "a").read_text() == "0123456789\n"


def test_a_line_without_room_leaves_the_file_as_it_was_and_names_it(tmp_path):
    """The limit on the size of files is real: the last write takes a part, the next one fails."""
    path = tmp_path / "a.jsonl"
    path.write_text("first\n")
    script = (
        "import resource, sys; from pathlib import Path\n"
        "from pixel_env.files.lines import append_line\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))\n"
        "try: append_line(Path(sys.argv[1]), 'x' * 1000)\n"
        "except OSError as fault: print(fault.errno, fault.filename)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=True
    )
    assert done.stdout == f"{errno.EFBIG} {path}\n"
    assert path.read_text() == "first\n"
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 100


def test_many_writers_of_one_file_lose_no_line(tmp_path):
    path = tmp_path / "a.jsonl"
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: append_line(path, str(n) * 200), range(200)))
    lines = [line.decode() for line in whole_lines(path)]
    assert sorted(lines) == sorted(str(n) * 200 for n in range(200))


def test_a_file_system_without_locks_is_written_all_the_same(tmp_path, monkeypatch):
    def none(*_):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(module.fcntl, "flock", none)
    append_line(tmp_path / "a", "x")
    monkeypatch.setattr(module, "fcntl", None)
    append_line(tmp_path / "a", "y")
    assert (tmp_path / "a").read_text() == "x\ny\n"
