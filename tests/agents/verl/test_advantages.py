"""Advantages by name of the group, against hand-computed ones."""

import numpy as np
import pytest

from pixel_env.agents.verl.advantages import advantages_by_uid
from pixel_env.errors import ConfigError


def test_groups_of_any_order_and_size():
    rewards = [1.0, 0.0, 0.5, 3.0, 0.0, 0.1]
    uids = ["a", "b", "a", "c", "b", "a"]
    values = advantages_by_uid(rewards, uids, [True] * 6)
    mean = 1.6 / 3
    assert values == pytest.approx([1 - mean, 0, 0.5 - mean, 0, 0, 0.1 - mean])


def test_what_does_not_count_is_in_no_mean_and_gets_nothing():
    values = advantages_by_uid([1.0, 0.0, np.nan], ["a"] * 3, [True, True, False])
    assert values.tolist() == [0.5, -0.5, 0.0]
    with pytest.raises(ConfigError, match="finite"):
        advantages_by_uid([1.0, np.nan], ["a"] * 2, [True, True])


def test_divided_by_the_standard_deviation():
    values = advantages_by_uid([1.0, 0.0], ["a", "a"], [True, True], "mean_std")
    assert values == pytest.approx([0.5 / (np.sqrt(0.5) + 1e-4), -0.5 / (np.sqrt(0.5) + 1e-4)])


def test_an_empty_batch():
    assert advantages_by_uid([], [], []).shape == (0,)
