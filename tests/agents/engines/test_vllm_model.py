"""What vLLM is opened with, what a request holds, and what goes with new weights."""

import sys

import numpy as np
import pytest
from scripted_vllm import ScriptedLLM, module
from tiny_models import VOCABULARY, observation, picture, tiny_encoder, tiny_model

from pixel_env.agents.engines.settings import VllmSettings
from pixel_env.agents.engines.vllm_model import Request, VllmModel
from pixel_env.agents.engines.weights import named_weights
from pixel_env.agents.generation.config import GenerationConfig
from pixel_env.errors import ConfigError

GENERATION = GenerationConfig(max_new_tokens=5, max_context=200, lanes_at_once=16, temperature=0.7)


@pytest.fixture
def encoder():
    return tiny_encoder("qwen2_5_vl")


@pytest.fixture
def llm(encoder):
    return ScriptedLLM(tiny_model("qwen2_5_vl"), encoder)


def opened(monkeypatch, tmp_path, encoder, settings=None, **rest):
    found = {}
    monkeypatch.setitem(sys.modules, "vllm", module(object, found))
    with pytest.raises(AttributeError):  # what was opened has no model
        VllmModel.open(tmp_path, encoder, GENERATION, settings or VllmSettings(), **rest)
    return found


def test_on_a_cpu_it_is_opened_with_a_cache_of_its_own_size(monkeypatch, tmp_path, encoder):
    found = opened(monkeypatch, tmp_path, encoder)
    assert found["model"] == str(tmp_path)
    assert (found["max_model_len"], found["max_num_seqs"], found["dtype"]) == (200, 16, "float32")
    assert found["logprobs_mode"] == "processed_logprobs"
    assert found["limit_mm_per_prompt"] == {"image": 32, "video": 0}
    assert found["mm_processor_kwargs"]["size"]["shortest_edge"] == 28 * 28
    assert found["kv_cache_memory_bytes"] == 2**30
    assert (found["enable_chunked_prefill"], found["max_num_batched_tokens"]) == (False, 8192)
    assert found["enforce_eager"]
    assert not found["enable_sleep_mode"]
    assert "distributed_executor_backend" not in found


def test_each_of_several_processes_has_one_of_its_own(monkeypatch, tmp_path, encoder):
    found = opened(monkeypatch, tmp_path, encoder, n_processes=2)
    assert found["distributed_executor_backend"] == "external_launcher"


def test_on_a_gpu_it_takes_its_share_and_sleeps(monkeypatch, tmp_path, encoder):
    settings = VllmSettings(memory_share=0.3, pictures=4)
    found = opened(monkeypatch, tmp_path, encoder, settings, dtype="bfloat16", on_gpu=True)
    assert (found["gpu_memory_utilization"], found["dtype"]) == (0.3, "bfloat16")
    assert "kv_cache_memory_bytes" not in found
    assert "enable_chunked_prefill" not in found
    assert found["enable_sleep_mode"]
    assert not found["enforce_eager"]
    settings = VllmSettings(cache_gib=2, sleeps=False, eager=True)
    found = opened(monkeypatch, tmp_path, encoder, settings, on_gpu=True)
    assert found["kv_cache_memory_bytes"] == 2**31
    assert found["enforce_eager"]
    assert not found["enable_sleep_mode"]


def test_the_extra_is_named_where_it_is_missing(monkeypatch, tmp_path, encoder):
    monkeypatch.setitem(sys.modules, "vllm", None)
    with pytest.raises(ConfigError, match=r"needs vllm, of the extra vllm: pip install"):
        VllmModel.open(tmp_path, encoder, GENERATION, VllmSettings())


def test_what_vllm_refuses_is_a_fault_of_the_settings(monkeypatch, tmp_path, encoder):
    def refuse():
        raise ValueError("no memory")

    monkeypatch.setitem(sys.modules, "vllm", module(refuse))
    with pytest.raises(ConfigError, match=r"vLLM can't open .*: no memory"):
        VllmModel.open(tmp_path, encoder, GENERATION, VllmSettings())


@pytest.mark.parametrize(
    "wrong", [{"memory_share": 0}, {"memory_share": 1.1}, {"pictures": 0}, {"cache_gib": -1}]
)
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        VllmSettings(**wrong)


def test_a_request_has_one_image_token_a_picture_and_no_forbidden_token(llm, encoder):
    rng = np.random.default_rng(0)
    shown = [picture(rng, "qwen2_5_vl"), picture(rng, "qwen2_5_vl", 1, 3)]
    ids = encoder.open(observation("which", shown)).ids
    (found,) = VllmModel(llm, dict).complete([Request(ids, shown, 4, 11)], encoder, GENERATION)
    (prompt,), (params,) = llm.prompts, llm.params
    assert prompt["prompt_token_ids"].count(encoder.image_id) == 2
    assert (ids == encoder.image_id).sum() == 4 + 3
    assert [p.size for p in prompt["multi_modal_data"]["image"]] == [(56, 56), (84, 28)]
    assert found.prompt_ids.tolist() == ids.tolist()
    assert (params["max_tokens"], params["seed"], params["temperature"]) == (4, 11, 0.7)
    assert sorted(params["logit_bias"]) == encoder.forbidden_ids(VOCABULARY).tolist()
    assert set(params["logit_bias"].values()) == {float("-inf")}
    assert params["stop_token_ids"] == [encoder.end_id]
    assert params["ignore_eos"]
    assert len(found.ids) == len(found.logprobs) <= 4


def test_a_request_without_pictures_has_none(llm, encoder):
    ids = encoder.open(observation("which")).ids
    VllmModel(llm, dict).complete([Request(ids, [], 1, 0)], encoder, GENERATION)
    assert "multi_modal_data" not in llm.prompts[0]


def test_greedy_is_temperature_0_over_everything(llm, encoder):
    ids = encoder.open(observation("which")).ids
    greedy = GenerationConfig(greedy=True, top_p=0.5)
    VllmModel(llm, dict).complete([Request(ids, [], 1, 0)], encoder, greedy)
    assert (llm.params[0]["temperature"], llm.params[0]["top_p"]) == (0.0, 1.0)


def test_new_weights_drop_what_was_computed_with_the_old_ones(llm, encoder):
    model = VllmModel(llm, dict)
    ids = encoder.open(observation("which")).ids
    model.load(named_weights(tiny_model("qwen2_5_vl", seed=1)))
    assert llm.head.packed  # else the stand-in refuses to generate
    assert llm.fresh == {"prefix", "encoder"}
    model.complete([Request(ids, [], 1, 0)], encoder, GENERATION)
    assert llm.calls == ["reload_weights", "generate"]


def test_memory_is_given_back_between_collections_where_it_can_be(llm, encoder):
    model = VllmModel(llm, dict, sleeps=True)
    request = Request(encoder.open(observation("which")).ids, [], 1, 0)
    model.sleep()
    model.sleep()
    model.load(named_weights(tiny_model("qwen2_5_vl")))
    model.complete([request], encoder, GENERATION)
    model.sleep()
    model.complete([request], encoder, GENERATION)
    assert llm.calls == [
        "sleep 1", "wake weights", "reload_weights", "wake all", "generate",
        "sleep 1", "wake all", "generate",
    ]  # fmt: skip
    awake = ScriptedLLM(tiny_model("qwen2_5_vl"), encoder)
    VllmModel(awake, dict).sleep()
    assert awake.calls == []
