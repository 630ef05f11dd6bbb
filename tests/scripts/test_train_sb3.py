"""The command that trains with stable-baselines3, with a tiny budget."""

import csv
import json
import re
import shlex
from pathlib import Path

import pytest

from pixel_env.__main__ import main as pixel_reason
from pixel_env.agents.evaluation.rerun import rerun
from pixel_env.agents.evaluation.results import read_results
from pixel_env.agents.policies.by_name import make_policy
from pixel_env.scripts.train_sb3 import main as train

ROOT = Path(__file__).parents[2]
BUDGET = [
    *("--n-envs=4", "--rollout-steps=16", "--batch-size=32", "--epochs=1", "--width=8"),
    *("--layers=[8]", "--eval-samples=6", "--checkpoint-every=64"),
]


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A run that stopped after 128 steps and went on to 192."""
    out = tmp_path_factory.mktemp("runs") / "run"
    assert train([*BUDGET, "--steps=128", "--evaluate-every=64", "--out", str(out)]) == 0
    assert train([*BUDGET, "--steps=192", "--out", str(out)]) == 0
    return out


def test_a_run_that_was_begun_goes_on(finished):
    steps = []
    for log in sorted((finished / "logs").glob("from-*/progress.csv")):
        with log.open() as stream:
            steps += [int(row["time/total_timesteps"]) for row in csv.DictReader(stream)
                      if row["time/total_timesteps"]]  # fmt: skip
    assert steps == [64, 128, 192]
    assert sorted(path.name for path in (finished / "checkpoints").iterdir()) == [
        "step-00000128",
        "step-00000192",
    ]


def test_episodes_rewards_and_measurements_are_logged(finished):
    with (finished / "logs" / "from-00000000" / "progress.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    names = {name for row in rows for name, value in row.items() if value}
    for name in (
        *("accuracy", "rapr", "operations", "call_errors", "no_answer"),
        *("reward_score", "reward_curiosity", "reward_operations"),
    ):
        assert f"episodes/{name}" in names
    assert {"test/accuracy", "test/rapr", "train/entropy_loss", "rollout/ep_rew_mean"} <= names
    assert list((finished / "logs").glob("from-*/events.out.tfevents.*"))


def test_the_report_says_what_was_reached_beside_guessing(finished):
    text = (finished / "report.md").read_text()
    assert "| all | 6 |" in text
    assert "Guessing" in text
    assert "192 steps" in text
    manifest = json.loads((finished / "evaluation" / "manifest.json").read_text())
    assert manifest["env_kwargs"]["split"] == "test"


def test_the_policy_goes_into_the_evaluation(finished):
    assert make_policy(f"sb3:{finished / 'model'}").settings()["n_views"] == 2


def test_the_printed_command_and_a_replay_give_the_reported_scores(finished, tmp_path, monkeypatch):
    (line,) = re.findall(r"```sh\npixel-reason (.*)\n```", (finished / "report.md").read_text())
    monkeypatch.chdir(tmp_path)
    assert pixel_reason([*shlex.split(line), "--out", "again"]) == 0
    again = read_results(tmp_path / "again" / "results.jsonl")
    assert again == read_results(finished / "evaluation" / "results.jsonl")
    assert rerun(finished / "evaluation").is_identical


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--env", "PixelReason-Nothing-v0"], "expected the id of an environment"),
        (["--batch-size", "48"], "expected --batch-size to divide"),
        (["--env-args", '{"target_px": 9000}'], "target_px"),
        (["--vocabulary", "[]"], "vocabulary"),
        (["--extractor", "lok"], "look"),
        (["--learning-rate", "0"], "--learning-rate"),
    ],
)
def test_a_wrong_argument_is_one_sentence_and_exit_code_1(tmp_path, capsys, arguments, message):
    assert train([*BUDGET, "--out", str(tmp_path / "run"), *arguments]) == 1
    printed = capsys.readouterr().out
    assert message in printed
    assert "Traceback" not in printed
    assert not (tmp_path / "run").exists()


def test_other_settings_in_the_same_folder_are_refused(finished, capsys):
    assert train([*BUDGET, "--steps=192", "--seed=5", "--out", str(finished)]) == 1
    assert "seed" in capsys.readouterr().out
