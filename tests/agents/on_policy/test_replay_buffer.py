"""Which rollouts are kept, and how they are drawn again."""

import numpy as np
import pytest

from pixel_env import ConfigError
from pixel_env.agents.on_policy.replay_buffer import Experience, ReplayBuffer
from pixel_env.agents.tokens.files import load_trajectories, save_trajectories
from pixel_env.agents.tokens.trajectory import ENV_ERROR, TokenTrajectory


def rollout(number: int, n_trainable: int = 2, mask_reason: str = "") -> TokenTrajectory:
    return TokenTrajectory(
        ids=np.array([number, 1, 2]),
        trainable=np.arange(3) >= 3 - n_trainable,
        logprobs=np.array([0, -0.1, -0.2], np.float32),
        mask_reason=mask_reason,
    )


def experiences(advantages) -> list[Experience]:
    return [Experience(rollout(number), value) for number, value in enumerate(advantages)]


def numbers(drawn) -> list[int]:
    return [int(each.trajectory.ids[0]) for each in drawn]


def test_only_what_teaches_is_kept():
    buffer = ReplayBuffer(10)
    buffer.add(
        [
            Experience(rollout(0), 0.5),
            Experience(rollout(1), 0.0),
            Experience(rollout(2, mask_reason=ENV_ERROR), 0.5),
            Experience(rollout(3, n_trainable=0), 0.5),
            Experience(rollout(4), -0.5),
        ]
    )
    assert sorted(numbers(buffer.draw(10, 0))) == [0, 4]


def test_the_oldest_make_room():
    buffer = ReplayBuffer(3)
    buffer.add(experiences([1.0] * 5))
    assert len(buffer) == 3
    assert sorted(numbers(buffer.draw(3, 0))) == [2, 3, 4]


def test_a_buffer_of_no_capacity_gives_nothing():
    buffer = ReplayBuffer(0)
    buffer.add(experiences([1.0]))
    assert buffer.draw(4, 0) == []


@pytest.mark.parametrize(("power", "shares"), [(1.0, [0.1, 0.3, 0.6]), (0.0, [1 / 3] * 3),
                                               (2.0, [1 / 46, 9 / 46, 36 / 46])])  # fmt: skip
def test_draws_are_in_proportion_to_the_power_of_the_size_of_the_advantage(power, shares):
    buffer = ReplayBuffer(10, power)
    buffer.add(experiences([0.1, -0.3, 0.6]))
    drawn = [numbers(buffer.draw(1, iteration))[0] for iteration in range(3000)]
    np.testing.assert_allclose(np.bincount(drawn, minlength=3) / 3000, shares, atol=0.03)


def test_nothing_is_drawn_twice_at_once():
    buffer = ReplayBuffer(8)
    buffer.add(experiences(np.linspace(0.1, 1, 8)))
    assert sorted(numbers(buffer.draw(20, 3))) == list(range(8))


def test_draws_depend_on_seed_and_iteration_alone():
    buffer, other = ReplayBuffer(50, seed=1), ReplayBuffer(50, seed=2)
    for each in (buffer, other):
        each.add(experiences(np.linspace(0.1, 1, 50)))
    first = numbers(buffer.draw(10, 5))
    assert numbers(buffer.draw(10, 5)) == first
    assert numbers(buffer.draw(10, 6)) != first
    assert numbers(other.draw(10, 5)) != first


def test_a_buffer_goes_on_from_a_checkpoint(tmp_path):
    buffer = ReplayBuffer(4, seed=3)
    buffer.add(experiences([0.5, -0.25, 0.1, 0.7, 0.9]))
    save_trajectories(tmp_path / "kept.safetensors", buffer.trajectories())
    restored = ReplayBuffer(4, seed=3)
    restored.restore(load_trajectories(tmp_path / "kept.safetensors"), buffer.state())
    assert restored.state() == {"advantages": [-0.25, 0.1, 0.7, 0.9]}
    assert numbers(restored.draw(3, 9)) == numbers(buffer.draw(3, 9))


@pytest.mark.parametrize("numbers_given", [(-1, 1.0), (1, -1.0), (1, float("nan"))])
def test_negative_numbers_are_refused(numbers_given):
    with pytest.raises(ConfigError, match="at least 0"):
        ReplayBuffer(*numbers_given)


def test_a_state_of_another_buffer_is_refused():
    with pytest.raises(ConfigError, match="advantage for each of 1"):
        ReplayBuffer(4).restore([rollout(0)], {"advantages": []})
