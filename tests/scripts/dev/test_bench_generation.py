"""The benchmark of sampling gives every way the same conversations, and a row to each."""

import numpy as np
import pytest
import torch

from pixel_env.agents.bench.random_model import random_model
from pixel_env.agents.model.scoring import score
from pixel_env.agents.model.settings import ModelSettings
from pixel_env.scripts.dev import bench_generation
from pixel_env.scripts.dev.bench_generation import SHAPE, Case, floor_s, group, speakers

SMALL = Case(rollouts=2, turns=2, sampled=3, picture=4, crop=1)


@pytest.fixture(scope="module")
def loaded():
    torch.set_num_threads(1)
    return random_model(SHAPE, ModelSettings())


def test_every_way_reads_the_same_prompts_and_samples_as_much(loaded, tmp_path):
    ways = speakers(("generate", "ours"), loaded, SMALL, tmp_path)
    found = {}
    for name, speaker in ways.items():
        _, rollouts = group(speaker, SMALL.observations(), seed=0)
        found[name] = rollouts
        assert [each.n_trainable for each in rollouts] == [6, 6]
    for plain, own in zip(*found.values(), strict=True):
        np.testing.assert_array_equal(plain.trainable, own.trainable)
        np.testing.assert_array_equal(plain.ids[~plain.trainable], own.ids[~own.trainable])
        assert len(plain.images) == len(own.images) == 2
    assert floor_s(loaded.model.device, found["ours"]) > 0


def test_generate_reads_the_pictures_as_we_do(loaded, tmp_path, monkeypatch):
    """The likeliest next token of plain `generate` is that of our own forward pass."""
    anew = speakers(("generate",), loaded, SMALL, tmp_path)["generate"]
    monkeypatch.setattr(loaded.model.generation_config, "temperature", 1e-6)  # greedy
    _, rollouts = group(anew, SMALL.observations(), seed=0)
    encoder = anew._encoder
    with torch.no_grad():
        scores = score(loaded.model, rollouts, encoder, temperature=0.01)
    assert (scores.logprobs[scores.trainable] > -0.7).all()  # more likely than not


def test_the_table_has_a_row_for_each_way(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    small = ["--rollouts=2", "--turns=1", "--sampled=2", "--picture=4", "--repeats=1"]
    assert bench_generation.main([*small, "--threads=1", "--ways", "generate", "ours"]) == 0
    printed = capsys.readouterr().out
    assert "generate" in printed
    assert "ours" in printed
    assert "1.00" in printed
