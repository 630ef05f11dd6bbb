"""Scoring equals the stock forward, is differentiable, and mistakes don't go unseen."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
import torch
from peft import LoraConfig, get_peft_model
from scored_episodes import episode, stock
from tiny_models import (
    ARCHITECTURES,
    EXPERTS,
    VOCABULARY,
    observation,
    picture,
    tiny_encoder,
    tiny_model,
)

from pixel_env.agents.model import backbone, packing
from pixel_env.agents.model import scoring as forward
from pixel_env.agents.model.backbone import Backbone
from pixel_env.agents.model.loading import recompute_layers
from pixel_env.agents.model.positions import rotary_positions
from pixel_env.agents.model.scoring import score
from pixel_env.agents.tokens.trajectory import EncodedImage, TrajectoryBuilder


def scored(model, trajectory, encoder):
    with torch.no_grad():
        return score(model, [trajectory], encoder).logprobs[0, 1:]


@pytest.mark.parametrize("architecture", [*ARCHITECTURES, EXPERTS])
def test_equals_the_stock_forward_on_each_sequence_of_a_padded_batch(architecture):
    model, encoder = tiny_model(architecture), tiny_encoder(architecture)
    episodes = [episode(architecture, seed, n_turns) for seed, n_turns in ((0, 3), (1, 1), (2, 2))]
    with torch.no_grad():
        scores = score(model, episodes, encoder)
    for row, trajectory in enumerate(episodes):
        expected = stock(model, trajectory, encoder)
        got = scores.logprobs[row, 1 : len(trajectory)]
        assert (got - expected).abs().max() < 1e-4
        assert (expected[expected != 0] < -0.01).sum() > 10
    assert (scores.logprobs[1, len(episodes[1]) :] == 0).all()


@pytest.mark.parametrize("architecture", [*ARCHITECTURES, EXPERTS])
def test_dropped_pixels_are_caught(architecture):
    model, encoder = tiny_model(architecture), tiny_encoder(architecture)
    right = episode(architecture)
    for dropped in range(len(right.images)):
        image = right.images[dropped]
        blank = EncodedImage(np.zeros_like(image.patches), image.grid)
        images = [*right.images[:dropped], blank, *right.images[dropped + 1 :]]
        wrong = replace(right, images=tuple(images))
        gap = (scored(model, right, encoder) - scored(model, wrong, encoder)).abs().max()
        assert gap > 1e-3


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_swapped_pictures_are_caught(architecture):
    model, encoder = tiny_model(architecture), tiny_encoder(architecture)
    right = episode(architecture)
    (first, *rest), unit = right.images, right.images[0].grid
    other = EncodedImage(np.ascontiguousarray(first.patches[::-1]), unit)
    wrong = replace(right, images=(other, *rest))
    assert (scored(model, right, encoder) - scored(model, wrong, encoder)).abs().max() > 1e-3


@pytest.mark.parametrize("architecture", [*ARCHITECTURES, EXPERTS])
def test_plain_counting_instead_of_grid_positions_is_caught(architecture, monkeypatch):
    model, encoder = tiny_model(architecture), tiny_encoder(architecture)
    trajectory = episode(architecture)
    right = scored(model, trajectory, encoder)

    def counted(length, images=(), image_starts=(), first=0):
        return np.broadcast_to(np.arange(length), (3, length)), length

    monkeypatch.setattr(packing, "rotary_positions", counted)
    assert (right - scored(model, trajectory, encoder)).abs().max() > 1e-3


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_positions_shifted_behind_the_first_turn_are_caught(architecture, monkeypatch):
    model, encoder = tiny_model(architecture), tiny_encoder(architecture)
    trajectory = episode(architecture)
    right = scored(model, trajectory, encoder)

    def shifted(length, images=(), image_starts=(), first=0):
        positions, after = rotary_positions(length, images, image_starts, first)
        positions[:, trajectory.turns[1].start :] += 1
        return positions, after

    monkeypatch.setattr(packing, "rotary_positions", shifted)
    assert (right - scored(model, trajectory, encoder)).abs().max() > 1e-3


def test_the_stock_forward_without_token_types_is_caught():
    model, encoder = tiny_model("qwen2_5_vl"), tiny_encoder("qwen2_5_vl")
    trajectory = episode("qwen2_5_vl")
    silent = stock(model, trajectory, encoder, mm_types=False)
    assert (scored(model, trajectory, encoder) - silent).abs().max() > 1e-3


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_shared_pictures_are_seen_once_and_change_nothing(architecture, monkeypatch):
    model, encoder = tiny_model(architecture), tiny_encoder(architecture)
    rng = np.random.default_rng(5)
    prompt = encoder.open(observation("which", [picture(rng, architecture, 4, 4)]))
    group = [episode(architecture, seed, 2, prompt) for seed in range(3)]
    patches = []
    visual = Backbone(model).visual
    visual.register_forward_pre_hook(lambda _, given: patches.append(len(given[0])))
    with torch.no_grad():
        together = score(model, group, encoder)
    assert patches == [(16 + 3 * 2 * 3) * 4], "one prompt picture, and a crop for each lane"
    for row, trajectory in enumerate(group):
        alone = scored(model, trajectory, encoder)
        assert (together.logprobs[row, 1 : len(trajectory)] - alone).abs().max() < 1e-4


def gradients(model, trajectories, encoder):
    """Scores, entropies and the gradient of both on every weight."""
    model.zero_grad()
    scores = score(model, trajectories, encoder, entropy=True)
    (scores.logprobs.sum() + scores.entropy.sum()).backward()
    found = {n: p.grad.clone() for n, p in model.named_parameters() if p.grad is not None}
    return scores.logprobs.detach(), scores.entropy.detach(), found


def tree_of_episodes(architecture):
    """Two groups: some share the prompt, some of them the answer and the crop as well."""
    encoder, rng = tiny_encoder(architecture), np.random.default_rng(5)
    opened = [
        encoder.open(observation("which" * n, [picture(rng, architecture, 2, n)])) for n in (3, 1)
    ]
    crop = encoder.follow(observation("zoom", [picture(rng, architecture, 1, 2)]))
    # The same crop, cut out again: equal pixels, another object.
    again = replace(crop, images=tuple(replace(i, patches=i.patches.copy()) for i in crop.images))
    episodes = [episode(architecture, n, 1 + n % 3, opened[n % 2]) for n in range(4)]
    for number, zoomed in enumerate((crop, again, crop)):
        builder = TrajectoryBuilder()
        builder.add_prompt(opened[0])
        builder.add_response(encoder.message_ids("look there"))
        builder.add_prompt(zoomed)
        builder.add_response(encoder.message_ids("the ball is " + "abc" * number))
        episodes.append(builder.build())
    return [*episodes, episode(architecture, 9)]


@pytest.mark.parametrize(
    ("architecture", "kind"),
    [
        *product(ARCHITECTURES, ["plain", "recomputed", "lora", "eager"]),
        (EXPERTS, "recomputed"),
    ],
)
def test_a_packed_tree_gives_the_scores_and_gradients_of_padded_rows(
    architecture, kind, monkeypatch
):
    model, encoder = tiny_model(architecture, scale=1.5), tiny_encoder(architecture)
    if kind == "lora":
        torch.manual_seed(3)
        model = get_peft_model(model, LoraConfig(r=2, target_modules=["q_proj", "v_proj", "qkv"]))
        for name, parameter in model.named_parameters():
            if "lora_B" in name:
                torch.nn.init.normal_(parameter)
    if kind in ("recomputed", "lora"):
        model.train()
        recompute_layers(model)
    if kind == "eager":
        model.set_attn_implementation("eager")
    episodes = tree_of_episodes(architecture)
    lengths = []
    read = Backbone.read

    def watched(self, stretch, *args, **kwargs):
        lengths.append(tuple(stretch.ids.shape))
        return read(self, stretch, *args, **kwargs)

    monkeypatch.setattr(Backbone, "read", watched)
    packed = gradients(model, episodes, encoder)
    monkeypatch.setattr(forward, "pack", None)
    monkeypatch.setattr(backbone, "allow_trees", lambda config: False)
    padded = gradients(model, episodes, encoder)
    row = packing.SharedRow()
    for trajectory in episodes:
        row.add(trajectory)
    assert lengths == [(1, row.length), (len(episodes), max(map(len, episodes)))]
    assert row.length < sum(map(len, episodes)) - 100
    assert (packed[0] - padded[0]).abs().max() < 1e-4
    assert (packed[1] - padded[1]).abs().max() < 1e-4
    assert packed[2].keys() == padded[2].keys()
    for name, gradient in padded[2].items():
        gap = (packed[2][name] - gradient).norm() / (gradient.norm() + 1e-6)
        assert gap < 1e-4, name


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_gradients_reach_every_part_and_equal_the_stock_ones(architecture):
    model, encoder = tiny_model(architecture), tiny_encoder(architecture)
    trajectory = episode(architecture)
    score(model, [trajectory, trajectory], encoder).logprobs.sum().backward()
    ours = {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}
    missing = {name for name, _ in model.named_parameters()} - set(ours)
    assert not missing
    model.zero_grad()
    ids = torch.from_numpy(trajectory.ids)[None]
    logits = model(
        input_ids=ids,
        pixel_values=torch.from_numpy(np.concatenate([i.patches for i in trajectory.images])),
        image_grid_thw=torch.tensor([i.grid for i in trajectory.images]),
        mm_token_type_ids=(ids == encoder.image_id).int(),
    ).logits[0]
    banned = encoder.forbidden_mask(VOCABULARY)
    logprobs = logits[:-1].masked_fill(banned, -1e30).log_softmax(-1).gather(-1, ids[0, 1:, None])
    (2 * logprobs[:, 0][torch.from_numpy(trajectory.trainable[1:])].sum()).backward()
    for name, parameter in model.named_parameters():
        scale = parameter.grad.abs().max() + 1e-3
        assert ((ours[name] - parameter.grad).abs().max() / scale) < 1e-2, name


def test_output_layer_runs_on_trained_tokens_only_in_chunks_with_the_same_gradients(monkeypatch):
    model, encoder = tiny_model("qwen2_5_vl"), tiny_encoder("qwen2_5_vl")
    episodes = [episode("qwen2_5_vl", seed) for seed in range(2)]
    rows = []
    hook = model.lm_head.register_forward_pre_hook(lambda _, given: rows.append(len(given[0])))
    results = []
    for rows_at_once in (10_000, 7):
        monkeypatch.setattr(forward, "LOGITS_AT_ONCE", rows_at_once * VOCABULARY)
        model.zero_grad()
        rows.clear()
        scores = score(model, episodes, encoder, temperature=0.7, entropy=True)
        assert sum(rows) == sum(t.n_trainable for t in episodes)
        (scores.logprobs.sum() + 0.1 * scores.entropy.sum()).backward()
        results.append((scores.logprobs.detach(), model.lm_head.weight.grad.clone()))
    hook.remove()
    assert (results[0][0] - results[1][0]).abs().max() < 1e-4
    torch.testing.assert_close(results[0][1], results[1][1], rtol=1e-3, atol=1e-3)


def test_entropy_is_that_of_the_allowed_tokens():
    model, encoder = tiny_model("qwen2_5_vl", scale=1e-3), tiny_encoder("qwen2_5_vl")
    allowed = VOCABULARY - len(encoder.forbidden_ids(VOCABULARY))
    scores = score(model, [episode("qwen2_5_vl")], encoder, entropy=True)
    inside = scores.entropy[scores.trainable]
    np.testing.assert_allclose(inside.detach().numpy(), np.log(allowed), atol=1e-3)
    assert (scores.entropy[~scores.trainable] == 0).all()


def test_episodes_without_pictures_and_batches_with_some_are_scored():
    model, encoder = tiny_model("qwen3_vl"), tiny_encoder("qwen3_vl")
    builder = TrajectoryBuilder()
    builder.add_prompt(encoder.open(observation("which ball")))
    builder.add_response(encoder.message_ids("the ball"))
    plain, seeing = builder.build(), episode("qwen3_vl")
    alone = scored(model, plain, encoder)
    with torch.no_grad():
        mixed = score(model, [seeing, plain], encoder).logprobs[1, 1 : len(plain)]
    assert (alone - mixed).abs().max() < 1e-4
