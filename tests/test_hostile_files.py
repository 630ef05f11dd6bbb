"""Hostile files of every family give a row that can be read, or one fault that names it.

Nothing else is raised, nothing outside the folder is opened (also not by FFmpeg, which a watch of
the folder sees), no socket is made, and memory stays within its bound. The large corpus runs by
name: `pytest "tests/test_hostile_files.py::test_a_large_corpus_of_hostile_files"`.
"""

import json
import re
import socket
import subprocess
import sys
from pathlib import Path

import hostile_files
import pytest

READER = Path(__file__).with_name("hostile_reader.py")
ROOT = READER.parent.parent

MAX_MB = 2_000


@pytest.fixture
def port():
    """A port that something listens on; nobody may connect."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(8)
        yield listener.getsockname()[1]
        listener.setblocking(False)
        with pytest.raises(BlockingIOError):
            listener.accept()


def read(questions, backend="auto"):
    outside = questions.parent.parent / hostile_files.OUTSIDE
    outside.mkdir(exist_ok=True)
    done = subprocess.run(
        [sys.executable, str(READER), str(questions), str(outside), backend],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "PATH": "/usr/bin:/bin"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=570,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode(errors="replace")[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def check(found, n_rows):
    """The one assertion for all families."""
    assert found["raised"] == {}
    assert found["opened"] == []
    assert found["audit"] == []
    assert found["n_rows"] == n_rows
    assert found["peak_mb"] < MAX_MB
    for row, fault in found["faults"].items():
        assert re.search(rf"\bq\.jsonl row {row}\b", fault), (row, fault)
        assert "\n" not in fault


def questions_of(folder, family, *args):
    (folder / "data").mkdir()
    path = folder / "data" / "q.jsonl"
    return path, hostile_files.write_rows(path, family(folder / "data", *args))


@pytest.mark.parametrize("family", [hostile_files.pictures, hostile_files.clips])
def test_broken_media_are_a_fault_of_their_row(tmp_path, family):
    path, n_rows = questions_of(tmp_path, family, 80, 0)
    found = read(path)
    check(found, n_rows)
    assert len(found["faults"]) > n_rows / 5


@pytest.mark.parametrize("backend", ["pyav", "decord"])
def test_files_that_lead_elsewhere_are_a_fault_of_their_row(tmp_path, port, backend):
    path, n_rows = questions_of(tmp_path, hostile_files.leading_elsewhere, port)
    found = read(path, backend)
    check(found, n_rows)
    assert len(found["faults"]) == n_rows  # none of them can be read


def test_rows_of_wild_values_are_their_own_fault(tmp_path):
    path, n_rows = questions_of(tmp_path, hostile_files.rows)
    found = read(path)
    check(found, n_rows)
    assert len(found["faults"]) > n_rows / 5


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_a_large_corpus_of_hostile_files(tmp_path, seed):
    for family, n in ((hostile_files.pictures, 400), (hostile_files.clips, 200)):
        (tmp_path / family.__name__).mkdir()
        path, n_rows = questions_of(tmp_path / family.__name__, family, n, seed)
        check(read(path), n_rows)
