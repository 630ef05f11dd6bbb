"""All views at every turn, in their numbers."""

import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from pixel_env import answer, select_frames, zoom_in
from pixel_env.wrappers import FullHistory

BOX = [0.25, 0.25, 0.75, 0.75]


def test_entry_i_is_view_i_plus_one(make_env):
    env = FullHistory(make_env())
    observation, _ = env.reset(options={"index": 0})
    seen = [*observation["images"]]
    for target in (1, 2):
        observation, *_ = env.step(zoom_in(BOX, target))
        assert observation["first_image"] == 1
        assert len(observation["images"]) == target + 1
        for before, now in zip(seen, observation["images"], strict=False):
            assert np.array_equal(before, now)
        seen = [*observation["images"]]
    for view, image in zip(env.unwrapped.views, seen, strict=True):
        assert np.array_equal(view.image, image)


def test_a_turn_without_new_views_still_gives_the_old_ones(make_env):
    env = FullHistory(make_env())
    env.reset(options={"index": 0})
    env.step(zoom_in(BOX))
    assert len(env.step(zoom_in([1, 1, 0, 0]))[0]["images"]) == 2
    assert len(env.step(answer("B"))[0]["images"]) == 2


def test_a_new_episode_starts_with_its_own_views(make_env):
    env = FullHistory(make_env())
    env.reset(options={"index": 0})
    env.step(zoom_in(BOX))
    assert len(env.reset(options={"index": 1})[0]["images"]) == 1


def test_frames_of_a_clip_are_kept_in_front(make_env):
    env = FullHistory(make_env())
    assert len(env.reset(options={"index": 4})[0]["images"]) == 16
    assert len(env.step(select_frames([2, 3]))[0]["images"]) == 18


def test_a_caller_can_not_corrupt_what_comes_later(make_env):
    env = FullHistory(make_env())
    observation, _ = env.reset(options={"index": 0})
    kept = observation["images"][0].copy()
    observation["images"][0][:] = 0
    again = env.step(zoom_in(BOX))[0]["images"][0]
    assert np.array_equal(again, kept)


@pytest.mark.filterwarnings("ignore:.*different from the unwrapped version")
@pytest.mark.filterwarnings("error")
def test_the_environment_checker_is_silent(make_env):
    check_env(FullHistory(make_env()), skip_render_check=True)
