"""One process at a time writes a folder; the lock of a dead one is free."""

import errno
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading

import pytest

from pixel_env.errors import ConfigError
from pixel_env.files import lock
from pixel_env.files.lock import FILE_NAME, only_writer, only_writer_of_file

HOLDER = """
import sys
from pathlib import Path
from pixel_env.files.lock import only_writer
with only_writer(Path(sys.argv[1])):
    print("has it", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def other(tmp_path):
    """A real second process that has the lock of `tmp_path/run`."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path / "run")],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout.readline() == "has it\n"
    yield process
    process.kill()
    process.wait()
    process.stdin.close()
    process.stdout.close()


def test_another_process_is_named_and_its_end_frees_the_folder(other, tmp_path):
    folder = tmp_path / "run"
    with pytest.raises(ConfigError) as fault, only_writer(folder):
        pass
    owner = rf"process {other.pid} on {re.escape(socket.gethostname())}, since 2\d\d\d-\d\d-\d\d "
    assert re.search(f"{re.escape(str(folder))} is in use by {owner}", str(fault.value))
    assert "remove" not in str(fault.value)
    other.stdin.close()
    assert other.wait(timeout=20) == 0
    with only_writer(folder):
        assert (folder / FILE_NAME).exists()
    assert not folder.exists()


def test_the_lock_of_a_killed_process_is_taken_over(other, tmp_path):
    other.send_signal(signal.SIGKILL)
    other.wait(timeout=20)
    folder = tmp_path / "run"
    assert json.loads((folder / FILE_NAME).read_text())["pid"] == other.pid
    (folder / "images" / ".writing-model").mkdir(parents=True)
    (folder / "images" / f".a.png.{'0' * 16}.partial").write_text("half")
    (folder / ".mine.partial").write_text("the user's")
    with only_writer(folder):
        assert json.loads((folder / FILE_NAME).read_text())["pid"] == os.getpid()
    left = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))
    assert left == [".mine.partial", "images"]


def test_a_thread_asks_again_and_another_one_is_refused(tmp_path):
    found = []

    def ask():
        try:
            with only_writer(tmp_path):
                found.append("has it")
        except ConfigError as fault:
            found.append(str(fault))

    with only_writer(tmp_path), only_writer(tmp_path):
        thread = threading.Thread(target=ask)
        thread.start()
        thread.join()
    assert f"in use by process {os.getpid()}" in found[0]
    ask()
    assert found[1] == "has it"


def test_a_folder_is_made_and_goes_again_if_nothing_came_into_it(tmp_path):
    with only_writer(tmp_path / "a" / "b"):
        pass
    assert list(tmp_path.iterdir()) == []
    with only_writer(tmp_path / "a" / "b"):
        (tmp_path / "a" / "b" / "x").write_text("x")
    assert [path.name for path in (tmp_path / "a" / "b").iterdir()] == ["x"]


def test_files_have_their_own_locks(tmp_path):
    with only_writer_of_file(tmp_path / "a"), only_writer_of_file(tmp_path / "b"):
        assert sorted(path.name for path in tmp_path.iterdir()) == [".a.lock", ".b.lock"]
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_the_way_is_named(tmp_path):
    (tmp_path / "a").write_text("x")
    for folder in (tmp_path / "a", tmp_path / "a" / "b"):
        with pytest.raises(ConfigError, match="got a file in the way of"), only_writer(folder):
            pass


@pytest.fixture(params=["a file system without locks", "a system without locks"])
def no_locks(request, monkeypatch):
    def none(*_):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    if request.param == "a system without locks":
        monkeypatch.setattr(lock, "fcntl", None)
    else:
        monkeypatch.setattr(lock.fcntl, "flock", none)


def owned_by(folder, pid, host):
    folder.mkdir(exist_ok=True)
    owner = {"pid": pid, "host": host, "since": "2026-01-01 00:00:00+00:00"}
    (folder / FILE_NAME).write_text(json.dumps(owner))


def test_without_locks_the_process_that_is_named_is_looked_for(no_locks, tmp_path):
    done = subprocess.Popen([sys.executable, "-c", ""])
    done.wait()
    folder = tmp_path / "run"
    owned_by(folder, done.pid, socket.gethostname())
    with only_writer(folder):
        pass
    owned_by(folder, os.getppid(), socket.gethostname())
    with pytest.raises(ConfigError, match=f"process {os.getppid()} on"), only_writer(folder):
        pass
    owned_by(folder, done.pid, "elsewhere")
    with pytest.raises(ConfigError, match=r"on elsewhere.*if it runs no more, remove .*\.lock"):  # noqa: SIM117
        with only_writer(folder):
            pass


@pytest.mark.parametrize("text", ["", "{", "[]", '{"pid": "x"}', '{"pid": 1e99}', "[" * 9000])
def test_without_locks_a_file_that_names_nobody_is_no_lock(no_locks, tmp_path, text):
    (tmp_path / FILE_NAME).write_text(text)
    with only_writer(tmp_path):
        pass
    assert list(tmp_path.iterdir()) == []
