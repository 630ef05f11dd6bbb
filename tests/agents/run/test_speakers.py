"""A run on vLLM: its rollouts and evaluations are vLLM's, with the weights of the moment."""

import dataclasses
import sys

import pytest
import torch
from scripted_vllm import ScriptedLLM, module

from pixel_env.agents.evaluation.manifest import read_manifest
from pixel_env.agents.model.loading import load
from pixel_env.agents.model.settings import LoraSettings, ModelSettings
from pixel_env.agents.run.config import RunConfig, tiny_defaults
from pixel_env.agents.run.run import TrainingRun
from pixel_env.agents.tokens.encoder import Encoder
from pixel_env.agents.training.metrics import read_metrics
from pixel_env.dialects import get_dialect
from pixel_env.errors import ConfigError


def small(**changes):
    config = tiny_defaults()
    return dataclasses.replace(
        config,
        engine="vllm",
        threads=1,
        eval_samples=1,
        warm_start=False,
        measure_base=False,
        on_policy=dataclasses.replace(
            config.on_policy,
            iterations=2,
            groups_per_iteration=1,
            group_size=2,
            learning_rate=1e-3,
            loss=dataclasses.replace(config.on_policy.loss, entropy_coefficient=0.01),
            generation=dataclasses.replace(config.on_policy.generation, max_new_tokens=6),
            checkpoint_every=1,
        ),
        **changes,
    )


def run(config, folder):
    return TrainingRun(config, folder, lambda *_, **__: None).run()


@pytest.fixture
def stand_ins(monkeypatch):
    """Puts a stand-in in the place of vLLM; returns those that were opened."""
    opened = []

    def make(**rest):
        def open_one():
            torch.set_num_threads(1)
            parts = load("tiny")
            tools = parts.tokenizer, parts.image_processor, get_dialect("pixel-reasoner"), "none"
            opened.append(ScriptedLLM(parts.model, Encoder(*tools), **rest))
            return opened[-1]

        monkeypatch.setitem(sys.modules, "vllm", module(open_one))
        return opened

    return make


def test_weights_go_over_before_each_collection_and_each_evaluation(stand_ins, tmp_path):
    opened = stand_ins()
    lora = ModelSettings(lora=LoraSettings(rank=2))
    finished = run(small(loading=lora), tmp_path)
    assert len(finished.results["RL"]) == 1
    (llm,) = opened
    assert llm.calls.count("reload_weights") == 3
    assert llm.calls[0] == llm.calls[llm.calls.index("generate") - 1] == "reload_weights"
    lines = read_metrics(tmp_path / "on_policy")
    assert [line["step"] for line in lines] == [1, 2]
    assert all(line["engine/logprob_gap_max"] < 1e-4 for line in lines)
    settings = read_manifest(tmp_path / "evaluation" / "RL" / "manifest.json")["policy_settings"]
    assert settings["engine"] == "vllm"
    assert settings["vllm"]["pictures"] == 32


def test_an_engine_with_other_probabilities_is_corrected_and_warned_about(stand_ins, tmp_path):
    stand_ins(nudge=-1.0)  # it says that every token was e times rarer than it was
    config = small(rl=True)
    loss = dataclasses.replace(config.on_policy.loss, importance_cap=2.0)
    config = dataclasses.replace(
        config, on_policy=dataclasses.replace(config.on_policy, loss=loss, minibatches=1)
    )
    shown = []
    TrainingRun(config, tmp_path, lambda *given, **_: shown.append(given)).run()
    for line in read_metrics(tmp_path / "on_policy"):
        assert line["engine/logprob_gap"] == pytest.approx(1.0, abs=1e-4)
        assert line["engine/truncated_share"] == 1.0
        assert line["update/ratio_max"] == pytest.approx(1.0, abs=1e-3)  # over the model's own
        assert line["learning_trap"] == 0
    warnings = [text for stage, *_, text in shown if stage == "warning"]
    assert len(warnings) == 1
    assert "engine/logprob_gap" in warnings[0]


def test_an_engine_that_reads_other_prompts_stops_the_run(stand_ins, tmp_path):
    stand_ins(resizes_to=(56, 84))
    with pytest.raises(ConfigError, match="at position"):
        run(small(), tmp_path)


def test_a_missing_vllm_is_named_before_the_model_is_loaded(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "vllm", None)
    monkeypatch.setattr("pixel_env.agents.run.run.load", None)
    with pytest.raises(ConfigError, match=r"of the extra vllm: pip install"):
        TrainingRun(small(), tmp_path / "run", print)
    assert not (tmp_path / "run").exists()


def test_an_unknown_engine_is_refused():
    with pytest.raises(ConfigError, match="'sglang'"):
        RunConfig(engine="sglang")
