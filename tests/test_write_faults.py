"""A command that is killed, or finds the disk full, at any of its writes ends as if it had not.

`write_faults.c` counts every call of this process that changes a file, those of native libraries
included, and `write_faults.py` runs a command, lets a write fail, runs it again, and compares. The
suite tries some writes of one command; every write of each command runs by name:
`pytest "tests/test_write_faults.py::test_every_write_of_a_command"`.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
COMPILER = shutil.which("cc") or shutil.which("gcc")

pytestmark = pytest.mark.skipif(
    COMPILER is None or sys.platform != "linux", reason="no C compiler, or another system"
)


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    built = tmp_path_factory.mktemp("faults") / "write_faults.so"
    source = TESTS / "write_faults.c"
    subprocess.run([COMPILER, "-shared", "-fPIC", "-o", built, source, "-ldl"], check=True)
    return built


def tried(library, folder, command, step, seconds):
    """Runs the faults of a command in a process of their own; returns their counts."""
    done = subprocess.run(
        [sys.executable, TESTS / "write_faults.py", folder, command, str(step)],
        env={
            **os.environ,
            "LD_PRELOAD": str(library),
            "PYTHONPATH": str(TESTS.parent),
            "OMP_NUM_THREADS": "1",
        },
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_some_writes_of_an_evaluation(library, tmp_path):
    counts = tried(library, tmp_path, "evaluate", 11, 300)
    n_tried = -(-counts["writes"] // 11)
    assert n_tried >= 5
    assert counts["kill"] == counts["kill halfway"] == n_tried
    assert n_tried - 2 <= counts["full"] <= n_tried  # the lock's own file isn't missed


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "step"),
    [
        *((name, 1) for name in ("evaluate", "evaluate_extended", "demonstrate", "view")),
        *(("evaluate_controls", 5), ("export", 5), ("train", 25), ("train_sb3", 25)),
    ],
)
def test_every_write_of_a_command(library, tmp_path, command, step):
    """Those of the commands with many writes, and models to load, in steps."""
    counts = tried(library, tmp_path, command, step, 7200)
    assert counts["kill"] == counts["kill halfway"] == -(-counts["writes"] // step)
