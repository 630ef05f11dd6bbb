"""The lanes of a run: as many as its share, what pays them, and lanes that are left over wait."""

import dataclasses

import pytest

from pixel_env import ConfigError
from pixel_env.agents.on_policy.curiosity_options import CuriosityOptions
from pixel_env.agents.run.config import tiny_defaults
from pixel_env.agents.run.lanes import training_lanes
from pixel_env.wrappers import AdaptiveCuriosity, BeliefGain, GroupCuriosity


def config(**changes):
    made = tiny_defaults()
    rl = dataclasses.replace(made.on_policy, groups_per_iteration=5, group_size=2)
    return dataclasses.replace(made, on_policy=rl, **changes)


@pytest.mark.parametrize(
    ("lanes", "n_processes", "expected"), [(0, 1, 10), (0, 2, 6), (4, 2, 4), (100, 1, 10)]
)
def test_a_process_has_lanes_for_its_share_at_most(lanes, n_processes, expected):
    env, n_samples = training_lanes(config(lanes=lanes), n_processes)
    assert env.num_envs == expected
    assert n_samples == 1_000_000


def test_the_bonus_is_that_of_the_options():
    env, _ = training_lanes(config(curiosity=CuriosityOptions(threshold=0.7)))
    assert type(env) is GroupCuriosity
    assert env.config.threshold == 0.7
    env, _ = training_lanes(config(curiosity=CuriosityOptions(enabled=False)))
    assert not hasattr(env, "group_size")


def test_a_history_for_the_bonus_needs_one_process():
    options = CuriosityOptions(threshold_from="sample history")
    env, _ = training_lanes(config(curiosity=options))
    assert type(env) is AdaptiveCuriosity
    with pytest.raises(ConfigError, match="one process where thresholds come from sample history"):
        training_lanes(config(curiosity=options), 2)


def test_a_belief_that_rose_is_asked_of_the_policy():
    options = CuriosityOptions(counts="belief", least_gain=0.2)

    def belief(moments):
        return [0.0 for _ in moments]

    env, _ = training_lanes(config(curiosity=options), belief=belief)
    assert type(env) is GroupCuriosity
    assert type(env.env) is BeliefGain
    assert env.env.belief is belief
    with pytest.raises(ConfigError, match="the policy's belief"):
        training_lanes(config(curiosity=options))
    with pytest.raises(ConfigError, match="least_gain"):
        training_lanes(config(curiosity=dataclasses.replace(options, least_gain=0.0)), 1, belief)
