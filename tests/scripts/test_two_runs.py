"""A second process on one --out is refused with a sentence that names the first one."""

import json
import subprocess
import sys
import time
from importlib import import_module

import pytest

from pixel_env.scripts.evaluate import main as evaluate

ENV = "PixelReason-SyntheticSearch-v0"
HOLDER = """
import sys
from pathlib import Path
from pixel_env.files import lock
with getattr(lock, sys.argv[1])(Path(sys.argv[2])):
    print("has it", flush=True)
    sys.stdin.read()
"""
FOLDERS = {
    "evaluate": ["--env", ENV, "--policy", "random", "--samples", "2"],
    "train": ["--threads=1"],
    "train_sb3": ["--threads=1"],
    "learning_trap": [],
}
FILES = {"demonstrate": ["--env", ENV, "--n", "2"], "export": ["--run", "none"]}


@pytest.fixture
def held(tmp_path):
    """Lets a real second process take a lock; returns what it has, and the process."""
    processes = []

    def take(kind):
        out = tmp_path / "out"
        process = subprocess.Popen(
            [sys.executable, "-c", HOLDER, kind, str(out)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        processes.append(process)
        assert process.stdout.readline() == "has it\n"
        return out, process

    yield take
    for process in processes:
        process.communicate()


@pytest.mark.parametrize("name", [*FOLDERS, *FILES])
def test_a_second_process_is_refused_and_writes_nothing(held, tmp_path, name, capsys):
    out, process = held("only_writer" if name in FOLDERS else "only_writer_of_file")
    before = sorted(tmp_path.rglob("*"))
    main = import_module(f"pixel_env.scripts.{name}").main
    assert main([*{**FOLDERS, **FILES}[name], "--out", str(out)]) == 1
    shown = capsys.readouterr().out
    assert f"{out} is in use by process {process.pid} on " in shown
    assert "wait for it, or choose another place" in shown
    assert sorted(tmp_path.rglob("*")) == before


def test_of_two_evaluations_at_once_one_runs_and_each_episode_is_written_once(tmp_path, capsys):
    arguments = ["--env", ENV, "--policy", "random", "--samples", "100000"]
    arguments += ["--out", str(tmp_path / "out")]
    first = subprocess.Popen(
        [sys.executable, "-m", "pixel_env", "evaluate", *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    results = tmp_path / "out" / "results.jsonl"
    while not results.exists() and first.poll() is None:
        time.sleep(0.05)
    assert evaluate(arguments) == 1
    assert f"out is in use by process {first.pid} on " in capsys.readouterr().out
    first.terminate()
    first.communicate(timeout=60)
    assert first.returncode == 143
    places = [json.loads(line)["index"] for line in results.read_text().splitlines()]
    assert len(places) == len(set(places)) > 0
    assert not (tmp_path / "out" / ".lock").exists()
