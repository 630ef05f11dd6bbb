"""Where a file can't be written, a command ends with one sentence, and goes on once it can.

`tests/test_write_faults.py` has what happens at every single write.
"""

import errno
import os
import subprocess
import sys
import tempfile
from importlib import import_module
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest
from refusals import most_bytes_a_file, read_only_folder

import pixel_env
from pixel_env.agents.learning_trap.curves import draw_curves
from pixel_env.wrappers import RecordTrajectories

ENV = "PixelReason-SyntheticSearch-v0"
EVALUATE = ["--env", ENV, "--policy", "random", "--samples", "3", "--out"]
DEMONSTRATE = ["--env", ENV, "--n", "4", "--out"]
TRAIN = ["--threads=1", "--eval-samples=1", "--out"]


def run(name, *arguments):
    return import_module(f"pixel_env.scripts.{name}").main([str(each) for each in arguments])


@pytest.fixture
def recorded():
    """A recorded episode, in a folder that everybody may read."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        env = RecordTrajectories(gym.make(ENV), Path(folder) / "episodes")
        env.reset(seed=1)
        env.step(pixel_env.answer("B"))
        yield Path(folder) / "episodes"


def check(capsys, *parts):
    """One sentence on standard error, with the path and what to do; no traceback."""
    sentence = capsys.readouterr().err
    assert sentence.startswith("pixel-reason ")
    assert len(sentence.splitlines()) == 1
    for part in parts:
        assert str(part) in sentence


def files(folder):
    return {
        path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


@pytest.mark.parametrize("limit", [2_000, 12_000])
def test_an_evaluation_under_a_limit_goes_on_when_it_is_lifted(tmp_path, capsys, limit):
    out, whole = tmp_path / "out", tmp_path / "whole"
    with most_bytes_a_file(limit):
        assert run("evaluate", *EVALUATE, out) == 1
    advice = f"the same command with --out {out} goes on; what was done is kept"
    check(capsys, f"pixel-reason evaluate: {out}", "ulimit -f", advice)
    assert run("evaluate", *EVALUATE, out) == run("evaluate", *EVALUATE, whole) == 0
    assert files(out) == files(whole)


def test_demonstrations_under_a_limit_go_on_when_it_is_lifted(tmp_path, capsys):
    out, whole = tmp_path / "a" / "demos.jsonl", tmp_path / "b" / "demos.jsonl"
    with most_bytes_a_file(1_000):
        assert run("demonstrate", *DEMONSTRATE, out) == 1
    check(capsys, f"pixel-reason demonstrate: {out} can't be written", "ulimit -f")
    assert run("demonstrate", *DEMONSTRATE, out) == run("demonstrate", *DEMONSTRATE, whole) == 0
    assert files(tmp_path / "a") == files(tmp_path / "b")


def test_a_page_under_a_limit_leaves_the_old_one(recorded, capsys):
    page = recorded / "view.html"
    page.write_text("old")
    with most_bytes_a_file(1_000):
        assert run("view", recorded, "--out", page) == 1
    data = page.with_suffix(".data")  # what stands beside the page is written first
    check(capsys, f"pixel-reason view: {data} can't be written", "ulimit -f")
    assert not data.exists()
    assert page.read_text() == "old"
    assert not list(recorded.glob("*.partial"))


def test_curves_under_a_limit_leave_no_half_picture(tmp_path):
    values = {"RaPR": {"an arm": np.ones((1, 9))}}
    with most_bytes_a_file(1_000), pytest.raises(OSError, match="File too large") as fault:
        draw_curves(values, tmp_path / "curves.png")
    assert fault.value.filename == str(tmp_path / "curves.png")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("evaluate", EVALUATE),
        ("demonstrate", DEMONSTRATE),
        ("train", TRAIN),
        ("train_sb3", ["--threads=1", "--out"]),
        ("learning_trap", ["--out"]),
        ("export", ["--run", "none", "--out"]),
        ("view", None),
    ],
)
def test_a_folder_that_can_only_be_read_is_named(recorded, capsys, name, arguments):
    with read_only_folder() as folder:
        arguments = [recorded, "--out"] if name == "view" else arguments
        assert run(name, *arguments, folder / "new") == 1
        assert list(folder.iterdir()) == []
    check(capsys, f"{folder}", "no right", "choose another place")


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("evaluate", EVALUATE),
        ("demonstrate", DEMONSTRATE),
        ("train", TRAIN),
        ("train_sb3", ["--threads=1", "--out"]),
        ("learning_trap", ["--out"]),
        ("export", ["--run", "none", "--out"]),
    ],
)
def test_a_file_in_the_way_is_named(tmp_path, capsys, name, arguments):
    (tmp_path / "file").write_text("mine")
    inside = name in ("demonstrate", "export")
    out = tmp_path / "file" / "x" if inside else tmp_path / "file"
    assert run(name, *arguments, out) == 1
    shown = capsys.readouterr()
    assert f"expected a folder, got a file in the way of {tmp_path / 'file'}" in shown.out
    assert (tmp_path / "file").read_text() == "mine"


def test_a_folder_in_the_place_of_a_page_is_named(recorded, capsys):
    assert run("view", recorded, "--out", recorded) == 1
    check(capsys, f"{recorded} can't be written: expected a file, got a folder")


def test_a_full_disk_is_no_fault_of_the_network(tmp_path, monkeypatch, capsys):
    import huggingface_hub

    def full(*_, **__):
        try:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError as fault:
            raise RuntimeError("Data processing error") from fault

    monkeypatch.setattr(huggingface_hub, "snapshot_download", full)
    assert run("prepare_data", "vstar", "--to", tmp_path / "vstar") == 1
    place = f"pixel-reason prepare-data: {tmp_path / 'vstar'} can't be written: no room"
    check(capsys, place, "then the same command goes on")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no device that is full")
@pytest.mark.parametrize(
    ("arguments", "unbuffered"), [(["--help"], "1"), (["plan"], ""), (["view", "--help"], "")]
)
def test_output_that_finds_no_room_or_no_reader_ends_without_a_traceback(arguments, unbuffered):
    command = [sys.executable, "-m", "pixel_env", *arguments]
    environment = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    with open("/dev/full", "w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, env=environment)
    assert done.stderr == b"the output can't be written: No space left on device\n"
    assert done.returncode == 1
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as gone:
        done = subprocess.run(command, stdout=gone, stderr=subprocess.PIPE, env=environment)
    assert (done.returncode, done.stderr) == (141, b"")
