"""Lessons of several twins taught at once: it learns, goes on after a stop, and is examined."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from pixel_env.agents.model.vision_tower import use_fast_tower
from pixel_env.agents.tiny import model as tiny
from pixel_env.agents.tiny.carried_over import carry_over
from pixel_env.agents.tiny.joint import JointConfig, JointTraining
from pixel_env.agents.tiny.lesson_batches import Batch, Taught, batches
from pixel_env.agents.tiny.pretraining import IGNORED, as_trajectory
from pixel_env.agents.tiny.texts import dialect_texts
from pixel_env.agents.tokens.encoder import Encoder
from pixel_env.dialects import get_dialect
from pixel_env.errors import ConfigError
from pixel_env.types import Observation

DIALECT = get_dialect("pixel-reasoner")
SIZES = tiny.TinyConfig(hidden=64, layers=2, heads=2, vision_hidden=32, vision_layers=1)
COLOURS = {"red": (220, 30, 30), "blue": (30, 30, 220)}
NAMES = list(COLOURS)
CONFIG = JointConfig(steps=5, batch_size=2, exam_every=3, exam=2, checkpoint_every=3)


@pytest.fixture(scope="module")
def tokenizer():
    return tiny.train_tokenizer(2 * [*dialect_texts(DIALECT), "Say it.", *NAMES])


class Colours:
    """Two twins, each of which shows a picture of one colour and asks for it."""

    def __init__(self, tokenizer):
        self.heads = {"colour": (*NAMES, ""), "unknown": ("a", "b")}
        self.twins = ("One", "Two")
        self.encoder = Encoder(tokenizer, tiny.image_processor(), DIALECT, "none")

    def lesson(self, rng):
        name = NAMES[rng.integers(2)]
        picture = np.full((56, 56, 3), COLOURS[name], np.uint8)
        observation = Observation(
            question="Say it.",
            choices=(),
            images=(picture,),
            first_image=1,
            n_frames=0,
            feedback="",
            turn=0,
            turns_left=5,
        )
        labels = np.full((4, 2), IGNORED, np.int64)
        labels[:, 0] = NAMES.index(name)
        return Taught("Say it", as_trajectory(self.encoder, observation, name), (labels,))

    def lessons(self, step, n):
        rng = np.random.default_rng(step)
        return [self.lesson(rng) for _ in range(n)]

    def unseen(self, twin, n):
        rng = np.random.default_rng(len(twin))
        return [self.lesson(rng) for _ in range(n)]


def training(tokenizer, folder, **settings):
    model = use_fast_tower(tiny.blank_model(tokenizer, SIZES))
    return JointTraining(model, Colours(tokenizer), replace(CONFIG, **settings), folder)


def weights(one):
    return {name: value.clone() for name, value in one.model.state_dict().items()}


def test_lessons_and_labels_are_learnt(tokenizer, tmp_path):
    settings = {"batch_size": 4, "learning_rate": 6e-2, "checkpoint_every": 10}
    one = training(tokenizer, tmp_path, steps=20, exam_every=10, exam=4, **settings)
    one.train(lambda *_: None)
    rows = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert rows[-1]["step"] == 20
    assert rows[-1]["loss/response"] < 0.7 * rows[0]["loss/response"]
    assert rows[-1]["loss/labels"] < 0.5 * rows[0]["loss/labels"]
    exams = [row["step"] for row in rows if "exam/One" in row]
    assert exams == [10, 20]
    assert rows[-1]["exam/One"] == rows[-1]["exam/One/Say it"]
    assert one.examine()["exam/One"] == rows[-1]["exam/One"]


def test_a_stopped_training_gives_the_weights_of_an_uninterrupted_one(tokenizer, tmp_path):
    whole = training(tokenizer, tmp_path / "whole")
    whole.train(lambda *_: None)

    class Stopped(Exception):
        pass

    def stop(step, loss):
        if step == 4:
            raise Stopped

    with pytest.raises(Stopped):
        training(tokenizer, tmp_path / "halves").train(stop)
    steps = []
    second = training(tokenizer, tmp_path / "halves")
    second.train(lambda step, loss: steps.append(step))
    assert steps == [4, 5]  # from the checkpoint of step 3
    for name, value in weights(whole).items():
        assert torch.equal(value, weights(second)[name]), name
    rows = (tmp_path / "halves" / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(row)["step"] for row in rows] == [3, 5]


def test_a_longer_training_goes_on_and_other_settings_are_refused(tokenizer, tmp_path):
    training(tokenizer, tmp_path, steps=2).train(lambda *_: None)
    steps = []
    training(tokenizer, tmp_path, steps=4).train(lambda step, loss: steps.append(step))
    assert steps == [3, 4]
    with pytest.raises(ConfigError, match="batch_size"):
        training(tokenizer, tmp_path, batch_size=5).train(lambda *_: None)


def test_a_training_with_little_time_takes_fewer_steps_and_ends_with_an_exam(tokenizer, tmp_path):
    steps = []
    one = training(tokenizer, tmp_path, steps=1000, minutes=1e-9)
    one.train(lambda step, loss: steps.append(step))
    assert steps == [1]
    (row,) = (json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines())
    assert row["step"] == 1
    assert "exam/One" in row


def test_processes_that_draw_ahead_change_nothing(tokenizer, tmp_path):
    alone = training(tokenizer, tmp_path / "alone")
    alone.train(lambda *_: None)
    model = use_fast_tower(tiny.blank_model(tokenizer, SIZES))
    ahead = JointTraining(model, Colours(tokenizer), CONFIG, tmp_path / "ahead", n_workers=2)
    ahead.train(lambda *_: None)
    for name, value in weights(alone).items():
        assert torch.equal(value, weights(ahead)[name]), name


def test_a_batch_keeps_patches_as_bytes(tokenizer):
    teacher = Colours(tokenizer)
    lessons = teacher.lessons(1, 2)
    again = replace(lessons[0])  # shows the same picture
    batch = Batch.of([*lessons, again])
    wanted = np.concatenate([image.patches for t in lessons for image in t.trajectory.images])
    np.testing.assert_allclose(batch.patches(torch.device("cpu")), wanted, atol=1e-6)
    assert [len(image.patches) for image in batch.images] == [0, 0, 0]
    assert batch.images[0] is batch.images[2]
    assert [image.grid for image in batch.images[:2]] == [(1, 4, 4)] * 2
    steps = [each.levels[0, 0, 0].item() for each in batches(teacher, range(3, 6), 1)]
    assert steps == [Batch.of(teacher.lessons(step, 1)).levels[0, 0, 0] for step in (3, 4, 5)]


def test_nothing_weighs_less_than_what_is_there(tokenizer, tmp_path):
    one = training(tokenizer, tmp_path)
    assert one._weights[0].tolist() == pytest.approx([1.0, 1.0, 0.2])
    assert one._weights[1].tolist() == [1.0, 1.0]


@pytest.mark.parametrize("settings", [{"steps": 0}, {"learning_rate": 0.0}, {"cool_share": 2.0}])
def test_settings_out_of_their_range_are_refused(settings):
    with pytest.raises(ConfigError):
        JointConfig(**settings)


def test_tokens_of_both_tokenizers_keep_their_embeddings(tokenizer):
    larger = tiny.train_tokenizer(2 * [*dialect_texts(DIALECT), "Say it.", *NAMES, "entirely"])
    old, new = tiny.blank_model(tokenizer, SIZES), tiny.blank_model(larger, SIZES, seed=1)
    fresh = new.get_input_embeddings().weight.detach().clone()
    kept = carry_over(old, tokenizer, new, larger)
    both = set(tokenizer.get_vocab()) & set(larger.get_vocab())
    assert kept == len(both) < len(larger)
    for text in ("red", "blue", "<|im_end|>"):
        place, source = larger.get_vocab()[text], tokenizer.get_vocab()[text]
        carried = new.get_input_embeddings().weight[place]
        assert torch.equal(carried, old.get_input_embeddings().weight[source])
    place = larger.get_vocab()["entirely"]
    assert torch.equal(new.get_input_embeddings().weight[place], fresh[place])
    mine, theirs = new.model.visual.state_dict(), old.model.visual.state_dict()
    assert all(torch.equal(mine[name], theirs[name]) for name in theirs)


def test_a_model_of_other_sizes_is_refused(tokenizer):
    old = tiny.blank_model(tokenizer, SIZES)
    for sizes in (replace(SIZES, layers=3), replace(SIZES, vision_hidden=64)):
        with pytest.raises(ConfigError, match="same sizes"):
            carry_over(old, tokenizer, tiny.blank_model(tokenizer, sizes), tokenizer)
