"""Bounds by hand; rollouts agree with one pass, and what was tampered with doesn't."""

from dataclasses import replace

import numpy as np
import pytest
from tiny_models import observation, picture, tiny_encoder, tiny_model

from pixel_env.agents.bench.agreement import Agreement, Allowed, allowed, compare
from pixel_env.agents.generation.engine import Engine, GenerationConfig
from pixel_env.agents.generation.session import Session
from pixel_env.agents.model.shapes import SHAPES, shape_of

THREE = SHAPES["Qwen/Qwen2.5-VL-3B-Instruct"]


def rollouts(model, encoder):
    session = Session(Engine(model, encoder, GenerationConfig(max_new_tokens=6)))
    rng = np.random.default_rng(0)
    shown = picture(rng, "qwen2_5_vl", 2, 3)
    for lane in (0, 1):
        session.begin(lane, lane)
    session.hear([observation("which", [shown])] * 2, [0, 1])
    session.speak([0, 1])
    session.hear([observation("zoom", [picture(rng, "qwen2_5_vl")]) for _ in (0, 1)], [0, 1])
    session.speak([0, 1])
    return [session.end(lane).build() for lane in (0, 1)]


def test_the_bounds_in_bfloat16_by_hand():
    # u = 2**-8, s = 0.02 * sqrt(2048) = 0.90510, sigma = s * u * sqrt(2 * 4 * (36 + 32) / 3)
    # = 0.90510 * 0.00390625 * 13.46601 = 0.047610
    # 2 * sqrt(2 / pi) * sigma = 1.595769 * sigma; 2 * sqrt(2 * ln 2000) * sigma = 7.797898 * sigma
    bounds = allowed(THREE, "bfloat16", 1000)
    assert bounds.mean == pytest.approx(0.075974, rel=1e-4)
    assert bounds.largest == pytest.approx(0.371254, rel=1e-4)


def test_the_bound_in_float32_is_that_of_the_tests():
    assert allowed(THREE, "float32", 1000) == Allowed(1e-4, 1e-4)


def test_recorded_logprobs_agree_and_tampered_ones_do_not():
    model, encoder = tiny_model("qwen2_5_vl"), tiny_encoder("qwen2_5_vl")
    sampled, shape = rollouts(model, encoder), shape_of(model.config)
    found = compare(model, sampled, encoder, shape, "float32")
    assert found.n_tokens == sum(each.n_trainable for each in sampled) > 10
    assert found.holds
    assert found.mean <= found.largest < 1e-4
    assert found.blank > 1e-3, "a pass that sees other pictures gives other numbers"
    shifted = [replace(each, logprobs=each.logprobs + np.float32(0.01)) for each in sampled]
    worse = compare(model, shifted, encoder, shape, "float32")
    assert worse.mean == pytest.approx(0.01, abs=1e-4)
    assert not worse.holds


def test_what_is_no_number_does_not_hold():
    assert not Agreement(3, float("nan"), float("nan"), 1.0, Allowed(1.0, 1.0)).holds
    assert not Agreement(3, 0.5, 2.0, 1.0, Allowed(1.0, 1.0)).holds
    assert Agreement(3, 0.5, 1.0, 1.0, Allowed(1.0, 1.0)).holds
