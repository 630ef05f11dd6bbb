"""Pretraining: what each stage changes, and that it teaches."""

import numpy as np
import pytest
import torch

from pixel_env.agents.model.backbone import Backbone
from pixel_env.agents.tiny import model as tiny
from pixel_env.agents.tiny.alignment import align, attend_by_likeness
from pixel_env.agents.tiny.pretraining import (
    PretrainingConfig,
    as_trajectory,
    see_pictures,
    speech_accuracy,
    speech_loss,
    teach_eyes,
    teach_speech,
)
from pixel_env.agents.tiny.texts import dialect_texts
from pixel_env.agents.tokens.encoder import Encoder
from pixel_env.dialects import get_dialect
from pixel_env.errors import ConfigError
from pixel_env.types import Observation

DIALECT = get_dialect("pixel-reasoner")
SIZES = tiny.TinyConfig(hidden=64, layers=2, heads=2, vision_hidden=32, vision_layers=1)
COLOURS = {"red": (220, 30, 30), "blue": (30, 30, 220), "green": (30, 200, 30)}
NAMES = list(COLOURS)


@pytest.fixture(scope="module")
def tokenizer():
    return tiny.train_tokenizer(2 * [*dialect_texts(DIALECT), "Say it.", *NAMES])


@pytest.fixture
def model(tokenizer):
    return tiny.blank_model(tokenizer, SIZES)


@pytest.fixture(scope="module")
def encoder(tokenizer):
    return Encoder(tokenizer, tiny.image_processor(), DIALECT, "none")


def picture(cells):
    """A picture of 56 x 56 px; each of its 4 tokens is filled with one colour."""
    made = np.zeros((56, 56, 3), np.uint8)
    for cell, name in enumerate(cells):
        y, x = divmod(cell, 2)
        made[28 * y : 28 * y + 28, 28 * x : 28 * x + 28] = COLOURS[name]
    return made


def labelled(encoder):
    def draw(rng):
        cells = [NAMES[i] for i in rng.integers(3, size=4)]
        (image,) = encoder.images([picture(cells)])
        return image, np.array([[NAMES.index(name)] for name in cells])

    return draw


def lesson(encoder, name, *stand_ins):
    observation = Observation(
        question="Say it.",
        choices=(),
        images=(picture([name] * 4),),
        first_image=1,
        n_frames=0,
        feedback="",
        turn=0,
        turns_left=5,
    )
    return as_trajectory(encoder, observation, name, stand_ins)


def test_eyes_learn_colours_and_the_language_model_stays(model, encoder):
    before = model.get_input_embeddings().weight.clone()
    losses = []
    config = PretrainingConfig(steps=60, batch_size=8, learning_rate=5e-3)
    layer = teach_eyes(
        model, encoder, labelled(encoder), {"hue": 3}, config, lambda _, loss: losses.append(loss)
    )
    assert np.mean(losses[-5:]) < 0.2 < losses[0]
    assert torch.equal(before, model.get_input_embeddings().weight)
    image, labels = labelled(encoder)(np.random.default_rng(9))
    predicted = layer(Backbone(model).see([image]).tokens).argmax(-1)
    assert predicted.tolist() == labels[:, 0].tolist()


def test_alignment_folds_the_turn_into_the_tower_and_names_words(model, encoder):
    rng = np.random.default_rng(0)
    drawn = [[NAMES[i] for i in rng.integers(3, size=4)] for _ in range(40)]
    pictures = [picture(cells) for cells in drawn]
    labels = np.array([[[NAMES.index(name)] for name in cells] for cells in drawn])
    _, features = see_pictures(model, encoder, pictures, at_once=16)
    words = [[encoder.tokenizer.encode(name, add_special_tokens=False)] for name in NAMES]
    ids = [word[0] for word in words]
    config = PretrainingConfig(steps=300, batch_size=16, learning_rate=1e-2)
    turned, hits = align(model, features, labels, [ids], config, lambda *_: None)
    assert hits > 0.9
    _, seen = see_pictures(model, encoder, pictures)
    assert torch.allclose(turned.tokens, seen.tokens, atol=1e-4)
    embeddings = model.get_input_embeddings().weight
    for name, its in zip(NAMES, ids, strict=True):
        assert embeddings[its[0]].norm().item() == pytest.approx(0.4, abs=1e-4), name


def test_stand_ins_give_the_loss_of_the_pictures(model, encoder):
    stand_ins, features = see_pictures(model, encoder, [picture([name] * 4) for name in NAMES])
    assert all(image.patches.size == 0 for image in stand_ins)
    real = [lesson(encoder, name) for name in NAMES]
    stood = [lesson(encoder, name, image) for name, image in zip(NAMES, stand_ins, strict=True)]
    assert speech_loss(model, stood, features).item() == pytest.approx(
        speech_loss(model, real).item(), abs=1e-5
    )


def test_speech_is_learnt_alone_with_features_and_together_without(model, encoder):
    lessons = {name: lesson(encoder, name) for name in NAMES}

    def draw(rng):
        return lessons[NAMES[rng.integers(3)]]

    tower = [weight.clone() for weight in model.model.visual.parameters()]
    images, features = see_pictures(model, encoder, [picture([name] * 4) for name in NAMES])
    stood = {n: lesson(encoder, n, image) for n, image in zip(NAMES, images, strict=True)}
    config = PretrainingConfig(steps=5, batch_size=3, learning_rate=1e-3)
    teach_speech(
        model, lambda rng: stood[NAMES[rng.integers(3)]], config, lambda *_: None, features
    )
    now = list(model.model.visual.parameters())
    assert all(torch.equal(a, b) for a, b in zip(tower, now, strict=True))
    config = PretrainingConfig(steps=120, batch_size=6, learning_rate=5e-3)
    teach_speech(model, draw, config, lambda *_: None)
    assert not all(torch.equal(a, b) for a, b in zip(tower, now, strict=True))
    assert speech_accuracy(model, list(lessons.values())).all()


def test_likeness_makes_keys_of_queries_in_the_first_layers_only(tokenizer):
    model = tiny.blank_model(tokenizer, SIZES)
    plain = tiny.blank_model(tokenizer, SIZES)
    attend_by_likeness(model, layers=1, gain=3.0)
    first, last = (model.model.language_model.layers[i].self_attn for i in (0, 1))
    assert torch.equal(first.q_proj.weight, first.k_proj.weight)
    was = plain.model.language_model.layers[0].self_attn.q_proj.weight
    assert torch.allclose(first.q_proj.weight, 3.0 * was)
    assert not torch.equal(last.q_proj.weight, last.k_proj.weight)


def test_training_repeats_by_seed(encoder, tokenizer):
    ends = []
    for _ in range(2):
        model = tiny.blank_model(tokenizer, SIZES)
        config = PretrainingConfig(steps=3, batch_size=4, seed=5)
        teach_eyes(model, encoder, labelled(encoder), {"hue": 3}, config, lambda *_: None)
        ends.append(torch.cat([w.flatten() for w in model.model.visual.parameters()]))
    assert torch.equal(*ends)


@pytest.mark.parametrize("wrong", [{"steps": 0}, {"batch_size": 0}])
def test_counts_are_checked(wrong):
    with pytest.raises(ConfigError, match="at least 1"):
        PretrainingConfig(**wrong)
