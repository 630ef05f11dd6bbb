"""The experiment's command: arms run in processes of their own, and a second call goes on."""

import pytest

from pixel_env.scripts import learning_trap

TINY = ["--seeds", "0", "--demonstrations", "8", "--epochs", "1"]
TINY += ["--iterations", "1", "--eval-samples", "4"]


def test_arms_end_in_a_table_and_curves_and_finished_ones_are_kept(tmp_path, capsys):
    command = ["--out", str(tmp_path), "--arms", "warm-start,no-curiosity", *TINY]
    assert learning_trap.main(command) == 0
    report = (tmp_path / "report.md").read_text()
    assert "| RL without curiosity |" in report
    assert "After the warm start RaPR is" in report
    assert (tmp_path / "curves.png").stat().st_size > 5000
    trained = tmp_path / "seed-0" / "no-curiosity"
    written = (trained / "on_policy" / "metrics.jsonl").stat().st_mtime_ns
    assert not (trained / "evaluation" / "base").exists()
    assert learning_trap.main(command) == 0
    assert (trained / "on_policy" / "metrics.jsonl").stat().st_mtime_ns == written
    assert (tmp_path / "report.md").read_text() == report


def test_an_unknown_arm_is_one_sentence(capsys):
    assert learning_trap.main(["--arms", "curious"]) == 1
    assert "Did you mean" in capsys.readouterr().out


def test_help_names_every_setting(capsys):
    with pytest.raises(SystemExit):
        learning_trap.main(["--help"])
    told = capsys.readouterr().out
    assert "--demonstrations" in told
    assert "--jobs" in told
