"""Ids whose own environment has flat spaces: made, stepped, copied and checked by the id alone."""

import copy
import pickle
import warnings

import cloudpickle
import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env as check_gymnasium
from gymnasium.utils.env_checker import data_equivalence
from stable_baselines3.common.env_checker import check_env as check_sb3
from tiny_tasks import ClipTask, PictureTask

from pixel_env import ConfigError
from pixel_env.registration import flat_id, make_bare
from pixel_env.task_sets import FLAT, TASKS
from pixel_env.vector import PixelReasoningVectorEnv
from pixel_env.wrappers import CuriosityReward, FlatPixelEnv

TWINS = ("SmallSearch", "SyntheticSearch", "SyntheticCounting")
SEARCH = flat_id("SyntheticSearch")


def flat_rows(env, n_steps, seed=0):
    env.action_space.seed(seed)
    return [env.action_space.sample() for _ in range(n_steps)]


def test_every_task_set_has_a_flat_id():
    assert {flat_id(name) for name in TASKS} <= set(gym.registry)
    assert set(FLAT) <= set(TASKS)


@pytest.mark.parametrize("name", TWINS)
def test_the_unwrapped_environment_has_flat_spaces_and_passes_both_checkers(name):
    env = gym.make(flat_id(name))
    bare = env.unwrapped
    assert bare.unwrapped is bare
    assert isinstance(bare.action_space, gym.spaces.MultiDiscrete)
    kinds = {type(space) for space in bare.observation_space.values()}
    assert kinds <= {gym.spaces.Box, gym.spaces.MultiDiscrete}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_sb3(bare)
        check_gymnasium(bare, skip_render_check=True)


def test_it_is_the_wrapped_environment_step_by_step():
    env = gym.make(SEARCH, view_px=48, n_views=2, max_turns=3)
    wrapped = FlatPixelEnv(
        gym.make("PixelReason-SyntheticSearch-v0", options=True, max_turns=3), view_px=48, n_views=2
    )
    assert env.observation_space == wrapped.observation_space
    assert env.action_space == wrapped.action_space
    for seed in range(2):
        assert data_equivalence(env.reset(seed=seed), wrapped.reset(seed=seed), exact=True)
        for row in flat_rows(env, 3, seed):
            one, other = env.step(row), wrapped.step(row)
            assert data_equivalence(one, other, exact=True)
            if one[2]:
                break


def test_lanes_of_a_flat_id_share_one_task_and_reset_themselves():
    envs = gym.make_vec(SEARCH, 3, n_views=1, max_turns=2)
    assert isinstance(envs, PixelReasoningVectorEnv)
    assert len({id(env.unwrapped.inner.task) for env in envs.envs}) == 1
    assert envs.single_action_space == gym.make(SEARCH, n_views=1).action_space
    observations, _ = envs.reset(seed=1)
    assert observations["views"].shape == (3, 84, 84, 3)
    zoom = np.array([[1, 0, 0, 0, 0]] * 3)
    envs.step(zoom)
    *_, terminated, truncated, _ = envs.step(zoom)
    assert (terminated.all(), truncated.any()) == (True, False), "out of turns is an end"
    assert envs.step(zoom)[0]["counters"][:, 0].tolist() == [0.0] * 3
    envs.close()
    lanes = PixelReasoningVectorEnv.from_id(SEARCH, 2, wrappers=[CuriosityReward], n_views=1)
    lanes.reset(seed=0)
    *_, infos = lanes.step(np.array([[0, 0, 0, 0, 1]] * 2))
    assert infos["reward_terms"]["curiosity"].tolist() == [0.0, 0.0]
    lanes.close()


@pytest.mark.parametrize("by", [copy, pickle, cloudpickle], ids=lambda module: module.__name__)
def test_a_copy_goes_on_identically(by):
    def copied(env):
        return copy.deepcopy(env) if by is copy else by.loads(by.dumps(env))

    env = gym.make(SEARCH)
    env.reset(seed=2)
    zoom, end = np.array([1, 3, 0, 0, 0]), np.array([0, 0, 0, 0, 1])
    env.step(zoom)
    twin = copied(env)
    for row in (zoom, end):
        assert data_equivalence(env.step(row), twin.step(row), exact=True)
    assert data_equivalence(env.reset(), twin.reset(), exact=True)


def test_a_task_of_a_user_has_one_too(register):
    env_id = flat_id(register("Own", PictureTask, n=3, flat={"view_px": 60}, max_views=7))
    env = gym.make(env_id, n_views=1).unwrapped
    assert env.config.view_px == 60
    assert (env.config.n_choices, env.config.max_views, len(env.inner.task)) == (4, 7, 3)
    free = flat_id(register("Free", ClipTask))
    with pytest.raises(ConfigError, match="vocabulary"):
        gym.make(free)
    clips = gym.make(free, vocabulary=["very", "hardly"])
    assert clips.action_space.nvec.tolist() == [3, 58, 4, 16, 2]


def test_plain_infos_have_the_same_keys_in_every_step():
    env = gym.make(SEARCH, plain_info=True)
    _, first = env.reset(seed=0)
    for row in ([1, 0, 0, 0, 0], [9, 0, 0, 0, 0], [0, 0, 0, 0, 1]):
        *_, info = env.step(np.array(row))
        assert info.keys() - first.keys() == {"reward_terms"}
        assert first.keys() <= info.keys()
    assert gym.make_vec(SEARCH, 2, plain_info=True).reset(seed=0)[1].keys() >= first.keys()


def test_a_limit_of_steps_is_in_its_counters():
    env = gym.make(SEARCH, max_episode_steps=2)
    assert env.unwrapped.config.max_turns == env.unwrapped.inner.config.max_turns == 2


def test_wrong_arguments_and_wrong_places_are_named():
    with pytest.raises(ConfigError, match="Did you mean 'max_turns'"):
        gym.make(SEARCH, max_turn=3)
    with pytest.raises(ConfigError, match="view_px"):
        gym.make(SEARCH, view_px=3)
    with pytest.raises(ConfigError, match="aren't flat, PixelReason-SyntheticSearch-v0"):
        make_bare(SEARCH)
