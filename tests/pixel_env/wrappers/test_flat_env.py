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

from pixel_env import ConfigError, DataError
from pixel_env.flat.one_array import as_one_array
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
    assert isinstance(bare.action_space, gym.spaces.Discrete)
    assert isinstance(bare.observation_space, gym.spaces.Box)
    assert len(bare.observation_space.shape) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_sb3(bare)
        check_gymnasium(bare, skip_render_check=True)


def test_it_is_the_wrapped_environment_step_by_step():
    sizes = {"view_px": 48, "n_views": 2, "max_turns": 3}
    plain, env = gym.make(SEARCH, **sizes), gym.make(SEARCH, as_dict=True, as_row=True, **sizes)
    twin = gym.make("PixelReason-SyntheticSearch-v0", options=True, max_turns=3)
    wrapped = FlatPixelEnv(twin, view_px=48, n_views=2)
    assert env.observation_space == wrapped.observation_space
    assert env.action_space == wrapped.action_space
    for seed in range(2):
        (array, _), (arrays, _) = plain.reset(seed=seed), env.reset(seed=seed)
        assert data_equivalence(arrays, wrapped.reset(seed=seed)[0], exact=True)
        for number in (50 + seed, 7, seed):
            assert np.array_equal(array, as_one_array(plain.unwrapped.slices, arrays))
            row = plain.unwrapped.rows[number]
            wanted, *ends, facts = wrapped.step(row)
            arrays, *same, info = env.step(row)
            assert data_equivalence(arrays, wanted, exact=True)
            array, *plain_ends, plain_info = plain.step(number)
            assert ends == same == plain_ends
            assert info == plain_info
            named = facts.keys() - {"grade", "frames", "views_added"}
            assert {name: info[name] for name in named} == {name: facts[name] for name in named}
        assert ends[1]


@pytest.mark.parametrize("action", [-1, 236, 2.5, "A", None, [1, 0, 0, 0, 0]])
def test_what_is_no_action_is_refused_and_costs_its_turn(action):
    env = gym.make(SEARCH, disable_env_checker=True).unwrapped
    env.reset(seed=0)
    *_, terminated, _, info = env.step(action)
    assert info["operation_error"] in ("malformed", "unknown_operation")
    assert "0 to 235" in info["feedback"]
    assert not terminated


def test_lanes_of_a_flat_id_share_one_task_and_reset_themselves():
    envs = gym.make_vec(SEARCH, 3, n_views=1, max_turns=2)
    assert isinstance(envs, PixelReasoningVectorEnv)
    assert len({id(env.unwrapped.inner.task) for env in envs.envs}) == 1
    assert envs.single_action_space == gym.make(SEARCH, n_views=1).action_space
    observations, _ = envs.reset(seed=1)
    assert observations.shape == (3, *envs.single_observation_space.shape)
    zoom, counters = np.array([4] * 3), envs.envs[0].unwrapped.slices["counters"]
    envs.step(zoom)
    *_, terminated, truncated, _ = envs.step(zoom)
    assert (terminated.all(), truncated.any()) == (True, False), "out of turns is an end"
    assert envs.step(zoom)[0][:, counters][:, 0].tolist() == [0.0] * 3
    envs.close()
    lanes = PixelReasoningVectorEnv.from_id(SEARCH, 2, wrappers=[CuriosityReward], n_views=1)
    lanes.reset(seed=0)
    *_, infos = lanes.step(np.array([1, 1]))
    assert infos["reward_terms"]["curiosity"].tolist() == [0.0, 0.0]
    lanes.close()


@pytest.mark.parametrize("by", [copy, pickle, cloudpickle], ids=lambda module: module.__name__)
def test_a_copy_goes_on_identically(by):
    def copied(env):
        return copy.deepcopy(env) if by is copy else by.loads(by.dumps(env))

    env = gym.make(SEARCH)
    env.reset(seed=2)
    zoom, end = 16, 1
    env.step(zoom)
    twin = copied(env)
    for action in (zoom, end):
        assert data_equivalence(env.step(action), twin.step(action), exact=True)
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
    # Two answers; 58 boxes in 16 frames and in three newer views; 16 frames to select.
    assert clips.action_space.n == 2 + 58 * (16 + 3) + 16
    rows = gym.make(free, vocabulary=["very", "hardly"], as_row=True)
    assert rows.action_space.nvec.tolist() == [3, 58, 4, 16, 2]


def shapes(info):
    """Types of an info's values, and lengths where they have one that must not change."""
    return {
        name: shapes(value)
        if isinstance(value, dict)
        else (type(value), len(value) if isinstance(value, tuple) else None)
        for name, value in info.items()
    }


@pytest.mark.parametrize("name", ["SyntheticSearch", "SmallClip", "SyntheticCounting"])
def test_infos_of_all_steps_can_be_stacked(name):
    env = gym.make(flat_id(name), as_row=True)
    _, first = env.reset(seed=0)
    assert (first["operation"], first["answer"], first["grade"]["score"]) == ("", "", 0.0)
    assert first["executed_box"] == (0.0, 0.0, 0.0, 0.0)
    last = env.unwrapped.config.n_answers - 1
    for row in ([1, 0, 0, 0, 0], [9, 0, 0, 0, 0], [2, 0, 0, 1, 0], [0, 0, 0, 0, last]):
        *_, info = env.step(np.array(row))
        assert shapes(info) == shapes(first)
    assert info["answer"] == "ABCDEFGHIJ"[last]
    assert info["grade"]["parsed"] != ""
    vector = gym.make_vec(flat_id(name), 2)
    _, infos = vector.reset(seed=0)
    assert {each for each in infos if not each.startswith("_")} == first.keys()


def test_the_info_of_a_flat_step_names_frames_and_views():
    env = gym.make(flat_id("SmallClip"), as_row=True)
    env.reset(seed=0)
    *_, info = env.step(np.array([2, 0, 0, 4, 0]))
    assert info["frames"] == (5, *[0] * 15)
    assert info["views_added"] == (17, *[0] * (env.unwrapped.config.max_views - 1))


class BrokenRow(PictureTask):
    def __getitem__(self, index):
        if index == 1:
            raise DataError("rows.jsonl, row 1: broken")
        return super().__getitem__(index)


def test_a_fault_of_the_data_truncates_and_is_in_the_info(register):
    env = gym.make(flat_id(register("Broken", BrokenRow)))
    assert env.reset(options={"index": 0})[1]["env_error"] == ""
    assert env.reset(options={"index": 1})[1]["env_error"] == "rows.jsonl, row 1: broken"
    *_, terminated, truncated, info = env.step(0)
    assert (terminated, truncated) == (False, True)
    assert info["env_error"] == "rows.jsonl, row 1: broken"


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
