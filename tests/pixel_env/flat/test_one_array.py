"""One array is what Gymnasium's own flattening gives, with pictures scaled."""

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.spaces import flatten, flatten_space

from pixel_env.flat.one_array import array_space, as_one_array, slices
from pixel_env.flat.spaces import ALPHABET
from pixel_env.registration import flat_id

TWINS = ("SmallSearch", "SyntheticCounting", "SmallClip")


@pytest.mark.parametrize("name", TWINS)
def test_it_is_the_flattened_arrays_with_pictures_divided_by_255(name):
    env = gym.make(flat_id(name), as_dict=True)
    config = env.unwrapped.config
    arrays, _ = env.reset(seed=3)
    for _ in range(2):
        array = as_one_array(slices(config), arrays)
        wanted = flatten(env.observation_space, arrays).astype(np.float32)
        wanted[slices(config)["views"]] /= 255
        np.testing.assert_array_equal(array, wanted)
        assert array in array_space(config)
        assert array_space(config).shape == flatten_space(env.observation_space).shape
        arrays, *_ = env.step(config.n_answers)  # the first zoom


def test_slices_reshape_to_pictures_boxes_and_characters():
    env = gym.make(flat_id("SyntheticSearch"), n_views=2)
    seen = env.reset(seed=0)[0]
    arrays, _ = gym.make(flat_id("SyntheticSearch"), n_views=2, as_dict=True).reset(seed=0)
    places = env.unwrapped.slices
    assert sum(place.stop - place.start for place in places.values()) == len(seen)
    views = seen[places["views"]].reshape(84, 84, 6)
    np.testing.assert_array_equal((views * 255).round(), arrays["views"])
    np.testing.assert_array_equal(seen[places["boxes"]], arrays["boxes"])
    letters = seen[places["question"]].reshape(-1, 54).argmax(1)
    np.testing.assert_array_equal(letters, arrays["question"])
    text = "".join(ALPHABET[each - 2] for each in letters if each > 1)
    assert env.unwrapped.inner.sample.question.lower().startswith(text)
