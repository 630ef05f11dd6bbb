"""Counted weights are those of the models that transformers builds, without memory for them."""

import pytest
from tiny_models import ARCHITECTURES, EXPERTS, tiny_model
from transformers import Qwen2Config

from pixel_env import ConfigError
from pixel_env.agents.bench.random_model import random_model
from pixel_env.agents.model.loading import add_adapters
from pixel_env.agents.model.settings import LoraSettings, ModelSettings
from pixel_env.agents.model.shapes import SHAPES, SHORT, hub_name, shape_of

MILLIONS = {  # as the model cards round them
    "Qwen/Qwen2.5-VL-3B-Instruct": 3755,
    "Qwen/Qwen2.5-VL-7B-Instruct": 8292,
    "Qwen/Qwen3-VL-2B-Instruct": 2128,
    "Qwen/Qwen3-VL-4B-Instruct": 4438,
    "Qwen/Qwen3-VL-8B-Instruct": 8767,
}


def count(parameters):
    return sum(parameter.numel() for parameter in parameters)


@pytest.mark.parametrize("name", SHAPES)
def test_weights_are_counted_as_transformers_counts_them(name):
    shape = SHAPES[name]
    model = random_model(shape, ModelSettings(device="meta")).model
    assert shape_of(model.config) == shape
    assert shape.weights == count(model.parameters())
    assert shape.vision_weights == count(model.model.visual.parameters())
    assert shape.layer_weights == count(model.model.language_model.layers[0].parameters())
    assert round(shape.weights / 1e6) == MILLIONS[name]


@pytest.mark.parametrize("architecture", [*ARCHITECTURES, EXPERTS])
def test_adapters_are_counted(architecture):
    model = tiny_model(architecture)
    shape = shape_of(model.config)
    assert shape.weights == count(model.parameters())
    adapted = add_adapters(model, LoraSettings(rank=3))
    trained = [p for p in adapted.parameters() if p.requires_grad]
    assert shape.adapter_weights(3) == count(trained)


def test_a_token_of_the_cache_of_the_7b_takes_56_kib():
    assert SHAPES["Qwen/Qwen2.5-VL-7B-Instruct"].kv_bytes(2) == 56 * 1024


def test_short_names_are_those_of_the_hub():
    assert set(SHORT.values()) == set(SHAPES)
    assert hub_name("qwen2.5-vl-3b") == "Qwen/Qwen2.5-VL-3B-Instruct"
    assert hub_name("some/folder") == "some/folder"


def test_another_architecture_is_refused():
    with pytest.raises(ConfigError, match="'qwen2'"):
        shape_of(Qwen2Config())


def test_a_mixture_with_layers_without_experts_is_refused():
    config = tiny_model(EXPERTS).config
    config.text_config.mlp_only_layers = [0]
    with pytest.raises(ConfigError, match="every layer"):
        shape_of(config)
