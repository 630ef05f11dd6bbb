"""Micro-batches hold every trajectory once, within the budget, in an order that repeats."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixel_env.agents.training.micro_batches import micro_batches
from pixel_env.errors import ConfigError

lengths = st.lists(st.integers(1, 50), max_size=30)


@given(lengths, st.integers(1, 200))
def test_parts_hold_each_trajectory_once_and_keep_to_the_budget(lengths, budget):
    parts = micro_batches(lengths, budget)
    assert sorted(index for part in parts for index in part) == list(range(len(lengths)))
    for part in parts:
        padded = max(lengths[index] for index in part) * len(part)
        assert padded <= budget or len(part) == 1


@given(lengths, st.integers(1, 200), st.integers(1, 5))
def test_parts_with_keys_hold_each_trajectory_once_and_keep_to_the_budget(lengths, budget, n_keys):
    keys = [index % n_keys for index in range(len(lengths))]
    parts = micro_batches(lengths, budget, keys)
    assert sorted(index for part in parts for index in part) == list(range(len(lengths)))
    for part in parts:
        padded = max(lengths[index] for index in part) * len(part)
        assert padded <= budget or len(part) == 1
    order = [keys[index] for part in parts for index in part]
    changes = sum(one != other for one, other in itertools.pairwise(order))
    assert changes == max(len(set(keys)) - 1, 0)


def test_a_budget_that_holds_all_gives_one_part():
    assert micro_batches([3, 1, 2], 9) == [[0, 2, 1]]


def test_one_token_less_splits_off_the_shortest():
    assert micro_batches([3, 1, 2], 8) == [[0, 2], [1]]


def test_equal_lengths_keep_their_order():
    assert micro_batches([4, 4, 4, 4], 8) == [[0, 1], [2, 3]]


def test_no_trajectories_give_no_parts():
    assert micro_batches([], 8) == []


def test_a_budget_of_nothing_and_missing_keys_are_refused():
    with pytest.raises(ConfigError, match="at least 1, got 0"):
        micro_batches([1], 0)
    with pytest.raises(ConfigError, match="expected 2 keys in together, got 1"):
        micro_batches([1, 2], 5, together=["a"])
