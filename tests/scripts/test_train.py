"""The commands that train, with a tiny budget."""

import runpy
import sys
from pathlib import Path

import pytest

from pixel_env.scripts.train import PAGE
from pixel_env.scripts.train import main as train

SCRIPTS = Path(__file__).parents[2] / "scripts"
BUDGET = [
    *("--threads=1", "--eval-samples=2", "--demonstrations.n=4", "--imitation.batch-size=4"),
    *("--imitation.epochs=1", "--on-policy.iterations=1", "--on-policy.groups-per-iteration=1"),
    *("--on-policy.group-size=2", "--on-policy.generation.max-new-tokens=12"),
]


def test_one_command_trains_and_reports(tmp_path, capsys):
    out = tmp_path / "run"
    assert train([*BUDGET, "--out", str(out)]) == 0
    text = capsys.readouterr().out
    assert "warm start" in text
    assert (out / "report.md").read_text().startswith("# tiny on PixelReason-SyntheticSearch-v0")
    assert (out / "model" / "config.json").exists()


def test_resume_goes_on_with_the_newest_run_and_needs_one(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert train([*BUDGET, "--resume"]) == 1
    assert "expected a run to go on with" in capsys.readouterr().out
    assert train([*BUDGET, "--rl", "false", "--warm-start", "false"]) == 0
    (folder,) = Path("runs").iterdir()
    (folder / "report.md").unlink()
    assert train([*BUDGET, "--resume", "--rl", "false", "--warm-start", "false"]) == 0
    assert (folder / "report.md").exists()
    assert list(Path("runs").iterdir()) == [folder]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--model", "nowhere/at-all"], "nowhere/at-all"),
        (["--env", "PixelReason-Nothing-v0"], "Nothing"),
        (["--env", "CartPole-v1"], "expected the id of a PixelReasoningEnv"),
        (["--loading.device", "cuda"], "expected a GPU for device 'cuda'"),
        (["--on-policy.group-size", "1"], "expected --on-policy.group-size >= 2, got 1"),
        (["--seed", "x"], "--seed"),
    ],
)
def test_a_wrong_argument_is_one_sentence_and_exit_code_1(
    tmp_path, capsys, monkeypatch, arguments, message
):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert train([*BUDGET, "--out", str(tmp_path / "run"), *arguments]) == 1
    printed = capsys.readouterr().out
    assert message in printed
    assert "Traceback" not in printed
    assert not (tmp_path / "run").exists()


def test_help_shows_what_is_changed_often_and_help_all_every_setting(capsys):
    for word, is_all in (("--help", False), ("--help-all", True)):
        with pytest.raises(SystemExit):
            train([word])
        text = capsys.readouterr().out
        for option in ("--on-policy.iterations", "--curiosity.alpha", "--loading.lora.rank"):
            assert option in text
        assert ("--on-policy.loss.clip-high" in text) == is_all
    assert len(PAGE.often) <= 26


def test_the_base_weights_can_be_made_again(tmp_path, monkeypatch, capsys):
    """With a budget of a few steps: the stages run, and a second call takes them from disk."""
    arguments = (
        f"--out {tmp_path / 'out'} --work {tmp_path / 'work'} --scenes 2 --crops 2 --eyes 2 "
        "--align 2 --look-up 2 --speech 2 --both 2 --batch-size 2 --exam 6 --episodes 4"
    ).split()
    main = runpy.run_path(str(SCRIPTS / "dev" / "pretrain_tiny.py"))["main"]
    monkeypatch.setattr(sys, "argv", ["pretrain_tiny.py", *arguments])
    main(arguments)
    assert (tmp_path / "out" / "model.safetensors").exists()
    shipped = (SCRIPTS.parent / "agents" / "base_weights" / "pixel_reason.json").read_text()
    assert (tmp_path / "out" / "pixel_reason.json").read_text() == shipped
    first = (tmp_path / "out" / "model.safetensors").read_bytes()
    main(arguments)
    assert "taken from" in capsys.readouterr().out
    assert (tmp_path / "out" / "model.safetensors").read_bytes() == first
