"""A copy of an environment goes on as the original would, and neither notices the other."""

import copy
import pickle

import cloudpickle
import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector.utils import concatenate, create_empty_array

from pixel_env import PixelReasoningEnv, answer, select_frames, zoom_in
from pixel_env.dialects import get_dialect
from pixel_env.media.pictures import ImageSource
from pixel_env.vector import PixelReasoningVectorEnv
from pixel_env.wrappers import CuriosityReward, FullHistory, GroupCuriosity, TextAction

SEARCH, CLIP = "PixelReason-SyntheticSearch-v0", "PixelReason-SyntheticClip-v0"
ZOOM, SELECT = zoom_in([0.1, 0.2, 0.6, 0.7]), select_frames([1, 3])
COPIES = {
    "deepcopy": copy.deepcopy,
    "pickle": lambda env: pickle.loads(pickle.dumps(env)),
    "cloudpickle": lambda env: cloudpickle.loads(cloudpickle.dumps(env)),
}
MADE = {
    "made": lambda: gym.make(SEARCH),
    "bare": lambda: gym.make(SEARCH).unwrapped,
    "drawn": lambda: gym.make(SEARCH, render_mode="rgb_array"),
    "clip": lambda: gym.make(CLIP),
    "full history": lambda: FullHistory(gym.make(SEARCH)),
    "curious": lambda: CuriosityReward(gym.make(SEARCH)),
}
ways = pytest.mark.parametrize("way", COPIES)


def assert_same(one, other):
    """Compares what reset or step returned, to the last pixel."""
    assert type(one) is type(other)
    if isinstance(one, np.ndarray):
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)
    elif isinstance(one, dict):
        assert one.keys() == other.keys()
        for key in one:
            assert_same(one[key], other[key])
    elif isinstance(one, tuple | list):
        assert len(one) == len(other)
        for left, right in zip(one, other, strict=True):
            assert_same(left, right)
    else:
        assert one == other


def go_on(env, is_clip=False):
    """Ends the episode, and begins the next one of the same order."""
    yield env.step(SELECT if is_clip else ZOOM)
    if env.render_mode:
        yield env.render()
    yield env.step(answer("A"))
    yield env.reset()
    yield env.step(ZOOM)


@ways
@pytest.mark.parametrize("kind", MADE)
def test_a_copy_in_an_episode_goes_on_identically(way, kind):
    env = MADE[kind]()
    env.reset(seed=3)
    env.step(ZOOM)
    twin = COPIES[way](env)
    assert twin is not env
    expected, got = (list(go_on(each, kind == "clip")) for each in (env, twin))
    assert_same(got, expected)


@ways
@pytest.mark.parametrize("kind", MADE)
def test_a_copy_before_an_episode_starts_the_same_ones(way, kind):
    env = MADE[kind]()
    twin = COPIES[way](env)
    for options in (None, {"index": 2}):
        assert_same(twin.reset(seed=5, options=options), env.reset(seed=5, options=options))
    assert_same(twin.step(ZOOM), env.step(ZOOM))


@ways
def test_text_is_taken_by_a_copy_too(way):
    dialect = get_dialect("pixel-reasoner")
    env = TextAction(gym.make(SEARCH), dialect)
    env.reset(seed=3)
    env.step(dialect.render(ZOOM, None))
    twin = COPIES[way](env)
    for message in ("Hm.", r"I see. \boxed{B}"):
        assert_same(twin.step(message), env.step(message))


@ways
@pytest.mark.parametrize("group_size", [0, 2])
def test_lanes_are_copied_in_the_middle_of_their_episodes(way, group_size):
    def make():
        lanes = PixelReasoningVectorEnv.from_id(SEARCH, 4, autoreset_mode="Disabled")
        return GroupCuriosity(lanes, group_size) if group_size else lanes

    env = make()
    env.reset(seed=0, options={"index": [1, 1, 2, 2]})
    env.step([ZOOM, answer("A"), answer("B"), ZOOM])
    twin = COPIES[way](env)
    for actions in ([answer("A"), None, None, answer("A")], [None] * 4):
        assert_same(twin.step(actions), env.step(actions))
    assert_same(twin.reset(options={"index": [3] * 4}), env.reset(options={"index": [3] * 4}))


def test_a_generator_is_copied_in_its_place():
    env = gym.make(SEARCH)
    env.reset(seed=11)
    env.unwrapped.np_random.random(3)
    twin = copy.deepcopy(env)
    expected = env.unwrapped.np_random.random(4)
    np.testing.assert_array_equal(twin.unwrapped.np_random.random(4), expected)


def test_a_search_over_actions_sees_what_each_plan_would_have_given():
    """Every node is a copy; its observations and rewards are those of a fresh environment."""

    def search(env, plan=()):
        if len(plan) == 2:
            for letter in "ABCD":
                leaf = copy.deepcopy(env)
                yield (*plan, answer(letter)), leaf.step(answer(letter))
            return
        for box in ([0, 0, 0.5, 0.5], [0.5, 0.5, 1, 1]):
            child = copy.deepcopy(env)
            outcome = child.step(zoom_in(box))
            yield (*plan, zoom_in(box)), outcome
            yield from search(child, (*plan, zoom_in(box)))

    root = gym.make(SEARCH, options=True)
    root.reset(options={"index": 4}, seed=1)
    found = list(search(root))
    assert len(found) == 2 + 4 + 16
    assert {outcome[1] for _, outcome in found} == {0.0, 1.0}
    for plan, outcome in found:
        fresh = gym.make(SEARCH, options=True)
        fresh.reset(options={"index": 4}, seed=1)
        for action in plan:
            expected = fresh.step(action)
        assert_same(outcome, expected)
    assert root.unwrapped.views[1:] == (), "the root has not moved"


def test_copies_share_the_task_and_decode_no_picture_again(picture_task, monkeypatch):
    env = PixelReasoningEnv(picture_task)
    env.reset(seed=0)
    twin = copy.deepcopy(env)
    assert twin.task is picture_task
    assert twin.sample is env.sample
    decoded = []
    decode = ImageSource._decode
    monkeypatch.setattr(ImageSource, "_decode", lambda self: decoded.append(1) or decode(self))
    twin.step(ZOOM)
    n_decoded = len(decoded)
    env.step(ZOOM)
    assert len(decoded) == n_decoded


def batched(actions, space):
    """The actions as one element of the vector's space."""
    return concatenate(space, actions, create_empty_array(space, len(actions)))


@pytest.mark.parametrize("mode", ["make", "sync", "vector_entry_point"])
@pytest.mark.parametrize(("limit", "turns"), [(2, 2), (5, 5), (9, 5), (None, 5)])
def test_turns_left_promises_no_turn_that_a_limit_of_steps_cuts_off(mode, limit, turns):
    given = {} if limit is None else {"max_episode_steps": limit}
    if mode == "make":
        env = gym.make(SEARCH, **given)
        observation, _ = env.reset(seed=0)
        assert env.observation_space.contains(observation)
    else:
        env = gym.make_vec(SEARCH, num_envs=2, vectorization_mode=mode, **given)
        observation, _ = env.reset(seed=0)
    action = ZOOM if mode == "make" else batched([ZOOM, ZOOM], env.single_action_space)
    for left in range(turns, 0, -1):
        assert np.all(observation["turns_left"] == left)
        observation, *_, truncated, _ = env.step(action)
        assert np.all(truncated == (left == 1))
    assert np.all(observation["turns_left"] == 0)


def test_the_limit_of_an_id_counts_and_minus_1_lifts_it(picture_task):
    gym.register(
        "Limited-v0",
        "pixel_env.registration:make_env",
        max_episode_steps=3,
        kwargs={"task": type(picture_task)},
    )
    try:
        for given, turns in (({}, 3), ({"max_episode_steps": -1}, 5), ({"max_turns": 2}, 2)):
            env = gym.make("Limited-v0", **given)
            assert env.reset(seed=0)[0]["turns_left"] == turns
    finally:
        del gym.registry["Limited-v0"]
