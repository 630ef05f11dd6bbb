"""The two custom spaces behave as Gymnasium's own do."""

import json
from copy import deepcopy

import numpy as np
import pytest
from gymnasium.vector.utils import batch_space, iterate

from pixel_env import EnvConfig, answer, select_frames, zoom_in
from pixel_env.spaces import RGBImage, UnicodeText, action_space, observation_space

SPACES = [UnicodeText(1), UnicodeText(500), RGBImage(4, 1), RGBImage(20 * 784, 28)]


@pytest.mark.parametrize("space", SPACES, ids=repr)
def test_samples_are_contained_and_seeded(space):
    space.seed(3)
    first = [space.sample() for _ in range(20)]
    space.seed(3)
    second = [space.sample() for _ in range(20)]
    assert all(space.contains(value) for value in first)
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize("space", SPACES, ids=repr)
def test_values_survive_json(space):
    values = [space.sample() for _ in range(5)]
    back = space.from_jsonable(json.loads(json.dumps(space.to_jsonable(values))))
    assert all(np.array_equal(a, b) for a, b in zip(values, back, strict=True))


def test_equality_compares_the_limits():
    assert UnicodeText(5) == UnicodeText(5)
    assert UnicodeText(5) != UnicodeText(6)
    assert RGBImage(100, 2) == deepcopy(RGBImage(100, 2))
    assert RGBImage(100, 2) != RGBImage(100, 1)
    assert RGBImage(100, 2) != RGBImage(104, 2)
    assert UnicodeText(5) != RGBImage(5)


@pytest.mark.parametrize("text", ["", "a b.", "猫", "\n\0", "\U0001f600", "\ud800", "x" * 500])
def test_any_text_of_the_length_is_contained(text):
    assert UnicodeText(500).contains(text)


@pytest.mark.parametrize("value", ["x" * 501, b"x", 5, None])
def test_other_values_are_no_text(value):
    assert not UnicodeText(500).contains(value)


@pytest.mark.parametrize(
    ("shape", "dtype"),
    [((28, 28), np.uint8), ((28, 28, 4), np.uint8), ((28, 28, 3), np.int64),
     ((28, 30, 3), np.uint8),     ((0, 28, 3), np.uint8), ((28, 28 * 21, 3), np.uint8)],
)  # fmt: skip
def test_other_arrays_are_no_picture(shape, dtype):
    space = RGBImage(20 * 784, 28)
    assert space.contains(np.zeros((28, 560, 3), np.uint8))
    assert not space.contains(np.zeros(shape, dtype))


def test_built_actions_lie_in_the_action_space():
    space = action_space(EnvConfig())
    for action in (zoom_in([0, 0, 1, 1]), select_frames([1, 16]), answer("Où?")):
        assert action in space


def test_gymnasium_batches_the_spaces():
    for single in (action_space(EnvConfig()), observation_space(EnvConfig())):
        batched = batch_space(single, 3)
        batched.seed(0)
        sample = batched.sample()
        assert sample in batched
    lanes = list(iterate(batch_space(action_space(EnvConfig()), 3), batch_space(
        action_space(EnvConfig()), 3).sample()))  # fmt: skip
    assert len(lanes) == 3
    assert all(isinstance(lane["text"], str) for lane in lanes)
