"""The evaluation script on a small V* folder."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from vstar_folder import write_vstar

from pixel_env.agents.model.trained_with import TrainedWith
from pixel_env.agents.tiny.model import blank_model, save, train_tokenizer
from pixel_env.scripts.evaluate import main

SCRIPT = Path(__file__).parents[2] / "scripts" / "evaluate.py"
SMALL = ("--env-arg", "overview_px=[784, 7840]", "--env-arg", "crop_px=[784, 7840]")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_vstar(tmp_path_factory.mktemp("data") / "vstar", n_attributes=16, n_positions=8)


def run(*arguments, cwd):
    command = [sys.executable, str(SCRIPT), *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=240)


def evaluate(folder, policy, cwd, *more):
    base = ("--env", "PixelReason-VStar-v0", "--data-dir", folder, "--policy", policy)
    return run(*base, *SMALL, *more, cwd=cwd)


@pytest.mark.parametrize(
    ("policy", "low", "high"),
    [("demonstration", 1.0, 1.0), ("direct", 0.05, 0.7), ("random", 0.05, 0.7)],
)
def test_plain_policies_score_as_they_should(folder, tmp_path, policy, low, high):
    done = evaluate(folder, policy, tmp_path, "--out", "scored", "--lanes", 4)
    assert done.returncode == 0, done.stderr
    for word in ("accuracy", "95% interval", "RaPR", "all", "direct_attributes", "scored"):
        assert word in done.stdout
    results = [json.loads(line) for line in (tmp_path / "scored" / "results.jsonl").open()]
    assert len(results) == 24
    assert low <= sum(result["correct"] for result in results) / 24 <= high
    assert {"manifest.json", "report.md", "trajectories.jsonl", "images"} <= {
        path.name for path in (tmp_path / "scored").iterdir()
    }


def test_table_fits_80_columns(folder, tmp_path):
    done = evaluate(folder, "direct", tmp_path, "--samples", 2, "--out", "x")
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_model_from_a_folder_is_scored(folder, tmp_path):
    texts = ["What is the color of thing 0? (A) red", "<tool_call>", "\\boxed{A}"] * 9
    tokenizer = train_tokenizer(texts)
    save(tmp_path / "model", blank_model(tokenizer), tokenizer)
    more = ("--samples", 3, "--lanes", 2, "--out", "out", "--policy-arg", "system=brief")
    done = evaluate(folder, "vlm:model", tmp_path, *more, "--policy-arg", "max_new_tokens=4")
    assert done.returncode == 0, done.stderr
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert (manifest["policy"], manifest["dialect"]) == ("vlm:model", "pixel-reasoner")
    assert manifest["policy_settings"]["max_new_tokens"] == 4
    assert manifest["policy_settings"]["greedy"] is True
    lines = [json.loads(line) for line in (tmp_path / "out" / "trajectories.jsonl").open()]
    assert [len(line["turns"]) > 0 and "message" in line["turns"][0] for line in lines] == [
        True
    ] * 3


def test_default_folder_is_a_new_one_each_time(folder, tmp_path):
    for number in (1, 2):
        assert evaluate(folder, "direct", tmp_path, "--samples", 1).returncode == 0
        assert (tmp_path / "runs" / f"PixelReason-VStar-v0-direct-{number}").is_dir()


def test_options_reach_environment_and_policy(folder, tmp_path):
    more = ("--env-arg", "category=relative_position", "--env-arg", "option_order=as_given")
    more += ("--policy-arg", "look=1", "--seed", 5, "--samples", 4, "--out", "out")
    assert evaluate(folder, "random", tmp_path, *more).returncode == 0
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert manifest["env_kwargs"]["category"] == "relative_position"
    assert manifest["env_kwargs"]["split"] == "test"
    assert manifest["env_config"]["option_order"] == "as_given"
    assert manifest["policy_settings"] == {"look": 1}
    assert (manifest["seed"], manifest["samples"]) == (5, 4)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--policy", "randon"), "Did you mean 'random'?"),
        (("--policy", "random", "--split", "train"), "expected --split to be one of test"),
        (("--policy", "random", "--env-arg", "max_turn=3"), "Did you mean 'max_turns'?"),
        (("--policy", "random", "--data-dir", "none"), "pixel-reason prepare-data vstar --to none"),
        (
            ("--policy", "random", "--env", "PixelReason-VSta-v0"),
            "Did you mean 'PixelReason-VStar-v0'",
        ),
    ],
)
def test_mistake_is_one_sentence_and_exit_code_1(folder, tmp_path, arguments, message):
    base = ("--env", "PixelReason-VStar-v0", "--data-dir", folder)
    done = run(*base, *arguments, cwd=tmp_path)
    assert done.returncode == 1
    assert message in done.stdout
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "runs").exists()


def test_controls_and_repeats_stand_beside_the_score_and_replay_gives_the_same(folder, tmp_path):
    more = ("--samples", 4, "--repeats", 2, "--out", "out", "--seed", 3)
    done = evaluate(folder, "random", tmp_path, *more, "--controls")
    assert done.returncode == 0, done.stderr
    for word in (
        "Avg@2",
        "pass@2",
        "Were the operations needed?",
        "demonstration-crop",
        "difference",
    ):
        assert word in done.stdout
    again = run("--replay", "out/manifest.json", cwd=tmp_path)
    assert again.returncode == 0
    assert again.stdout.splitlines()[-1] == "identical: 8 episodes and their scores"
    control = run("--replay", "out/controls/random-crop", cwd=tmp_path)
    assert control.returncode == 0, control.stdout
    results = tmp_path / "out" / "results.jsonl"
    results.write_text(results.read_text().replace('"n_turns": 1', '"n_turns": 7', 1))
    changed = run("--replay", "out", cwd=tmp_path)
    assert changed.returncode == 1
    assert "n_turns was 7, is 1" in changed.stdout
    assert "different: 1 of 8 episodes" in changed.stdout


def test_same_command_goes_on_and_another_one_is_refused_by_name(folder, tmp_path):
    first = evaluate(folder, "random", tmp_path, "--out", "out", "--samples", 3)
    results = tmp_path / "out" / "results.jsonl"
    whole = results.read_text()
    results.write_text(whole.splitlines(keepends=True)[1])
    second = evaluate(folder, "random", tmp_path, "--out", "out", "--samples", 3)
    assert (first.returncode, second.returncode, results.read_text()) == (0, 0, whole)
    other = evaluate(folder, "random", tmp_path, "--out", "out", "--samples", 3, "--seed", 1)
    assert other.returncode == 1
    assert "already holds an evaluation with other settings: seed was 0, is 1" in other.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("--env", "x", "--policy", "random", "--controls", "--control", "blank-views"),
            "expected --control or --controls, got both",
        ),
        (("--replay", "none"), "manifest none can't be read"),
    ],
)
def test_arguments_that_do_not_go_together_are_refused(tmp_path, arguments, message):
    done = run(*arguments, cwd=tmp_path)
    assert done.returncode == 1
    assert message in done.stdout


def test_malformed_pair_is_refused(tmp_path):
    done = run("--env", "x", "--policy", "direct", "--env-arg", "max_turns", cwd=tmp_path)
    assert done.returncode == 1
    assert "expected --env-arg to be NAME=VALUE, got 'max_turns'" in done.stdout


def test_what_is_needed_is_named_with_exit_code_2(tmp_path):
    done = run(cwd=tmp_path)
    assert done.returncode == 2
    assert "pixel-reason evaluate: expected --env and --policy, or --replay" in done.stderr


def test_a_line_is_printed_now_and_then_where_there_is_no_terminal(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("pixel_env.agents.run.progress._SECONDS_A_LINE", 0.0)
    base = ["--env", "PixelReason-SyntheticSearch-v0", "--policy", "random", "--samples", "3"]
    assert main([*base, "--out", str(tmp_path / "out")]) == 0
    lines = capsys.readouterr().out.splitlines()
    for start in ("random 2/3 accuracy", "random 3/3 accuracy"):
        assert any(line.startswith(start) for line in lines), lines


def test_an_evaluation_is_extended_by_the_same_command_with_more_samples(tmp_path, capsys):
    base = ["--env", "PixelReason-SyntheticSearch-v0", "--policy", "random"]
    base += ["--out", str(tmp_path / "out")]
    assert main([*base, "--samples", "3"]) == 0
    assert main([*base, "--samples", "5"]) == 0
    assert len((tmp_path / "out" / "results.jsonl").read_text().splitlines()) == 5
    assert "| all | 5 |" in (tmp_path / "out" / "report.md").read_text()
    capsys.readouterr()
    assert main([*base, "--samples", "4"]) == 1
    assert "samples was 5, is 4" in capsys.readouterr().out


def test_the_printed_command_gives_the_same_scores(tmp_path, monkeypatch):
    """Pasted into another folder."""
    base = ["--env", "PixelReason-SyntheticSearch-v0", "--policy", "random", "--samples", "4"]
    base += ["--seed", "7", "--env-arg", "category=hard", "--policy-arg", "look=0.9"]
    assert main([*base, "--out", str(tmp_path / "out")]) == 0
    report = (tmp_path / "out" / "report.md").read_text()
    (line,) = re.findall(r"```sh\npixel-reason evaluate (.*)\n```", report)
    monkeypatch.chdir(tmp_path)
    assert main([*shlex.split(line), "--out", "again"]) == 0
    first, again = (tmp_path / name / "results.jsonl" for name in ("out", "again"))
    assert first.read_text() == again.read_text()


def test_settings_of_the_environment_are_those_that_a_model_was_trained_with(tmp_path):
    texts = ["What is the color of thing 0? (A) red", "<tool_call>", "\\boxed{A}"] * 9
    tokenizer = train_tokenizer(texts)
    model = tmp_path / "model"
    save(model, blank_model(tokenizer), tokenizer)
    TrainedWith("pixel-reasoner", "none", 2, 400, {"max_turns": 2, "padding": 0.1}).write(model)
    base = ["--env", "PixelReason-SyntheticSearch-v0", "--policy", f"vlm:{model}"]
    more = ["--samples", "1", "--env-arg", "padding=0.2", "--out", str(tmp_path / "out")]
    assert main([*base, *more]) == 0
    config = json.loads((tmp_path / "out" / "manifest.json").read_text())["env_config"]
    assert (config["max_turns"], config["padding"]) == (2, 0.2)


def test_help_names_policies_and_shows_examples(tmp_path):
    done = run("--help", cwd=tmp_path)
    assert done.returncode == 0
    for word in (
        "vlm:PATH",
        "demonstration",
        "--env-arg",
        "pixel-reason evaluate --env",
        "default: test",
    ):
        assert word in done.stdout
