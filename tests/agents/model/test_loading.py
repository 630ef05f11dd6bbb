"""Checkpoints in the hub's layout load, train through adapters, and speak as a policy."""

import json
import logging

import numpy as np
import pytest
import torch
from tiny_models import (
    ARCHITECTURES,
    EXPERTS,
    PlainDialect,
    observation,
    picture,
    tiny_encoder,
    tiny_model,
    tiny_processor,
    tiny_tokenizer,
)

from pixel_env.agents.generation.engine import Engine, GenerationConfig
from pixel_env.agents.generation.session import Session
from pixel_env.agents.model.device import checked_device
from pixel_env.agents.model.loading import (
    add_adapters,
    export,
    load,
    recompute_layers,
)
from pixel_env.agents.model.scoring import score
from pixel_env.agents.model.settings import LoraSettings, ModelSettings
from pixel_env.agents.policies.vlm import VLMPolicy
from pixel_env.agents.tokens.encoder import Encoder
from pixel_env.errors import ConfigError


@pytest.fixture(params=ARCHITECTURES)
def checkpoint(request, tmp_path):
    """(architecture, folder): a checkpoint as it lies on the hub."""
    return request.param, written(request.param, tmp_path / "Qwen-tiny")


def written(architecture, folder):
    """Writes a checkpoint as it lies on the hub."""
    tiny_model(architecture).save_pretrained(folder)
    tiny_tokenizer().save_pretrained(folder)
    tiny_processor(architecture).save_pretrained(folder)
    settings = json.loads((folder / "preprocessor_config.json").read_text())
    settings["image_processor_type"] = "Qwen2VLImageProcessorFast"
    settings["processor_class"] = "Qwen2_5_VLProcessor"
    (folder / "preprocessor_config.json").write_text(json.dumps(settings))
    return folder


def rollout(engine, architecture, n_lanes=4):
    session = Session(engine)
    rng = np.random.default_rng(0)
    shown = picture(rng, architecture, 2, 3)
    lanes = list(range(n_lanes))
    for lane in lanes:
        session.begin(lane, lane)
    session.hear([observation("which", [shown])] * n_lanes, lanes)
    session.speak(lanes)
    session.hear([observation("zoom", [picture(rng, architecture)]) for _ in lanes], lanes)
    session.speak(lanes)
    return [session.end(lane).build() for lane in lanes]


def gap(model, trajectories, encoder):
    with torch.no_grad():
        scores = score(model, trajectories, encoder).logprobs.numpy()
    return max(
        np.abs(row[: len(t)] - t.logprobs).max()
        for row, t in zip(scores, trajectories, strict=True)
    )


def test_a_folder_in_the_hubs_layout_gives_the_saved_model(checkpoint):
    architecture, folder = checkpoint
    loaded = load(folder)
    assert loaded.image_processor.patch_size == tiny_processor(architecture).patch_size
    encoder = Encoder(loaded.tokenizer, loaded.image_processor, PlainDialect())
    engine = Engine(loaded.model, encoder, GenerationConfig(max_new_tokens=16))
    trajectories = rollout(engine, architecture)
    assert gap(loaded.model, trajectories, encoder) < 1e-4
    assert gap(tiny_model(architecture), trajectories, tiny_encoder(architecture)) < 1e-4


def test_a_mixture_of_experts_is_loaded_generates_trains_and_is_exported_alike(tmp_path):
    loaded = load(written(EXPERTS, tmp_path / "Qwen-tiny"))
    encoder = Encoder(loaded.tokenizer, loaded.image_processor, PlainDialect())
    config = GenerationConfig(max_new_tokens=16)
    before = rollout(Engine(loaded.model, encoder, config), EXPERTS)
    assert gap(loaded.model, before, encoder) < 1e-4
    assert gap(tiny_model(EXPERTS), before, tiny_encoder(EXPERTS)) < 1e-4
    optimizer = torch.optim.SGD(loaded.model.parameters(), lr=1e-3)
    (-score(loaded.model, before, encoder).logprobs.sum() / 50).backward()
    trained = {name for name, p in loaded.model.named_parameters() if p.grad.abs().sum() > 0}
    assert any("experts" in name for name in trained)
    optimizer.step()
    assert gap(loaded.model, before, encoder) > 1e-3
    export(loaded, tmp_path / "out")
    again = load(tmp_path / "out")
    after = rollout(Engine(again.model, encoder, config), EXPERTS)
    assert gap(loaded.model, after, encoder) < 1e-4


def test_adapters_train_through_score_and_speak_through_the_engine(checkpoint):
    architecture, folder = checkpoint
    settings = ModelSettings(lora=LoraSettings(rank=4, alpha=8.0), gradient_checkpointing=True)
    loaded = load(folder, settings)
    encoder = Encoder(loaded.tokenizer, loaded.image_processor, PlainDialect())
    trained = {name for name, p in loaded.model.named_parameters() if p.requires_grad}
    assert len(trained) == 2 * 7 * 3
    assert all("lora_" in name and "language_model" in name for name in trained)
    config = GenerationConfig(max_new_tokens=16)
    before = rollout(Engine(loaded.model, encoder, config), architecture)
    optimizer = torch.optim.SGD([p for p in loaded.model.parameters() if p.requires_grad], lr=0.05)
    loaded.model.train()
    for _ in range(3):
        optimizer.zero_grad()
        (-score(loaded.model, before, encoder).logprobs.sum() / 50).backward()
        optimizer.step()
    assert gap(loaded.model, before, encoder) > 1e-3
    after = rollout(Engine(loaded.model, encoder, config), architecture)
    assert gap(loaded.model, after, encoder) < 1e-4
    with loaded.model.disable_adapter():
        assert gap(loaded.model, before, encoder) < 1e-4


def test_dtype_and_attention_are_those_asked_for(checkpoint):
    _, folder = checkpoint
    model = load(folder, ModelSettings(dtype="bfloat16", attention="eager")).model
    assert {p.dtype for p in model.parameters()} == {torch.bfloat16}
    assert model.config._attn_implementation == "eager"


def test_policy_from_a_folder_answers_every_lane_and_repeats(checkpoint):
    architecture, folder = checkpoint
    rng = np.random.default_rng(1)
    shown = [observation("which", [picture(rng, architecture)]) for _ in range(3)]
    runs = []
    for lanes in ([0, 1, 2], [2, 0, 1]):
        policy = VLMPolicy.load(folder, max_new_tokens=12, greedy=False, system="none")
        for lane in lanes:
            policy.reset(lane, seed=lane)
        first = policy.act([shown[lane] for lane in lanes], lanes)
        second = policy.act([shown[lanes[1]]], [lanes[1]])
        runs.append((dict(zip(lanes, first, strict=True)), second))
    assert runs[0][0] == runs[1][0]
    assert all(isinstance(text, str) for text in runs[0][0].values())
    assert (policy.dialect, policy.name) == ("pixel-reasoner", f"vlm:{folder}")
    settings_of_policy = json.loads(json.dumps(policy.settings()))
    assert (settings_of_policy["max_new_tokens"], settings_of_policy["model"]["dtype"]) == (
        12,
        "float32",
    )
    assert settings_of_policy["system"] == "none"


def test_a_policy_out_of_context_sends_empty_messages():
    engine = Engine(
        tiny_model("qwen3_vl"), tiny_encoder("qwen3_vl"), GenerationConfig(max_context=90)
    )
    policy = VLMPolicy(Session(engine), engine.encoder, engine.config)
    policy.reset(0, seed=0)
    policy.reset(1, seed=0)
    messages = policy.act([observation("which " * 60), observation("which")], [0, 1])
    assert messages[0] == ""
    assert messages[1]


def test_a_name_that_can_not_be_loaded_says_what_to_do(tmp_path, monkeypatch, caplog):
    caplog.set_level(logging.CRITICAL)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(ConfigError, match="hf download nobody/no-such-model"):
        load("nobody/no-such-model")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigError, match=r"config.json, model.safetensors.*empty"):
        load(tmp_path / "empty")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: LoraSettings(rank=-1), "rank >= 0, got -1"),
        (lambda: LoraSettings(dropout=1.0), r"dropout in \[0, 1\)"),
        (lambda: LoraSettings(projections=("q_prj",)), "Did you mean 'q_proj'"),
        (lambda: ModelSettings(dtype="bfloat"), "Did you mean 'bfloat16'"),
    ],
)
def test_settings_out_of_range_are_refused(make, message):
    with pytest.raises(ConfigError, match=message):
        make()


def test_adapters_only_on_the_projections_asked_for():
    model = add_adapters(tiny_model("qwen2_5_vl"), LoraSettings(rank=4, projections=("q_proj",)))
    trained = [name for name, p in model.named_parameters() if p.requires_grad]
    assert len(trained) == 2 * 3
    assert all("q_proj" in name for name in trained)


def test_recomputed_layers_are_asked_for_without_a_warning(recwarn):
    model = tiny_model("qwen2_5_vl")
    recompute_layers(model)
    assert any(getattr(part, "gradient_checkpointing", False) for part in model.modules())
    assert not [w for w in recwarn if issubclass(w.category, (FutureWarning, DeprecationWarning))]


def test_an_older_transformers_has_the_older_name():
    class Older:
        def gradient_checkpointing_enable(self, how):
            self.how = how

    model = Older()
    recompute_layers(model)
    assert model.how == {"use_reentrant": False}


@pytest.mark.parametrize(
    ("device", "message"),
    [("cuda", "expected a GPU for device 'cuda'"), ("cpuu", "to be a torch device, got 'cpuu'")],
)
def test_a_device_that_is_not_there_is_refused_before_anything_is_loaded(
    device, message, monkeypatch
):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(ConfigError, match=message):
        load("nowhere/at-all", ModelSettings(device=device))


def test_auto_is_a_gpu_where_there_is_one(monkeypatch):
    for there, device in ((True, "cuda"), (False, "cpu")):
        monkeypatch.setattr("torch.cuda.is_available", lambda there=there: there)
        assert checked_device("auto") == device
