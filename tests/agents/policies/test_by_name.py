"""Policies by name: a model is run as it was trained, and what is not there is named at once."""

import json
import shutil
import socket
import sys

import pytest

from pixel_env.agents.evaluation.again import command
from pixel_env.agents.evaluation.evaluate import EvaluationConfig, evaluate
from pixel_env.agents.evaluation.rerun import rerun
from pixel_env.agents.model.folders import BASE_WEIGHTS, check_model, folder_of
from pixel_env.agents.model.trained_with import FILE_NAME, TrainedWith, read_trained_with
from pixel_env.agents.policies import vlm
from pixel_env.agents.policies.by_name import (
    environment_settings,
    make_policy,
    policy_arguments,
)
from pixel_env.errors import ConfigError, DataError
from pixel_env.viewer import read_site

ENV = "PixelReason-SyntheticSearch-v0"


@pytest.fixture
def model(tmp_path):
    return shutil.copytree(BASE_WEIGHTS, tmp_path / "model")


def test_the_shipped_model_says_what_it_was_trained_with():
    settings = make_policy("vlm:tiny").settings()
    assert (settings["system"], settings["max_new_tokens"], settings["max_context"]) == (
        "none", 48, 640,
    )  # fmt: skip
    assert settings["greedy"]
    assert "engine" not in settings  # manifests of our own engine are as they were


def test_log_probabilities_are_recorded_where_they_are_asked_for(tmp_path):
    def played(name, **settings):
        config = EvaluationConfig(
            ENV, {"split": "test", "overview_px": [784, 7840]}, samples=2, lanes=2,
            out=tmp_path / name,
        )  # fmt: skip
        manifest = evaluate(make_policy("vlm:tiny", **settings), config).manifest
        text = (tmp_path / name / "trajectories.jsonl").read_text()
        return manifest, [json.loads(line) for line in text.splitlines()]

    without, plain = played("plain")
    manifest, found = played("found", logprobs=True)
    assert "logprobs" not in without["policy_settings"]
    assert policy_arguments(manifest)["logprobs"] is True
    turns = [turn for record in found for turn in record["turns"]]
    for turn in turns:
        texts, logprobs = zip(*turn.pop("token_logprobs"), strict=True)
        assert "".join(texts).removesuffix("<|im_end|>") == turn["message"]
        assert all(-20 < logprob <= 0 for logprob in logprobs)
    assert found == plain
    rows = read_site(tmp_path / "found").details
    assert all(turn["logprobs"] for row in rows for turn in row["turns"])


def test_what_is_given_wins_over_the_folder_and_the_folder_over_the_defaults(model):
    TrainedWith("qwen3-vl", "brief", 7, 300).write(model)
    policy = make_policy(f"vlm:{model}", max_new_tokens=9, greedy=False)
    settings = policy.settings()
    assert policy.dialect == "qwen3-vl"
    assert (settings["system"], settings["max_new_tokens"], settings["max_context"]) == (
        "brief", 9, 300,
    )  # fmt: skip
    assert not settings["greedy"]
    (model / FILE_NAME).unlink()
    assert make_policy(f"vlm:{model}").settings()["max_new_tokens"] == 1024
    assert make_policy(f"vlm:{model}").dialect == "pixel-reasoner"


def test_settings_of_the_environment_stand_in_the_folder_too(model):
    TrainedWith("qwen3-vl", "brief", 7, 300, {"side_multiple": 32}).write(model)
    assert environment_settings(f"vlm:{model}") == {"side_multiple": 32}
    assert environment_settings("random") == environment_settings("vlm:no/such") == {}
    assert read_trained_with(model).environment == {"side_multiple": 32}


@pytest.mark.parametrize(
    "text",
    ["{", "[]", '{"dialect": "x"}', '{"dialect": 1, "system": "none", "max_new_tokens": 1, '
     '"max_context": 1}', '{"dialect": "x", "system": "none", "max_new_tokens": 0, '
     '"max_context": 1}', '{"dialect": "x", "system": "none", "max_new_tokens": 1, '
     '"max_context": 1, "environment": [1]}'],
)  # fmt: skip
def test_a_damaged_file_is_refused_by_its_name(model, text):
    (model / FILE_NAME).write_text(text)
    with pytest.raises(DataError, match=FILE_NAME):
        read_trained_with(model)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("vlm:./nowhere", "expected a folder with a model, got './nowhere': there is none"),
        ("vlm:/nowhere/at/all", "got '/nowhere/at/all': there is none"),
        ("vlm:nowhere", "got 'nowhere': there is none"),
        ("vlm:models/mine", "got 'models/mine': there is none"),
    ],
)
def test_a_missing_folder_is_named_at_once(tmp_path, monkeypatch, name, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "models").mkdir()

    def no_network(*_, **__):
        raise AssertionError("a path is not asked for on the hub")

    monkeypatch.setattr(socket, "create_connection", no_network)
    monkeypatch.setattr(socket, "getaddrinfo", no_network)
    with pytest.raises(ConfigError, match=message):
        make_policy(name)


def test_a_hub_that_does_not_answer_is_asked_once(monkeypatch):
    asked = []

    def fail(url, timeout):
        asked.append((url, timeout))
        raise TimeoutError("no answer")

    monkeypatch.setattr("huggingface_hub.get_hf_file_metadata", fail)
    with pytest.raises(ConfigError, match=r"'no/such': no answer \(with .* hf download no/such"):
        check_model("no/such")
    assert len(asked) == 1
    assert asked[0][1] <= 10
    assert folder_of("no/such") is None


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"sytem": "none"}, "Did you mean 'system'"),
        ({"temperature": "hot"}, "expected temperature to be like 1.0, got 'hot'"),
        ({"greedy": 1}, "expected greedy to be like False, got 1"),
        ({"max_new_tokens": True}, "expected max_new_tokens to be like 1024, got True"),
        ({"device": "cuda"}, "expected a GPU for device 'cuda'"),
        ({"weights": "nowhere"}, "expected weights to be a checkpoint, got nowhere"),
        ({"lora": 3}, "expected lora to be like"),
    ],
)
def test_a_wrong_setting_of_a_model_is_one_sentence(settings, message, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(ConfigError, match=message):
        make_policy("vlm:tiny", **settings)


def test_missing_extras_are_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "pixel_env.agents.policies.sb3", None)
    with pytest.raises(ConfigError, match=r"of the extra sb3: pip install 'pixel-reason\[sb3\]'"):
        make_policy("sb3:anywhere")


@pytest.fixture
def manifest(tmp_path):
    """Of an evaluation with settings of every kind."""
    config = EvaluationConfig(
        ENV,
        {"split": "test", "category": "hard", "overview_px": [784, 7840]},
        samples=2, repeats=2, lanes=3, seed=4, control=("blank-views",), out=tmp_path / "first",
    )  # fmt: skip
    policy = make_policy("vlm:tiny", greedy=False, temperature=1.5, max_new_tokens=6)
    evaluate(policy, config)
    return json.loads((tmp_path / "first" / "manifest.json").read_text())


def test_the_command_of_a_manifest_holds_what_scores_depend_on(manifest):
    assert command(manifest) == (
        f"pixel-reason evaluate --env {ENV} --policy vlm:tiny --split test --samples 2 --seed 4 "
        "--lanes 3 --repeats 2 --control blank-views --env-arg category=hard "
        "--env-arg 'overview_px=[784, 7840]' --policy-arg dialect=pixel-reasoner "
        "--policy-arg greedy=false --policy-arg max_context=640 --policy-arg max_new_tokens=6 "
        "--policy-arg system=none --policy-arg temperature=1.5"
    )


def test_text_that_looks_like_json_is_quoted(manifest):
    manifest["env_kwargs"] = {"data_dir": "a b", "category": "12", "preset": "pixel-reasoner"}
    written = command(manifest)
    assert "--split null --data-dir 'a b'" in written
    assert """--env-arg 'category="12"' --env-arg preset=pixel-reasoner""" in written


def test_plain_policies_are_run_again_by_their_settings(tmp_path):
    config = EvaluationConfig(ENV, {"split": "test"}, samples=3, out=tmp_path)
    evaluate(make_policy("random", look=0.25), config)
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert command(manifest).endswith("--policy-arg look=0.25")
    assert "--policy-arg look=0.25\n```" in (tmp_path / "report.md").read_text()
    assert rerun(tmp_path).is_identical


def test_a_model_in_vllm_is_made_again_from_its_manifest(monkeypatch, model):
    seen = []

    class Opened:
        @classmethod
        def open(cls, *given):
            seen.append(given)
            return cls()

    monkeypatch.setattr(vlm, "VllmModel", Opened)
    monkeypatch.setattr(vlm, "check_installed", lambda engine: None)
    monkeypatch.setattr(vlm, "load", None)  # vLLM reads the folder; it isn't loaded twice
    policy = make_policy(f"vlm:{model}", engine="vllm", vllm={"pictures": 3}, dtype="bfloat16")
    folder, _, generation, settings, dtype, on_gpu = seen[0]
    assert (folder, dtype, on_gpu) == (model, "bfloat16", False)
    assert (generation.max_context, settings.pictures) == (640, 3)
    manifest = {"policy": f"vlm:{model}", "dialect": policy.dialect}
    stored = json.loads(json.dumps({**manifest, "policy_settings": policy.settings()}))
    again = make_policy(f"vlm:{model}", **policy_arguments(stored))
    assert again.settings() == policy.settings()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"engine": "vlm"}, "Did you mean 'vllm'"),
        ({"engine": "vllm", "vllm": {"share": 1}}, "a setting of vllm"),
        ({"engine": "vllm", "vllm": {"pictures": 0}}, "expected pictures >= 1"),
        ({"vllm": 3}, "expected vllm to be like"),
    ],
)
def test_a_wrong_engine_is_refused(settings, message):
    with pytest.raises(ConfigError, match=message):
        make_policy("vlm:tiny", **settings)
