"""SIGKILL at random moments loses at most the work since the last checkpoint, and damages none."""

import subprocess
import sys
from pathlib import Path

import torch
from killed_training import train

from pixel_env.agents.training.metrics import read_metrics

HERE = Path(__file__).parents[1]


def killed(folder, n_kills):
    """Kills a training so often; returns how far it came."""
    command = [sys.executable, str(HERE / "killed_training.py"), str(folder), str(n_kills)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return int(done.stdout)


def numbers(folder):
    timed = ("seconds/", "tokens/per_second")
    rows = read_metrics(folder)
    return [{k: v for k, v in row.items() if not k.startswith(timed)} for row in rows]


def test_twenty_kills_at_random_moments(tmp_path):
    torch.set_num_threads(1)
    reached = killed(tmp_path / "killed", 20)
    assert reached >= 5
    train(tmp_path / "whole", iterations=reached)
    assert numbers(tmp_path / "killed")[:reached] == numbers(tmp_path / "whole")
    recorded = sorted((tmp_path / "killed" / "rollouts").glob("iteration-*/trajectories.jsonl"))
    lines = [len(path.read_text().splitlines()) for path in recorded[:reached]]
    assert set(lines) <= {1, 2}  # one in three of four rollouts, each once
