"""Weights under their names in a checkpoint: each once, adapters added and nothing changed."""

import copy

import pytest
import torch
from tiny_models import ARCHITECTURES, tiny_model

from pixel_env.agents.engines.weights import named_weights
from pixel_env.agents.model.loading import add_adapters
from pixel_env.agents.model.settings import LoraSettings


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_bare_models_weights_are_its_own(architecture):
    model = tiny_model(architecture)
    found = dict(named_weights(model))
    wanted = dict(model.named_parameters())
    assert found.keys() == wanted.keys()
    assert all(found[name].data_ptr() == wanted[name].data_ptr() for name in wanted)
    assert not any(weight.requires_grad for weight in found.values())


def test_weights_that_are_shared_come_once():
    model = tiny_model("qwen2_5_vl")
    model.lm_head.weight = model.get_input_embeddings().weight
    names = [name for name, _ in named_weights(model)]
    assert "lm_head.weight" not in names
    assert "model.language_model.embed_tokens.weight" in names


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_adapters_are_added_to_what_goes_over_and_to_nothing_else(dtype):
    plain = tiny_model("qwen2_5_vl").to(dtype)
    before = {name: weight.clone() for name, weight in plain.named_parameters()}
    model = add_adapters(plain, LoraSettings(rank=2))
    torch.manual_seed(1)
    for name, weight in model.named_parameters():
        if "lora_B" in name:  # they start at 0
            weight.data.normal_(0, 0.1)
    found = dict(named_weights(model))
    merged = dict(copy.deepcopy(model).merge_and_unload().named_parameters())
    assert found.keys() == before.keys() == merged.keys()
    tolerance = 1e-6 if dtype == torch.float32 else 2e-2
    for name, weight in merged.items():
        assert found[name].dtype == dtype
        torch.testing.assert_close(found[name], weight, rtol=tolerance, atol=tolerance)
    assert sum(not torch.equal(found[name], before[name]) for name in before) == 3 * 7
    kept = dict(model.get_base_model().named_parameters())
    for name, weight in before.items():
        base = kept.get(name)
        if base is None:
            path, _, kind = name.rpartition(".")
            base = kept[f"{path}.base_layer.{kind}"]
        assert torch.equal(base, weight)
