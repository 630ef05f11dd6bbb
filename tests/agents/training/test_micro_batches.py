"""Micro-batches hold every trajectory once, within the budget, in an order that repeats."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixel_env.agents.tokens.trajectory import Piece, TrajectoryBuilder
from pixel_env.agents.training.micro_batches import micro_batches
from pixel_env.errors import ConfigError

lengths = st.lists(st.integers(2, 50), max_size=30)


def rollout(length, number=0, sample_id="", opening=1):
    """A rollout of `length` tokens; the first `opening` are those of its sample."""
    record = TrajectoryBuilder()
    record.add_prompt(Piece(np.full(opening, sum(sample_id.encode()), np.int64)))
    record.add_response(np.full(length - opening, 1000 + number))
    return record.build(sample_id=sample_id)


def rollouts(lengths, keys=None, opening=1):
    keys = keys or [f"own {number}" for number in range(len(lengths))]
    return [
        rollout(length, number, key, min(opening, length - 1))
        for number, (length, key) in enumerate(zip(lengths, keys, strict=True))
    ]


def row_length(batch):
    """Tokens of the packed row, counted by prefixes as text."""
    return len({(t.ids[: n + 1].tobytes()) for t in batch for n in range(len(t))})


@given(lengths, st.integers(1, 200), st.integers(1, 5))
def test_packed_parts_hold_each_trajectory_once_and_keep_to_the_budget(lengths, budget, n_keys):
    keys = [f"sample {index % n_keys}" for index in range(len(lengths))]
    batch = rollouts(lengths, keys, opening=20)
    parts = micro_batches(batch, budget)
    assert sorted(index for part in parts for index in part) == list(range(len(lengths)))
    for part in parts:
        assert row_length([batch[index] for index in part]) <= budget or len(part) == 1
    order = [keys[index] for part in parts for index in part]
    changes = sum(one != other for one, other in itertools.pairwise(order))
    assert changes == max(len(set(keys)) - 1, 0)


@given(lengths, st.integers(1, 200))
def test_padded_parts_hold_each_trajectory_once_and_keep_to_the_budget(lengths, budget):
    parts = micro_batches(rollouts(lengths), budget, packs=False)
    assert sorted(index for part in parts for index in part) == list(range(len(lengths)))
    for part in parts:
        padded = max(lengths[index] for index in part) * len(part)
        assert padded <= budget or len(part) == 1


def test_an_opening_that_is_shared_counts_once():
    group = rollouts([110, 110, 110], ["a", "a", "a"], opening=100)
    assert micro_batches(group, 130) == [[0, 1, 2]]  # 100 + 3 * 10
    assert micro_batches(group, 129) == [[0, 1], [2]]
    assert micro_batches(group, 329, packs=False) == [[0, 1], [2]]


def test_a_budget_that_holds_all_gives_one_part():
    assert micro_batches(rollouts([4, 2, 3]), 12, packs=False) == [[0, 2, 1]]
    assert micro_batches(rollouts([4, 2, 3]), 9) == [[0, 2, 1]]


def test_one_token_less_splits_off_the_shortest():
    assert micro_batches(rollouts([4, 2, 3]), 11, packs=False) == [[0, 2], [1]]
    assert micro_batches(rollouts([4, 2, 3]), 8) == [[0, 2], [1]]


def test_equal_lengths_keep_their_order():
    assert micro_batches(rollouts([4, 4, 4, 4]), 8) == [[0, 1], [2, 3]]


def test_no_trajectories_give_no_parts():
    assert micro_batches([], 8) == []


def test_a_budget_of_nothing_is_refused():
    with pytest.raises(ConfigError, match="at least 1, got 0"):
        micro_batches(rollouts([2]), 0)
