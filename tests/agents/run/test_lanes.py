"""The lanes of a run: as many as its share, what pays them, and lanes that are left over wait."""

import dataclasses

import pytest
from bandit import parts

from pixel_env import ConfigError
from pixel_env.agents.on_policy.belief import PolicyBelief
from pixel_env.agents.on_policy.curiosity_options import CuriosityOptions
from pixel_env.agents.run.config import tiny_defaults
from pixel_env.agents.run.lanes import training_lanes
from pixel_env.vector import PixelReasoningVectorEnv
from pixel_env.wrappers import AdaptiveCuriosity, BeliefGain, GroupCuriosity


def config(**changes):
    made = tiny_defaults()
    rl = dataclasses.replace(made.on_policy, groups_per_iteration=5, group_size=2)
    return dataclasses.replace(made, on_policy=rl, **changes)


@pytest.mark.parametrize(
    ("lanes", "n_processes", "expected"), [(0, 1, 10), (0, 2, 6), (4, 2, 4), (100, 1, 10)]
)
def test_a_process_has_lanes_for_its_share_at_most(lanes, n_processes, expected):
    made = training_lanes(config(lanes=lanes), n_processes)
    assert made.env.num_envs == expected
    assert made.n_samples == 1_000_000


def test_the_bonus_is_that_of_the_options():
    paid = training_lanes(config(curiosity=CuriosityOptions(threshold=0.7)))
    assert type(paid.curiosity) is GroupCuriosity
    assert paid.env is paid.curiosity
    assert paid.curiosity.config.threshold == 0.7
    assert paid.listener is None
    unpaid = training_lanes(config(curiosity=CuriosityOptions(enabled=False)))
    assert type(unpaid.env) is PixelReasoningVectorEnv
    assert unpaid.curiosity is None


def test_a_history_for_the_bonus_needs_one_process():
    options = CuriosityOptions(threshold_from="sample history")
    assert type(training_lanes(config(curiosity=options)).curiosity) is AdaptiveCuriosity
    with pytest.raises(ConfigError, match="one process where thresholds come from sample history"):
        training_lanes(config(curiosity=options), 2)


def test_a_belief_that_rose_is_asked_of_the_policy():
    options = CuriosityOptions(counts="belief", least_gain=0.2)
    belief = PolicyBelief(*parts())
    lanes = training_lanes(config(curiosity=options), belief=belief)
    assert type(lanes.curiosity) is GroupCuriosity
    assert type(lanes.env.env) is BeliefGain
    assert lanes.env.env.belief is belief
    assert lanes.listener == belief.follow
    with pytest.raises(ConfigError, match="the policy's belief"):
        training_lanes(config(curiosity=options))
    with pytest.raises(ConfigError, match="least_gain"):
        training_lanes(config(curiosity=dataclasses.replace(options, least_gain=0.0)), 1, belief)
