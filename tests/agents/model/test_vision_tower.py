"""The fast vision tower computes what the stock one does, with a call for each length of window."""

import copy
from collections import Counter

import numpy as np
import pytest
import torch
from tiny_models import ARCHITECTURES, side, tiny_encoder, tiny_model

from pixel_env.agents.model import vision_tower
from pixel_env.agents.model.backbone import Backbone
from pixel_env.agents.model.loading import recompute_layers
from pixel_env.agents.model.vision_tower import (
    MatrixPatchEmbed,
    StretchAttention,
    Stretches,
    use_fast_tower,
)

SIZES = {
    "one": [(3, 5)],
    "equal": [(4, 4)] * 3,
    "several": [(1, 1), (3, 5), (4, 4), (3, 5), (2, 7)],
}
"""Height and width of pictures, in image tokens; windows of the tiny tower are of 2 x 2."""


def images(architecture, sizes):
    rng = np.random.default_rng(0)
    unit = side(architecture)
    pictures = [rng.integers(0, 256, (h * unit, w * unit, 3), np.uint8) for h, w in sizes]
    return tiny_encoder(architecture).images(pictures)


def both(architecture):
    stock = tiny_model(architecture)
    return stock, use_fast_tower(use_fast_tower(copy.deepcopy(stock)))


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_patch_embedding_gives_the_same_numbers_and_names(architecture):
    stock, fast = both(architecture)
    assert isinstance(fast.model.visual.patch_embed, MatrixPatchEmbed)
    assert list(stock.state_dict()) == list(fast.state_dict())
    patches = torch.from_numpy(images(architecture, SIZES["one"])[0].patches)
    expected = stock.model.visual.patch_embed(patches)
    got = fast.model.visual.patch_embed(patches)
    torch.testing.assert_close(got, expected, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("sizes", SIZES.values(), ids=SIZES)
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_features_and_gradients_are_those_of_the_stock_tower(architecture, sizes):
    shown = images(architecture, sizes)
    found = []
    for model in both(architecture):
        features = Backbone(model).see(shown)
        levels = [features.tokens, *features.deepstack]
        weight = torch.linspace(-1, 1, features.tokens.numel()).view_as(features.tokens)
        sum((level * weight).sum() for level in levels).backward()
        gradients = [p.grad for p in model.model.visual.parameters() if p.grad is not None]
        found.append([*levels, *gradients])
    assert len(found[0]) == len(found[1]) > 20
    for expected, got in zip(*found, strict=True):
        assert (got - expected).norm() <= 2e-5 * expected.norm()


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_recomputed_layers_give_the_same_gradients(architecture):
    shown = images(architecture, SIZES["several"])
    kept, again = (use_fast_tower(tiny_model(architecture)) for _ in range(2))
    recompute_layers(again)
    for model in (kept, again):
        model.train()
        first, second = Backbone(model).see(shown[:2]), Backbone(model).see(shown)
        (first.tokens.square().sum() + second.tokens.square().sum()).backward()
    for one, two in zip(kept.parameters(), again.parameters(), strict=True):
        assert (one.grad is None) == (two.grad is None)
        if one.grad is not None:
            torch.testing.assert_close(one.grad, two.grad, rtol=1e-5, atol=1e-6)


def test_a_layer_calls_the_kernel_once_for_each_length_of_window(monkeypatch):
    # 16 pictures of 3 x 5 tokens: 2 windows of 2 x 2, 1 of 2 x 1, 2 of 1 x 2 and 1 of 1 x 1 each.
    kernel, batches = vision_tower.scaled_dot_product_attention, []

    def counted(query, key, value):
        batches.append((query.shape[0], query.shape[2]))
        return kernel(query, key, value)

    monkeypatch.setattr(vision_tower, "scaled_dot_product_attention", counted)
    model = use_fast_tower(tiny_model("qwen2_5_vl"))
    Backbone(model).see(images("qwen2_5_vl", [(3, 5)] * 16))
    windowed = {(32, 16): 2, (48, 8): 2, (16, 4): 2}  # patches are 4 a token; layers 0 and 2
    assert Counter(batches) == Counter({**windowed, (16, 60): 1})


def test_stretches_that_lie_in_one_piece_are_not_gathered():
    even = Stretches(torch.tensor([0, 4, 8, 12]))
    assert even.groups == [(None, 3, 4)]
    assert even.order is None


def test_stretches_without_patches_are_left_out():
    odd = Stretches(torch.tensor([0, 2, 2, 5, 7]))
    assert [(rows.tolist(), count, length) for rows, count, length in odd.groups] == [
        ([0, 1, 5, 6], 2, 2),
        ([2, 3, 4], 1, 3),
    ]
    assert torch.cat([rows for rows, _, _ in odd.groups])[odd.order].tolist() == list(range(7))


def test_other_implementations_of_attention_stay():
    model = tiny_model("qwen2_5_vl")
    model.model.visual.config._attn_implementation = "eager"
    use_fast_tower(model)
    assert not any(isinstance(block.attn, StretchAttention) for block in model.model.visual.blocks)
