"""The experiment's command: arms end in one table, and a second call goes on."""

import multiprocessing
import signal
import time
from concurrent.futures import Executor, Future
from dataclasses import replace

import pytest

from pixel_env.scripts import learning_trap

TINY = ["--seeds", "0", "--demonstrations", "8", "--epochs", "1"]
TINY += ["--iterations", "1", "--eval-samples", "4"]


@pytest.fixture
def _small_groups(monkeypatch):
    """Shrinks what no option shrinks: the rollouts of an iteration, from 128 to 4."""

    def small(config, root):
        return [
            replace(job, config=replace(job.config, on_policy=shrunk(job.config.on_policy)))
            for job in trainings(config, root)
        ]

    def shrunk(on_policy):
        generation = replace(on_policy.generation, max_new_tokens=12)
        return replace(on_policy, groups_per_iteration=2, group_size=2, generation=generation)

    trainings = learning_trap.trainings
    monkeypatch.setattr(learning_trap, "trainings", small)


class InThisProcess(Executor):
    """Runs what is submitted at once: another process would import torch for ten seconds."""

    def __init__(self, *args, **kwargs):
        pass

    def submit(self, function, *args):
        future = Future()
        future.set_result(function(*args))
        return future


@pytest.mark.usefixtures("_small_groups")
def test_arms_end_in_a_table_and_curves_and_finished_ones_are_kept(tmp_path, monkeypatch):
    command = ["--out", str(tmp_path), *TINY, "--arms"]
    assert learning_trap.main([*command, "warm-start"]) == 0
    assert "| warm start only |" in (tmp_path / "report.md").read_text()
    warm = tmp_path / "seed-0" / "warm"
    written = (warm / "finished").stat().st_mtime_ns
    monkeypatch.setattr(learning_trap, "ProcessPoolExecutor", InThisProcess)
    assert learning_trap.main([*command, "warm-start,no-curiosity"]) == 0
    assert (warm / "finished").stat().st_mtime_ns == written
    report = (tmp_path / "report.md").read_text()
    assert "| RL without curiosity |" in report
    assert ("After the warm start " in report) != ("No arm made a call" in report)
    assert (tmp_path / "curves.png").stat().st_size > 5000
    trained = tmp_path / "seed-0" / "no-curiosity"
    written = (trained / "on_policy" / "metrics.jsonl").stat().st_mtime_ns
    assert not (trained / "evaluation" / "base").exists()
    assert learning_trap.main([*command, "warm-start,no-curiosity"]) == 0
    assert (trained / "on_policy" / "metrics.jsonl").stat().st_mtime_ns == written
    assert (tmp_path / "report.md").read_text() == report


def test_an_unknown_arm_is_one_sentence(capsys):
    assert learning_trap.main(["--arms", "curious"]) == 1
    assert "Did you mean" in capsys.readouterr().out


def test_help_names_every_setting(capsys):
    with pytest.raises(SystemExit):
        learning_trap.main(["--help"])
    printed = capsys.readouterr().out
    assert "--demonstrations" in printed
    assert "--jobs" in printed


def test_a_stop_ends_the_runs_in_progress(monkeypatch):
    """Otherwise the pool would wait until each is at its end."""

    def stopped(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(learning_trap, "wait", stopped)
    worker = multiprocessing.get_context("spawn").Process(target=time.sleep, args=(600,))
    worker.start()
    waiting = Future()
    with pytest.raises(KeyboardInterrupt):
        learning_trap._waited({waiting})
    worker.join(timeout=60)
    assert worker.exitcode == -signal.SIGTERM
    assert waiting.cancelled()
