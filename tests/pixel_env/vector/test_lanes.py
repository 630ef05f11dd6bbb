"""Lanes side by side: the episodes of lanes alone, waiting lanes, masks, and shared pixels."""

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.error import ResetNeeded
from gymnasium.utils.env_checker import data_equivalence
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv
from tiny_tasks import ClipTask, PictureTask

from pixel_env import ConfigError, PixelReasoningEnv, answer, select_frames, zoom_in
from pixel_env.vector import PixelReasoningVectorEnv

N_LANES = 3
SMALL = {"overview_px": (784, 4 * 784), "crop_px": (784, 4 * 784), "frame_px": (784, 4 * 784)}


def make_lane(task=PictureTask, **settings):
    return lambda: PixelReasoningEnv(task(), **{**SMALL, **settings})


@pytest.fixture
def lanes():
    vector = PixelReasoningVectorEnv([make_lane()] * N_LANES, autoreset_mode="Disabled")
    yield vector
    vector.close()


def script(space, seed, n_steps=4):
    """Draws batched actions that zoom and select; none answers, so that no lane resets itself."""
    space.seed(seed)
    rng = np.random.default_rng(seed)
    for _ in range(n_steps):
        actions = space.sample()
        actions["operation"] = rng.integers(1, 3, N_LANES)
        low = rng.uniform(0, 0.4, (N_LANES, 2))
        actions["bbox"] = np.concatenate([low, low + 0.5], axis=1)
        actions["target_image"] = rng.integers(1, 4, N_LANES)
        yield actions


def rollout(vector, seed):
    observations, infos = vector.reset(seed=seed)
    yield observations, {name: infos[name] for name in ("sample_id", "n_views")}
    for actions in script(vector.action_space, seed):
        observations, rewards, terminated, truncated, infos = vector.step(actions)
        counts = {name: infos[name] for name in ("n_calls", "n_operations", "n_views")}
        yield observations, rewards, terminated, truncated, counts
    vector.close()


@pytest.mark.parametrize("task", [PictureTask, ClipTask])
def test_all_vector_environments_and_single_ones_give_the_same_episodes(task):
    makers = [make_lane(task)] * N_LANES
    ours = list(rollout(PixelReasoningVectorEnv(makers), 11))
    for other in (
        PixelReasoningVectorEnv(makers, n_threads=2),
        SyncVectorEnv(makers),
        AsyncVectorEnv(makers, shared_memory=False),
    ):
        assert data_equivalence(ours, list(rollout(other, 11)), exact=True)
    for lane in range(N_LANES):
        env = makers[lane]()
        batches = list(script(PixelReasoningVectorEnv(makers).action_space, 11))
        own = [{name: each[lane] for name, each in actions.items()} for actions in batches]
        single = [env.reset(seed=11 + lane)[0], *(env.step(action)[0] for action in own)]
        for alone, (together, *_) in zip(single, ours, strict=True):
            assert alone["feedback"] == together["feedback"][lane]
            assert data_equivalence(alone["images"], together["images"][lane], exact=True)


def test_a_registered_id_gives_the_episodes_of_make(register):
    env_id = register("Same", "tiny_tasks:PictureTask", **SMALL)
    vector = PixelReasoningVectorEnv.from_id(f"pixel_env:{env_id}", 2, max_turns=3)
    observations, infos = vector.reset(seed=[5, 9])
    for lane, seed in enumerate((5, 9)):
        observation, info = gym.make(env_id, max_turns=3).reset(seed=seed)
        assert info["sample_id"] == infos["sample_id"][lane]
        assert data_equivalence(observation["images"], observations["images"][lane], exact=True)
    vector.close()


def test_an_ended_lane_waits(lanes):
    lanes.reset(seed=0)
    zoom = zoom_in([0, 0, 0.5, 0.5])
    _, _, terminated, _, infos = lanes.step([answer("A"), zoom, zoom])
    assert terminated.tolist() == [True, False, False]
    assert infos["waiting"].tolist() == [False, False, False]
    assert infos["_grade"].tolist() == [True, False, False]
    observations, rewards, terminated, truncated, infos = lanes.step([None, zoom, zoom])
    assert observations in lanes.observation_space
    assert observations["feedback"][0] == "The answer was taken."
    assert rewards[0] == 0.0
    assert not (terminated | truncated).any(), "an end is reported once"
    assert infos["waiting"].tolist() == [True, False, False]
    assert infos["_n_calls"].tolist() == [False, True, True]
    assert infos["n_calls"].tolist() == [0, 2, 2]


def test_a_lane_whose_episode_goes_on_waits_too(lanes):
    lanes.reset(seed=0)
    zoom = zoom_in([0, 0, 0.5, 0.5])
    for _ in range(2):
        observations, *_, infos = lanes.step([zoom, None, zoom])
    assert observations["turn"].tolist() == [2, 0, 2]
    assert infos["waiting"].tolist() == [False, True, False]
    assert lanes.step([zoom] * N_LANES)[0]["turn"].tolist() == [3, 1, 3]


def test_a_mask_resets_some_lanes_and_leaves_the_others(lanes):
    lanes.reset(seed=0)
    lanes.step([answer("A"), zoom_in([0, 0, 1, 1]), answer("B")])
    mask = np.array([True, False, False])
    observations, infos = lanes.reset(seed=[4, 5, 6], options={"reset_mask": mask})
    assert infos["_sample_id"].tolist() == [True, False, False]
    assert observations["turn"].tolist() == [0, 1, 1]
    zoom = zoom_in([0, 0, 1, 1])
    with pytest.raises(ResetNeeded, match=r"lanes \[2\], whose episodes have ended"):
        lanes.step([zoom] * N_LANES)
    _, _, terminated, _, infos = lanes.step([zoom, zoom, None])
    assert terminated.tolist() == [False] * 3
    assert infos["waiting"].tolist() == [False, False, True]
    assert infos["n_calls"].tolist()[:2] == [1, 2]
    alone = make_lane()().reset(seed=4)[0]
    assert observations["question"][0] == alone["question"]


def test_indices_and_ids_pick_samples_for_lanes(lanes):
    _, infos = lanes.reset(options={"index": [4, 0, 2]})
    assert infos["sample_id"].tolist() == ["picture-4", "picture-0", "picture-2"]
    _, infos = lanes.reset(options={"index": np.array([1, 1, 3])})
    assert infos["sample_id"].tolist() == ["picture-1", "picture-1", "picture-3"]
    _, infos = lanes.reset(options={"index": 2})
    assert infos["sample_id"].tolist() == ["picture-2"] * 3
    _, infos = lanes.reset(options={"id": ["picture-3", "picture-1", "picture-0"]})
    assert infos["sample_id"].tolist() == ["picture-3", "picture-1", "picture-0"]
    _, infos = lanes.reset(
        options={"index": [None, 4, None], "reset_mask": np.array([False, True, False])}
    )
    assert infos["sample_id"][1] == "picture-4"


def test_lanes_on_one_sample_share_its_pixels(register):
    class Counted(PictureTask):
        n_made = 0

        def __getitem__(self, index):
            Counted.n_made += 1
            return super().__getitem__(index)

    vector = PixelReasoningVectorEnv.from_id(register("Counted", Counted), 4, **SMALL, n_threads=2)
    vector.reset(seed=0, options={"index": 3})
    assert Counted.n_made == 1
    assert len({id(env.unwrapped.sample.media[0]) for env in vector.envs}) == 1
    vector.close()


def test_returned_values_are_not_reused(lanes):
    first, _ = lanes.reset(seed=0)
    kept = first["images"][0][0].copy()
    second, *_ = lanes.step([answer("A")] * N_LANES)
    second["turn"][:] = 9
    first["images"][0][0][:] = 0
    again, _, terminated, _, infos = lanes.step([None] * N_LANES)
    terminated[:], infos["waiting"][:] = True, False
    assert again["turn"].tolist() == [1, 1, 1]
    *_, terminated, _, infos = lanes.step([None] * N_LANES)
    assert not terminated.any()
    assert infos["waiting"].all()
    assert np.array_equal(lanes.reset(seed=0)[0]["images"][0][0], kept)


def test_wrappers_are_put_around_every_lane(register):
    env_id = register("Wrapped", PictureTask, **SMALL)
    vector = PixelReasoningVectorEnv.from_id(
        env_id, 2, wrappers=[lambda env: gym.wrappers.TransformReward(env, lambda r: r + 1)]
    )
    vector.reset(seed=0)
    assert vector.step([select_frames([1])] * 2)[1].tolist() == [1.0, 1.0]
    assert vector.call("config")[0].max_turns == vector.get_attr("config")[1].max_turns == 5
    vector.set_attr("label", ["first", "second"])
    assert vector.get_attr("label") == ("first", "second")
    vector.close()


def test_every_lane_renders(register):
    vector = PixelReasoningVectorEnv([make_lane(render_mode="rgb_array")] * 2)
    vector.reset(seed=0)
    assert vector.metadata["autoreset_mode"] is AutoresetMode.NEXT_STEP
    assert vector.metadata["render_modes"] == PixelReasoningEnv.metadata["render_modes"]
    assert [picture.dtype for picture in vector.render()] == [np.uint8] * 2
    vector.close()


def test_misuse_is_named(lanes):
    with pytest.raises(ConfigError, match="at least one lane"):
        PixelReasoningVectorEnv([])
    with pytest.raises(ConfigError, match="lane 1"):
        PixelReasoningVectorEnv([make_lane(), make_lane(max_turns=3)])
    with pytest.raises(ConfigError, match=r"autoreset_mode to be one of .*Did you mean 'SameStep'"):
        PixelReasoningVectorEnv([make_lane()], autoreset_mode="Same_Step")
    with pytest.raises(ConfigError, match="3 values"):
        lanes.set_attr("label", [None])
    with pytest.raises(ConfigError, match="an id of `register_task`, got 'CartPole-v1'"):
        PixelReasoningVectorEnv.from_id("CartPole-v1", 2)
    with pytest.raises(ConfigError, match="'human', which shows one environment"):
        PixelReasoningVectorEnv.from_id("PixelReason-SyntheticSearch-v0", 2, render_mode="human")
    with pytest.raises(ConfigError, match="n_threads"):
        PixelReasoningVectorEnv([make_lane()], n_threads=-1)
    with pytest.raises(ConfigError, match="never reset"):
        lanes.reset(options={"reset_mask": np.array([True, False, False])})
    lanes.reset(seed=0)
    with pytest.raises(ConfigError, match="3 actions"):
        lanes.step([answer("A")])
    with pytest.raises(ConfigError, match="seed"):
        lanes.reset(seed=[1, 2])
    with pytest.raises(ConfigError, match="reset_mask"):
        lanes.reset(options={"reset_mask": [1, 0, 0]})
