"""A whole run in small: every stage leaves its outcome, and a stopped run goes on as if it ran."""

import dataclasses
import json
import re
import shlex
import shutil

import pytest
import torch
from safetensors.torch import load_file
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from pixel_env.__main__ import main
from pixel_env.agents.evaluation.rerun import rerun
from pixel_env.agents.evaluation.results import read_results
from pixel_env.agents.model.settings import LoraSettings, ModelSettings
from pixel_env.agents.on_policy.curiosity_options import CuriosityOptions
from pixel_env.agents.policies.by_name import make_policy
from pixel_env.agents.run.config import RunConfig, tiny_defaults
from pixel_env.agents.run.report import report, table_of, write_report
from pixel_env.agents.run.run import TrainingRun
from pixel_env.agents.settings.command_line import read
from pixel_env.agents.training.metrics import read_metrics
from pixel_env.errors import ConfigError
from pixel_env.scripts import benchmark, play, train, view
from pixel_env.scripts.train import read_options


def small(**changes):
    config = tiny_defaults()
    return dataclasses.replace(
        config,
        threads=1,
        eval_samples=4,
        demonstrations=dataclasses.replace(config.demonstrations, n=12),
        imitation=dataclasses.replace(config.imitation, batch_size=4, epochs=1, checkpoint_every=1),
        on_policy=dataclasses.replace(
            config.on_policy,
            iterations=3,
            groups_per_iteration=2,
            group_size=2,
            generation=dataclasses.replace(config.on_policy.generation, max_new_tokens=24),
            checkpoint_every=1,
            record_every=4,
        ),
        **changes,
    )


class Stop(Exception):
    """What a test stops a run with."""


class Display:
    """Notes what is shown; stops a run at a given moment."""

    def __init__(self, stop_at=None):
        self.shown = []
        self.stop_at = stop_at

    def __call__(self, stage, done, total, text=""):
        self.shown.append((stage, done))
        if (stage, done) == self.stop_at:
            raise Stop


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    display = Display()
    return TrainingRun(small(), folder, display).run(), display


def test_every_stage_is_measured_and_leaves_its_files(finished):
    outcome, display = finished
    assert list(outcome.results) == ["base", "warm start", "RL"]
    assert all(len(results) == 4 for results in outcome.results.values())
    for name in ("base", "warm_start", "RL"):
        folder = outcome.folder / "evaluation" / name
        lines = (folder / "trajectories.jsonl").read_text().splitlines()
        assert len(lines) == 4
        assert list((folder / "images").iterdir())
    assert len((outcome.folder / "demonstrations.jsonl").read_text().splitlines()) == 12
    assert [line["step"] for line in read_metrics(outcome.folder / "imitation")] == [1, 2, 3]
    assert [line["step"] for line in read_metrics(outcome.folder / "on_policy")] == [1, 2, 3]
    assert list((outcome.folder / "on_policy").glob("events.out.tfevents.*"))
    assert {stage for stage, _ in display.shown} == {
        "evaluate base",
        "demonstrations",
        "warm start",
        "evaluate warm start",
        "RL",
        "evaluate RL",
    }


def test_the_report_holds_the_table_and_the_course(finished):
    outcome, _ = finished
    path = write_report(outcome, small())
    text = path.read_text()
    assert text == report(outcome, small())
    table = table_of(outcome)
    for label in ("base", "warm start", "RL"):
        assert f"| {label} | 4 |" in text
        assert table[label].n == 4
    assert "| 1 to 1 |" in text
    assert "first 4 samples" in text
    assert re.search(r"\n\*\*After RL, \d+\.0% of 4 answers are right \(", text)
    shown = re.findall(r"!\[[^]]*\]\(([^)]+)\)", text)
    assert "report/curve.svg" in shown
    assert all((outcome.folder / name).stat().st_size for name in shown)
    assert text.count("No episode of RL is like this.") == 4 - len(shown)


def test_the_commands_that_a_report_names_can_be_pasted(finished):
    outcome, _ = finished
    block = re.search(r"## Next\n\n```sh\n(.*?)\n```", report(outcome, small()), re.DOTALL)[1]
    lines = [shlex.split(line, comments=True) for line in block.splitlines()]
    named = {words[1]: words[2:] for words in lines if words}
    assert list(named) == ["view", "benchmark", "play", "train"]
    assert read(named["view"], view.ViewOptions()).folder == outcome.folder
    compared = read(named["benchmark"], benchmark.BenchmarkOptions())
    assert compared.policy == ("before=vlm:tiny", f"after=vlm:{outcome.folder / 'model'}")
    assert compared.samples == 4
    assert read(named["play"], play.PlayOptions()).split == "test"
    trained = read_options(named["train"], train.TrainOptions(), train.PAGE).run
    assert trained.env_args == small().env_args
    assert not trained.warm_start


def test_tensorboard_shows_rollouts_and_the_settings(finished):
    outcome, _ = finished
    board = EventAccumulator(str(outcome.folder / "on_policy")).Reload()
    assert "rollouts/1" in board.Tags()["images"]
    (text,) = board.Tensors("config/text_summary")
    assert '"groups_per_iteration": 2' in text.tensor_proto.string_val[0].decode()


def test_a_finished_run_is_read_not_run_again(finished):
    outcome, _ = finished
    display = Display()
    again = TrainingRun(small(), outcome.folder, display).run()
    assert again.results == outcome.results
    assert not {"evaluate base", "evaluate RL"} & {stage for stage, _ in display.shown}


@pytest.mark.parametrize(
    "stop_at", [("demonstrations", 7), ("warm start", 2), ("RL", 2), ("evaluate RL", 2)]
)
def test_a_stopped_run_goes_on_with_the_same_numbers(finished, tmp_path, stop_at):
    outcome, _ = finished
    with pytest.raises(Stop):
        TrainingRun(small(), tmp_path, Display(stop_at)).run()
    resumed = TrainingRun(small(), tmp_path, Display()).run()
    assert resumed.results == outcome.results
    ours, theirs = (
        load_file(f / "model" / "model.safetensors") for f in (tmp_path, outcome.folder)
    )
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    timed = ("seconds/", "tokens/per_second")
    lines = [
        [{k: v for k, v in line.items() if not k.startswith(timed)} for line in read_metrics(f)]
        for f in (tmp_path / "on_policy", outcome.folder / "on_policy")
    ]
    assert lines[0] == lines[1]


def test_a_folder_of_other_settings_is_refused(finished):
    outcome, _ = finished
    with pytest.raises(ConfigError, match="seed"):
        TrainingRun(small(seed=5), outcome.folder, Display())


def test_stages_can_be_left_out_and_the_bonus_turned_off(tmp_path):
    config = small(warm_start=False, curiosity=CuriosityOptions(enabled=False))
    outcome = TrainingRun(config, tmp_path, Display()).run()
    assert list(outcome.results) == ["base", "RL"]
    assert all("reward/curiosity" not in line for line in read_metrics(tmp_path / "on_policy"))


def test_adapters_are_trained_and_merged(tmp_path):
    outcome = TrainingRun(
        small(loading=ModelSettings(lora=LoraSettings(rank=2))), tmp_path, Display()
    ).run()
    merged = load_file(outcome.folder / "model" / "model.safetensors")
    assert not any("lora" in name for name in merged)


def test_the_seed_is_in_every_part():
    config = RunConfig(seed=7).seeded()
    parts = (config.demonstrations, config.imitation, config.on_policy)
    assert [part.seed for part in parts] == [7, 7, 7]


def test_the_settings_are_kept(finished):
    outcome, _ = finished
    kept = json.loads((outcome.folder / "config.json").read_text())
    assert kept["on_policy"]["group_size"] == 2


def arguments_of(text):
    """The command that a report prints, without its own name."""
    (line,) = re.findall(r"```sh\npixel-reason (.*)\n```", text)
    return shlex.split(line)


@pytest.mark.parametrize("page", ["report.md", "evaluation/warm_start/report.md"])
def test_the_printed_command_gives_the_reported_scores(finished, tmp_path, monkeypatch, page):
    """Pasted, in another folder: not a setting that the scores need is missing."""
    outcome, _ = finished
    write_report(outcome, small())
    stage = "RL" if page == "report.md" else "warm start"
    monkeypatch.chdir(tmp_path)
    arguments = arguments_of((outcome.folder / page).read_text())
    assert main([*arguments, "--out", "again"]) == 0
    again = read_results(tmp_path / "again" / "results.jsonl")
    assert again == list(outcome.results[stage])
    assert any(each.n_turns > 0 for each in again)


@pytest.mark.parametrize("stage", ["base", "warm_start", "RL"])
def test_the_manifest_of_every_stage_can_be_replayed(finished, stage):
    outcome, _ = finished
    found = rerun(outcome.folder / "evaluation" / stage)
    assert found.is_identical, found.differences
    assert found.n == 4


def test_the_model_is_run_as_it_was_trained_where_nothing_else_is_set(finished):
    outcome, _ = finished
    settings = make_policy(f"vlm:{outcome.folder / 'model'}").settings()
    assert (settings["system"], settings["max_new_tokens"], settings["max_context"]) == (
        "none", 24, 640,
    )  # fmt: skip
    other = make_policy(f"vlm:{outcome.folder / 'model'}", system="brief", max_new_tokens=8)
    assert (other.settings()["system"], other.settings()["max_new_tokens"]) == ("brief", 8)


def test_a_finished_run_is_extended_by_iterations_and_samples(finished, tmp_path):
    outcome, _ = finished
    folder = shutil.copytree(outcome.folder, tmp_path / "run")
    config = small()
    longer = dataclasses.replace(
        config,
        eval_samples=6,
        on_policy=dataclasses.replace(config.on_policy, iterations=5),
    )
    rl = dataclasses.replace(config.on_policy, iterations=2)
    shorter = dataclasses.replace(config, on_policy=rl)
    with pytest.raises(ConfigError, match=r"on_policy\.iterations must be at least 3, got 2"):
        TrainingRun(shorter, folder, Display())
    display = Display()
    extended = TrainingRun(longer, folder, display).run()
    assert [stage for stage, _ in display.shown if stage == "RL"] == ["RL", "RL"]
    assert [line["step"] for line in read_metrics(folder / "on_policy")] == [1, 2, 3, 4, 5]
    assert all(len(results) == 6 for results in extended.results.values())
    for stage in ("base", "warm start"):
        assert extended.results[stage][:4] == outcome.results[stage]
    kept = json.loads((folder / "config.json").read_text())
    assert (kept["eval_samples"], kept["on_policy"]["iterations"]) == (6, 5)
    with pytest.raises(ConfigError, match="eval_samples must be at least 6, got 4"):
        TrainingRun(small(), folder, Display())


def test_more_iterations_measure_the_last_stage_again_and_no_other(finished, tmp_path):
    outcome, _ = finished
    folder = shutil.copytree(outcome.folder, tmp_path / "run")
    config = small()
    rl = dataclasses.replace(config.on_policy, iterations=4)
    display = Display()
    TrainingRun(dataclasses.replace(config, on_policy=rl), folder, display).run()
    measured = {stage for stage, _ in display.shown if stage.startswith("evaluate")}
    assert measured == {"evaluate RL"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model": "./nowhere"}, "expected a folder with a model, got './nowhere'"),
        ({"env": "CartPole-v1"}, "expected the id of a PixelReasoningEnv"),
        ({"eval_env": "VStar"}, "Did you mean 'PixelReason-VStar-v0'"),
        ({"warm_start_env": "VStar"}, "Did you mean 'PixelReason-VStar-v0'"),
        ({"env_args": {"split": "trian"}}, "Did you mean 'train'"),
        ({"dialect": "deepeye"}, "Did you mean 'deepeyes'"),
        ({"loading": ModelSettings(device="cuda")}, "expected a GPU for device 'cuda'"),
        ({"warm_start_file": "nowhere.jsonl"}, "expected warm_start_file"),
    ],
)
def test_a_start_that_fails_is_one_sentence_and_leaves_no_folder(
    tmp_path, monkeypatch, changes, message
):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.setattr("pixel_env.agents.run.run.load", None)  # nothing is loaded before
    with pytest.raises(ConfigError, match=message):
        TrainingRun(small(**changes), tmp_path / "run", Display())
    assert not (tmp_path / "run").exists()


def test_settings_of_another_version_are_named(finished, tmp_path):
    outcome, _ = finished
    folder = shutil.copytree(outcome.folder, tmp_path / "run")
    values = json.loads((folder / "config.json").read_text())
    values["lora"] = False
    (folder / "config.json").write_text(json.dumps(values))
    with pytest.raises(ConfigError, match="was written by a version with other settings") as error:
        TrainingRun(small(), folder, Display())
    assert "'lora'" in str(error.value)
