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

import hostile_archives
import hostile_files
import hostile_models
import pytest
import tiny_models

from pixel_env.agents.model.trained_with import TrainedWith
from pixel_env.agents.policies.sb3_model import NetworkSettings, build_policy, save_policy
from pixel_env.flat.spaces import FlatConfig

READER = Path(__file__).with_name("hostile_reader.py")
FOLDER_READER = Path(__file__).with_name("hostile_folder_reader.py")
ROOT = READER.parent.parent

MAX_MB, MAX_CPU_S, MAX_S = 2_000, 2, 20
"""Seconds of the processor, and on the clock: other work on the machine may take most of it."""


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
    return run(READER, questions, outside, backend)


def run(reader, *arguments):
    """Runs a reader under limits of time and memory; returns what it found."""
    done = subprocess.run(
        [sys.executable, str(reader), *map(str, arguments)],
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


def check_times(found):
    """By name only: how long a file takes depends on the processor. `run` ends what hangs."""
    assert found["longest_cpu_s"] < MAX_CPU_S
    assert found["longest_s"] < MAX_S, found["longest_row"]


def read_folders(kind, folder):
    """Loads every folder of a kind in a process of its own."""
    outside = folder / hostile_files.OUTSIDE
    outside.mkdir(exist_ok=True)
    return run(FOLDER_READER, kind, folder / "data", outside)


def check_folders(found, n_folders):
    """The same assertion where each folder, or file, is a case of its own."""
    check({**found, "faults": {}}, n_folders)
    for name, fault in found["faults"].items():
        assert name in fault
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


def test_archives_are_unpacked_inside_their_folder_or_refused(tmp_path):
    (tmp_path / "data").mkdir()
    n = len(list(hostile_archives.archives(tmp_path / "data", 30, 0)))
    check_folders(read_folders("archive", tmp_path), n)


def test_records_of_any_kind_are_shown_or_are_their_own_fault(tmp_path):
    (tmp_path / "data").mkdir()
    n = len(list(hostile_archives.records(tmp_path / "data", 40, 0)))
    check_folders(read_folders("records", tmp_path), n)


def made_models(data, n, seed):
    """Broken models beside an intact one."""
    base = data / "intact"
    tiny_models.tiny_model("qwen2_5_vl").save_pretrained(base)
    tiny_models.tiny_tokenizer().save_pretrained(base)
    tiny_models.tiny_processor("qwen2_5_vl").save_pretrained(base)
    TrainedWith("pixel-reasoner", "none", 8, 300, {"max_turns": 3}).write(base)
    (data.parent / hostile_files.OUTSIDE).mkdir()
    secret = data.parent / hostile_files.OUTSIDE / "secret.safetensors"
    secret.write_bytes((base / hostile_models.WEIGHTS).read_bytes())
    return 1 + len(list(hostile_models.models(data, base, n, seed)))


def made_policies(data, n, seed):
    """Broken policies of stable-baselines3 beside an intact one."""
    flat = FlatConfig(view_px=40, n_views=2, question_chars=24, vocabulary="HJLOTVXZ")
    small = {"width": 8, "text_width": 8, "view_features": 8}
    network = NetworkSettings("look", small, (16,))
    save_policy(build_policy(flat, network), data / "intact", flat, network)
    return 1 + len(list(hostile_models.policies(data, data / "intact", n, seed)))


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_a_large_corpus_of_hostile_files(tmp_path, seed, port):
    families = {
        hostile_files.pictures: (200, seed),
        hostile_files.clips: (90, seed),
        hostile_files.leading_elsewhere: (port,),
        hostile_files.rows: (),
    }
    for family, arguments in families.items():
        (tmp_path / family.__name__).mkdir()
        path, n_rows = questions_of(tmp_path / family.__name__, family, *arguments)
        found = read(path)
        told(family.__name__, found)
        check(found, n_rows)
        check_times(found)
    makers = {
        "vlm": (made_models, 100),
        "sb3": (made_policies, 100),
        "archive": (lambda *of: len(list(hostile_archives.archives(*of))), 100),
        "records": (lambda *of: len(list(hostile_archives.records(*of))), 100),
    }
    for kind, (make, n) in makers.items():
        folder = tmp_path / kind
        (folder / "data").mkdir(parents=True)
        n_folders = make(folder / "data", n, seed)
        found = read_folders(kind, folder)
        told(kind, found)
        check_folders(found, n_folders)
        check_times(found)
        assert not (folder / hostile_models.MARK).exists()


def told(family, found):
    """Prints the figures of docs/reliability.md; `-s` shows them."""
    names = ("n_rows", "peak_mb", "longest_s", "longest_cpu_s", "longest_row")
    print(family, {**{name: found[name] for name in names}, "faults": len(found["faults"])})
