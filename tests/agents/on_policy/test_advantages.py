"""Advantages against values worked out by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pixel_env import ConfigError
from pixel_env.agents.on_policy.advantages import KINDS, group_advantages


def test_mean_subtracts_the_mean_of_the_group_and_nothing_else():
    got = group_advantages([[1, 0, 0, 1], [2, 0, 0, 0]])
    np.testing.assert_allclose(got, [[0.5, -0.5, -0.5, 0.5], [1.5, -0.5, -0.5, -0.5]])


def test_mean_std_divides_by_the_sample_deviation():
    # mean 0.5; squares sum to 1; 1 / 3 = 0.3333; root 0.57735
    got = group_advantages([[1, 0, 0, 1]], kind="mean_std")
    np.testing.assert_allclose(
        got, [[0.5 / 0.57745, -0.5 / 0.57745, -0.5 / 0.57745, 0.5 / 0.57745]], rtol=1e-4
    )


def test_leave_one_out_takes_the_mean_of_the_others():
    # 3 - (1 + 0 + 0) / 3, 1 - (3 + 0 + 0) / 3, 0 - (3 + 1 + 0) / 3 twice
    got = group_advantages([[3, 1, 0, 0]], kind="leave_one_out")
    np.testing.assert_allclose(got, [[8 / 3, 0, -4 / 3, -4 / 3]])


def test_a_curious_rollout_differs_from_its_group_by_its_bonus():
    got = group_advantages([[0.0875] + [0.0] * 7])
    np.testing.assert_allclose(got[0, 0], 0.0875 * 7 / 8)
    np.testing.assert_allclose(got[0, 1:], -0.0875 / 8)


@pytest.mark.parametrize("kind", KINDS)
def test_masked_rollouts_are_left_out_of_the_statistics_and_get_nothing(kind):
    counted = [[True, True, True, False, False]]
    got = group_advantages([[1, 0, 0, 7, np.nan]], counted, kind)
    np.testing.assert_allclose(got[:, :3], group_advantages([[1, 0, 0]], kind=kind))
    assert got[0, 3:].tolist() == [0, 0]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n_counted", [0, 1])
def test_a_group_with_fewer_than_two_counted_rollouts_teaches_nothing(kind, n_counted):
    counted = [[i < n_counted for i in range(4)]]
    assert group_advantages([[1, 2, 3, 4]], counted, kind).tolist() == [[0, 0, 0, 0]]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("reward", [0.1, 1 / 3, 1.0375, -0.7])
def test_equal_rewards_give_exactly_zero(kind, reward):
    assert np.all(group_advantages([[reward] * 7], kind=kind) == 0)


@pytest.mark.parametrize("kind", KINDS)
@given(rewards=arrays(float, (3, 8), elements=st.floats(-2, 2).map(lambda x: round(x, 3))))
def test_advantages_of_a_group_sum_to_zero_and_keep_the_order_of_rewards(kind, rewards):
    got = group_advantages(rewards, kind=kind)
    np.testing.assert_allclose(got.sum(axis=1), 0, atol=1e-9)
    for given_row, row in zip(rewards, got, strict=True):
        assert np.all(np.diff(row[np.argsort(given_row)]) >= -1e-12)


def test_trl_grpo_formula():
    rewards = np.array([[0.2, 1.0, 0.0, 1.0525], [1.0, 1.0, 0.0, 0.5]])
    mean = rewards.mean(1, keepdims=True)
    deviation = np.sqrt(((rewards - mean) ** 2).sum(1, keepdims=True) / 3)  # torch.std
    np.testing.assert_allclose(
        group_advantages(rewards, kind="mean_std"), (rewards - mean) / (deviation + 1e-4)
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([[1, 2]], None, "median"), "expected kind to be one of"),
        (([1, 2],), r"shape \(n_groups, group_size\)"),
        (([[1, 2]], [[True]]), "shape"),
        (([[1, np.nan]],), "finite"),
    ],
)
def test_wrong_arguments_are_refused(arguments, message):
    with pytest.raises(ConfigError, match=message):
        group_advantages(*arguments)
