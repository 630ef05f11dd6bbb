"""The programs in examples/ run as they stand, and print what they promise."""

import re
import subprocess
import sys
from pathlib import Path

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def lines_of(script, *arguments, cwd):
    command = [sys.executable, str(EXAMPLES / script), *arguments]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_minimal_rollout_scores_every_episode(tmp_path):
    *episodes, last = lines_of("minimal_rollout.py", "--episodes=6", cwd=tmp_path)
    scores = [int(re.fullmatch(r"search-test-\d+: .+ scored ([01])", line)[1]) for line in episodes]
    assert len(scores) == 6
    assert last == f"accuracy {sum(scores) / 6:.1%} over 6 episodes"


def test_minimal_rollout_repeats_under_its_seed(tmp_path):
    runs = [
        lines_of("minimal_rollout.py", "--episodes=3", f"--seed={seed}", cwd=tmp_path)
        for seed in (3, 3, 4)
    ]
    assert runs[0] == runs[1] != runs[2]


def test_ppo_in_one_file_takes_the_steps_that_it_is_given(tmp_path):
    arguments = ("--steps=64", "--n-envs=2", "--rollout=16")
    lines = lines_of("ppo_in_one_file.py", *arguments, cwd=tmp_path)
    assert [line.split(" steps")[0].strip() for line in lines] == ["32", "64"]
