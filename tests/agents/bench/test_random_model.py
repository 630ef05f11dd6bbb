"""Random models have the published shapes, and are made in their dtype on their device."""

import pytest
import torch

from pixel_env.agents.bench.random_model import (
    config_of,
    made_tokenizer,
    random_model,
)
from pixel_env.agents.model.backbone import Backbone
from pixel_env.agents.model.settings import LoraSettings, ModelSettings
from pixel_env.agents.model.shapes import SHAPES, known_shape, shape_of, shrunk
from pixel_env.errors import ConfigError

SMALL = shrunk(SHAPES["Qwen/Qwen2.5-VL-7B-Instruct"], layers=2, small=True)


def weights(model):
    return torch.cat([p.detach().flatten().float() for p in model.parameters()])


@pytest.mark.parametrize("name", SHAPES)
def test_the_configuration_of_a_shape_has_that_shape(name):
    assert shape_of(config_of(SHAPES[name], made_tokenizer())) == SHAPES[name]


def test_what_a_shape_does_not_say_is_as_published():
    second = config_of(SHAPES["Qwen/Qwen2.5-VL-7B-Instruct"], made_tokenizer())
    assert second.vision_config.fullatt_block_indexes == [7, 15, 23, 31]
    assert second.text_config.rope_parameters["mrope_section"] == [16, 24, 24]
    assert second.text_config.rope_parameters["rope_theta"] == 1e6
    layers = {}
    for size in ("2B", "8B"):
        third = config_of(SHAPES[f"Qwen/Qwen3-VL-{size}-Instruct"], made_tokenizer())
        layers[size] = third.vision_config.deepstack_visual_indexes
        assert third.text_config.rope_parameters["mrope_section"] == [24, 20, 20]
    assert layers == {"2B": [5, 11, 17], "8B": [8, 16, 24]}


@pytest.mark.parametrize("name", ["qwen2.5-vl-3b", "qwen3-vl-8b"])
def test_a_shrunk_model_has_the_layers_asked_for_and_float32_adapters_alone_are_trained(name):
    shape = shrunk(known_shape(name), layers=2, small=True)
    settings = ModelSettings(dtype="bfloat16", lora=LoraSettings(rank=4))
    model = random_model(shape, settings).model
    backbone = Backbone(model)
    assert (backbone.n_layers, len(backbone.visual.blocks)) == (2, 2)
    dtypes = {p.requires_grad: p.dtype for p in model.parameters()}
    assert dtypes == {False: torch.bfloat16, True: torch.float32}
    assert not model.training


def test_weights_depend_on_the_seed_alone():
    torch.manual_seed(5)
    before = torch.get_rng_state()
    first = weights(random_model(SMALL, ModelSettings(), seed=1).model)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(6)
    assert torch.equal(first, weights(random_model(SMALL, ModelSettings(), seed=1).model))
    assert not torch.equal(first, weights(random_model(SMALL, ModelSettings(), seed=2).model))


def test_every_weight_is_made_on_the_device():
    shape = shrunk(known_shape("qwen2.5-vl-7b"), layers=1)  # the full width: 1.5 billion weights
    settings = ModelSettings(dtype="bfloat16", device="meta")
    model = random_model(shape, settings).model
    assert {(p.device.type, p.dtype) for p in model.parameters()} == {("meta", torch.bfloat16)}
    assert {b.device.type for b in model.buffers()} == {"meta"}


def test_matrices_have_the_published_spread():
    weight = random_model(SMALL, ModelSettings()).model.lm_head.weight
    assert float(weight.std()) == pytest.approx(0.02, rel=0.02)


def test_an_unknown_size_is_refused():
    with pytest.raises(ConfigError, match=r"Did you mean 'qwen2\.5-vl-7b'"):
        known_shape("qwen2.5-vl-9b")
