"""Rewards of a group of rollouts as a pure function, against the paper's formula by hand."""

import numpy as np
import pytest

from pixel_env import ConfigError
from pixel_env.curiosity import CuriosityConfig, group_rewards


def test_the_papers_formula_by_hand():
    paid = group_rewards(scores=[1, 0, 1, 0, 0, 0, 0, 0], n_calls=[0, 3, 1, 0, 0, 0, 0, 0])
    # RaPR 2/8; bonus 0.5 * (0.3 - 0.25) = 0.025; three calls cost 0.05 * (1 - 3) = -0.1.
    assert paid.rapr.tolist() == [0.25] * 8
    assert paid.bonus == pytest.approx([0, 0.025, 0.025, 0, 0, 0, 0, 0])
    assert paid.penalty == pytest.approx([0, -0.1, 0, 0, 0, 0, 0, 0])
    assert paid.rewards == pytest.approx([1, -0.075, 1.025, 0, 0, 0, 0, 0])


def test_groups_in_rows_are_paid_each_by_itself():
    scores, n_calls = np.array([[1, 0, 0, 0], [0, 0, 0, 1]]), np.array([[1, 0, 0, 0], [1, 2, 3, 0]])
    paid = group_rewards(scores, n_calls)
    assert paid.rapr.tolist() == [[0.25] * 4, [0.75] * 4]
    for row in range(2):
        alone = group_rewards(scores[row], n_calls[row])
        assert paid.rewards[row].tolist() == alone.rewards.tolist()


def test_a_faulty_rollout_is_left_out_and_not_paid_zero():
    paid = group_rewards([0, 1, 1, 0], n_calls=[5, 1, 0, 0], faulty=[True, False, False, False])
    assert np.isnan(paid.rewards).tolist() == [True, False, False, False]
    assert paid.rapr.tolist() == pytest.approx([1 / 3] * 4)  # one of three, not two of four
    assert paid.bonus.tolist() == [0.0] * 4  # 1/3 is over the threshold of 0.3
    assert paid.penalty[0] == 0


def test_a_group_of_faults_alone_has_no_reward():
    paid = group_rewards([0, 0], n_calls=[1, 0], faulty=True)
    assert np.isnan(paid.rewards).all()
    assert paid.rapr.tolist() == [0, 0]


def test_who_counts_as_a_user_can_be_handed_in():
    calls = [1, 1, 1, 0, 0, 0, 0, 0]  # one call was executed, two were refused
    paid = group_rewards(np.zeros(8), calls, used=[True] + [False] * 7)
    assert paid.rapr[0] == 1 / 8
    assert paid.rewards == pytest.approx([0.5 * (0.3 - 1 / 8)] + [0] * 7)


def test_the_medium_decides_in_the_released_preset():
    config = CuriosityConfig.of("released")
    picture = group_rewards(np.zeros(8), [1] + [0] * 7, config=config)
    clip = group_rewards(np.zeros(8), [1] + [0] * 7, video=True, config=config)
    # 0.25 * (0.3 - 1/8) / (divisor * 1/8)
    assert picture.bonus[0] == pytest.approx(0.175)
    assert clip.bonus[0] == pytest.approx(0.175 * 2 / 1.5)


def test_a_threshold_for_each_rollout():
    paid = group_rewards(np.zeros(4), [1, 0, 0, 0], threshold=[0.5, 0, 0, 0])
    assert paid.bonus.tolist() == [0.5 * 0.25, 0, 0, 0]


@pytest.mark.parametrize("name", ["n_calls", "used", "faulty", "video", "threshold"])
def test_arrays_of_another_length_are_refused_by_name(name):
    arguments = {"n_calls": [0, 0], name: [0, 0, 0]}
    with pytest.raises(ConfigError, match=f"expected {name} of shape"):
        group_rewards([0, 1], **arguments)


def test_a_number_is_no_group():
    with pytest.raises(ConfigError, match="the number 1"):
        group_rewards(1, n_calls=0)
