"""Lanes reset themselves as those of `SyncVectorEnv` do, and Gymnasium's wrappers count right."""

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import data_equivalence
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from gymnasium.wrappers import vector as wrappers
from tiny_tasks import PictureTask

from pixel_env import ConfigError, PixelReasoningEnv, answer, zoom_in
from pixel_env.agents.generation.collection import collect
from pixel_env.registration import flat_id
from pixel_env.vector import PixelReasoningVectorEnv
from pixel_env.wrappers import BeliefGain, GroupCuriosity

SEARCH = "PixelReason-SyntheticSearch-v0"
SMALL = {"overview_px": (784, 784), "crop_px": (784, 784), "max_turns": 4}
MAKERS = [lambda: PixelReasoningEnv(PictureTask(width=112, height=84), **SMALL)] * 3
MODES = list(AutoresetMode)
LENGTHS = ((1, 3, 2, 4, 1, 2), (4, 1, 1, 2, 3, 2), (2, 4, 5, 1, 1, 3))
"""Turns of each lane's episodes; 5 would be one too many, so that episode is truncated."""


def scripts():
    """For each lane its actions, in order: zooms, and an answer in an episode's last turn."""
    zoom = zoom_in([0.1, 0.1, 0.6, 0.6])
    ends = [answer(letter) for letter in "ABCD"]
    lanes = []
    for lane, lengths in enumerate(LENGTHS):
        own = []
        for number, length in enumerate(lengths):
            own += [zoom] * min(length - 1, 4)
            own += [ends[(lane + number) % 4]] if length <= 4 else []
        lanes.append(iter(own))
    return lanes


def batched(space, actions):
    empty = gym.vector.utils.create_empty_array(space, len(actions))
    return gym.vector.utils.concatenate(space, actions, empty)


def rollout(envs, mode, n_steps):
    """Steps lanes by their scripts; in the mode without autoreset, ended ones are reset by mask."""
    lanes = scripts()
    filler = answer("")
    yield envs.reset(seed=4)
    pending = np.zeros(3, bool)  # whose action the next step ignores
    for _ in range(n_steps):
        actions = [filler if pending[i] else next(own, filler) for i, own in enumerate(lanes)]
        step = envs.step(batched(envs.single_action_space, actions))
        yield step
        ended = step[2] | step[3]
        pending = ended & (mode is AutoresetMode.NEXT_STEP)
        if ended.any() and mode is AutoresetMode.DISABLED:
            yield envs.reset(options={"reset_mask": ended})


def without(values, name):
    """The rollout without an entry of its infos."""
    hidden = {name, f"_{name}"}
    return [(*rest, {k: v for k, v in infos.items() if k not in hidden}) for *rest, infos in values]


def both(mode):
    yield PixelReasoningVectorEnv(MAKERS, autoreset_mode=mode)
    yield SyncVectorEnv(MAKERS, autoreset_mode=mode)


@pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode.name)
def test_lanes_give_what_sync_vector_env_gives(mode):
    ours, theirs = (list(rollout(envs, mode, 12)) for envs in both(mode))
    if mode is AutoresetMode.DISABLED:
        assert not any(infos["waiting"].any() for *_, infos in ours)
        ours = without(ours, "waiting")
    assert data_equivalence(ours, theirs, exact=True)
    n_ends = sum((step[2] | step[3]).sum() for step in ours if len(step) == 5)
    assert n_ends > 8
    assert any(step[3].any() for step in ours if len(step) == 5), "one episode runs out of turns"
    threaded = PixelReasoningVectorEnv(MAKERS, autoreset_mode=mode, n_threads=2)
    again = without(rollout(threaded, mode, 12), "waiting")
    assert data_equivalence(ours, again, exact=True)
    threaded.close()


@pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode.name)
def test_episodes_are_counted_as_a_hand_counts_them(mode):
    for envs in both(mode):
        if mode is AutoresetMode.DISABLED and isinstance(envs, SyncVectorEnv):
            continue  # it takes the mask out of the options, so the wrapper restarts every lane
        envs = wrappers.RecordEpisodeStatistics(envs)
        found = [[], [], []]
        for *_, infos in rollout(envs, mode, 40):
            for lane in np.flatnonzero(infos.get("_episode", [])):
                found[lane].append(int(infos["episode"]["l"][lane]))
        for lane, lengths in enumerate(LENGTHS):
            assert found[lane][: len(lengths)] == [min(length, 4) for length in lengths]
        assert envs.episode_count == sum(map(len, found))


def test_returns_of_episodes_are_the_sums_of_their_rewards():
    for mode in (AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP):
        returns = []
        for envs in both(mode):
            envs = wrappers.RecordEpisodeStatistics(envs)
            list(rollout(envs, mode, 14))
            returns.append(list(envs.return_queue))
        assert returns[0] == returns[1]
        assert 0 < sum(returns[0]) < len(returns[0]), "some answers are right"


def test_a_lane_that_waits_is_no_episode():
    envs = PixelReasoningVectorEnv(MAKERS, autoreset_mode="Disabled")
    envs = wrappers.RecordEpisodeStatistics(envs)
    envs.reset(seed=4)
    end, zoom = answer("A"), zoom_in([0, 0, 0.5, 0.5])
    envs.step([end, zoom, zoom])
    for actions in ([None, zoom, end], [None, zoom, None], [None, end, None], [None] * 3):
        envs.step(actions)
    assert envs.episode_count == 3
    assert list(envs.length_queue) == [1, 2, 4]
    envs.reset(options={"reset_mask": np.array([True, True, False])})
    envs.step([zoom, end, None])
    *_, infos = envs.step([end, None, None])
    assert infos["episode"]["l"].tolist() == [2, 0, 0]
    assert envs.episode_count == 5


REWARDS = {
    "NormalizeReward": lambda envs: wrappers.NormalizeReward(envs),
    "ClipReward": lambda envs: wrappers.ClipReward(envs, 0.1, 0.5),
    "TransformReward": lambda envs: wrappers.TransformReward(envs, lambda reward: reward * 3 - 1),
    "DictInfoToList": lambda envs: wrappers.DictInfoToList(envs),
}


@pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode.name)
@pytest.mark.parametrize("wrapper", REWARDS)
def test_wrappers_see_the_same_lanes(wrapper, mode):
    seen = []
    for envs in both(mode):
        steps = rollout(REWARDS[wrapper](envs), mode, 8)
        seen.append([(step[:-1], len(step[-1])) for step in steps])
    if mode is AutoresetMode.DISABLED and wrapper != "DictInfoToList":
        seen[0] = [(step, n - 2) for step, n in seen[0]]  # "waiting" and its mask
    assert data_equivalence(*seen, exact=True)


def test_wrappers_of_observations_see_the_same_flat_lanes():
    seen = []
    for arguments in ({}, {"vectorization_mode": "sync"}):
        envs = gym.make_vec(flat_id("SmallSearch"), 2, as_dict=True, **arguments)
        envs = wrappers.NormalizeObservation(wrappers.FlattenObservation(envs))
        envs.action_space.seed(3)
        envs.reset(seed=1)
        steps = [envs.step(envs.action_space.sample()) for _ in range(6)]
        seen.append([(observations, rewards) for observations, rewards, *_ in steps])
        envs.close()
    assert data_equivalence(*seen, exact=True)


@pytest.mark.parametrize("mode", ["NextStep", "SameStep", "Disabled"])
def test_make_vec_takes_the_mode_and_the_arguments_of_the_environment(mode):
    envs = gym.make_vec(SEARCH, 2, autoreset_mode=mode, max_episode_steps=2, options=True)
    assert isinstance(envs, PixelReasoningVectorEnv)
    assert envs.metadata["autoreset_mode"].value == mode
    observations, _ = envs.reset(seed=0)
    assert observations["turns_left"].tolist() == [2, 2]
    assert len(observations["choices"][0]) == 4
    assert envs.spec.kwargs["autoreset_mode"] == mode
    envs.close()


def test_make_vec_gives_gymnasiums_own_vectors_by_name():
    mode = AutoresetMode.SAME_STEP
    arguments = {"vectorization_mode": "sync", "vector_kwargs": {"autoreset_mode": mode}}
    envs = gym.make_vec(SEARCH, 2, **arguments, max_turns=1)
    assert isinstance(envs, SyncVectorEnv)
    envs.reset(seed=0)
    actions = batched(envs.single_action_space, [answer("A")] * 2)
    observations, *_, infos = envs.step(actions)
    assert infos["final_obs"][0]["turn"] == 1
    assert observations["turn"].tolist() == [0, 0]
    envs.close()
    with pytest.raises(gym.error.Error, match="vector_kwargs"):
        gym.make_vec(SEARCH, 2, vector_kwargs={"autoreset_mode": mode})


@pytest.mark.parametrize("mode", ["NextStep", "SameStep"])
def test_what_needs_lanes_that_wait_refuses_others(mode):
    envs = PixelReasoningVectorEnv(MAKERS, autoreset_mode=mode)
    for need in (
        lambda: GroupCuriosity(envs, 3),
        lambda: BeliefGain(envs, lambda moments: [0.0 for _ in moments]),
        lambda: collect(None, envs, 0),
    ):
        with pytest.raises(ConfigError, match=rf"autoreset_mode='Disabled'; got .*\({mode}\)"):
            need()
