"""Adapters keep 32 bits, and compute in as many as the model."""

import torch
from tiny_models import tiny_model
from torch import nn

from pixel_env.agents.model.adapters import AdapterMatrix
from pixel_env.agents.model.loading import add_adapters
from pixel_env.agents.model.settings import LoraSettings


def adapted(dtype):
    model = add_adapters(tiny_model("qwen2_5_vl").to(dtype), LoraSettings(rank=4, alpha=8.0))
    generator = torch.Generator().manual_seed(0)
    for name, parameter in model.named_parameters():
        if "lora_B" in name:  # they start at 0
            nn.init.normal_(parameter, std=0.1, generator=generator)
    return model


def layer_of(model):
    return next(
        module for name, module in model.named_modules() if name.endswith("layers.0.mlp.up_proj")
    )


def test_products_have_the_dtype_of_the_model_and_weights_32_bits():
    layer = layer_of(adapted(torch.bfloat16))
    seen = []
    for matrix in (layer.lora_A["default"], layer.lora_B["default"]):
        assert type(matrix) is AdapterMatrix
        matrix.register_forward_hook(lambda _, inputs, output: seen.extend((*inputs, output)))
    out = layer(torch.ones(2, 3, 32, dtype=torch.bfloat16))
    assert [each.dtype for each in (*seen, out)] == [torch.bfloat16] * 5
    out.sum().backward()
    for name, parameter in layer.named_parameters():
        if "lora_" in name:
            assert parameter.dtype == parameter.grad.dtype == torch.float32, name
            assert parameter.grad.abs().sum() > 0


def test_an_output_is_that_of_the_formula():
    for dtype, tolerance in ((torch.float32, 1e-6), (torch.bfloat16, 2e-2)):
        layer = layer_of(adapted(dtype))
        x = torch.randn(5, 32, generator=torch.Generator().manual_seed(1)).to(dtype)
        down, up = layer.lora_A["default"].weight, layer.lora_B["default"].weight
        whole = layer.base_layer.weight.float() + 8.0 / 4 * up @ down
        expected = x.float() @ whole.T
        assert (layer(x).float() - expected).norm() <= tolerance * expected.norm()


def test_names_and_sizes_of_what_is_saved_stay():
    layer = layer_of(adapted(torch.float32))
    saved = {name: tuple(value.shape) for name, value in layer.state_dict().items()}
    assert saved == {
        "base_layer.weight": (64, 32),
        "lora_A.default.weight": (4, 32),
        "lora_B.default.weight": (64, 4),
    }
