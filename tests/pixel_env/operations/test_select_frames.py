"""Selecting frames: which ones, how many, at which size and under which numbers."""

import numpy as np
import pytest
from tiny_tasks import ClipTask

from pixel_env import PixelReasoningEnv, select_frames

EXACT = {"overview_px": (1, 10**7), "frame_px": (1, 10**7), "side_multiple": 1}


def env_of(n_frames=40, **settings):
    env = PixelReasoningEnv(ClipTask(n_frames), **{**EXACT, **settings})
    env.reset(seed=0)
    return env


def test_sampled_frames_are_the_first_views_numbered_from_1():
    env = PixelReasoningEnv(ClipTask(), **EXACT)
    observation, info = env.reset(seed=0)
    assert len(observation["images"]) == observation["n_frames"] == info["n_views"] == 16
    assert observation["first_image"] == 1
    greys = [int(image[0, 0, 0]) for image in observation["images"]]
    assert greys == [5 * view.source for view in env.views] == sorted(greys)


@pytest.mark.parametrize(
    ("frames", "sentence"),
    [
        ([5], "Image 17 is frame 5."),
        ([1, 16], "Images 17 and 18 are frames 1 and 16."),
        ([9, 3, 12], "Images 17 to 19 are frames 3, 9 and 12."),
        ([4, 5, 6, 7], "Images 17 to 20 are frames 4 to 7."),
        ([2, 2], "Image 17 is frame 2."),
    ],
)
def test_the_feedback_names_the_numbers_of_the_new_views(frames, sentence):
    env = env_of()
    observation, *_, info = env.step(select_frames(frames))
    assert observation["feedback"] == sentence
    chosen = sorted(set(frames))
    assert info["views_added"] == tuple(range(17, 17 + len(chosen)))
    for image, number in zip(observation["images"], chosen, strict=True):
        assert (image == env.views[number - 1].image[0, 0, 0]).all()


def test_frames_are_read_anew_from_the_file():
    env = env_of(overview_px=(1, 40 * 30))
    assert env.views[0].image.shape == (30, 40, 3)
    observation, *_ = env.step(select_frames([1]))
    assert observation["images"][0].shape == (240, 320, 3)


@pytest.mark.parametrize(("most", "is_refused"), [(8, True), (9, False)])
def test_at_most_so_many_frames_at_once(most, is_refused):
    observation, *_, info = env_of(max_selected=most).step(select_frames(range(1, 10)))
    assert (info.get("operation_error") == "bad_frames") == is_refused
    assert ("at most 8 frames at once, got 9" in observation["feedback"]) == is_refused


def test_a_clip_counts_as_one_view_and_its_selected_frames_as_one_each():
    env = env_of(max_views=4)
    assert env.step(select_frames([1, 2]))[-1]["n_views"] == 18
    observation, *_, info = env.step(select_frames([3, 4]))
    assert info["operation_error"] == "too_many_views"
    assert "1 more may be shown" in observation["feedback"]
    assert "operation_error" not in env.step(select_frames([3]))[-1]
    observation, *_, info = env.step(select_frames([3]))
    assert info["operation_error"] == "too_many_views"
    assert observation["feedback"].endswith("answer now.")


@pytest.mark.parametrize("n_frames", [1, 4, 20])
def test_the_number_of_sampled_frames_is_a_setting(n_frames):
    env = PixelReasoningEnv(ClipTask(40), n_frames=n_frames, **EXACT)
    observation, _ = env.reset(seed=0)
    assert observation["n_frames"] == len(observation["images"]) == n_frames
    assert env.action_space["frames"].n == n_frames
    env.step(select_frames([n_frames], n_frames=n_frames))
    assert env.views[-1].parent == n_frames
    *_, info = env.step(select_frames([n_frames + 1]))
    assert info["operation_error"] == "bad_frames"


def test_a_short_clip_shows_all_its_frames_and_no_more_can_be_selected():
    env = env_of(n_frames=3)
    assert len(env.views) == 3
    observation, *_, info = env.step(select_frames([4]))
    assert info["operation_error"] == "bad_frames"
    assert "from 1 to 3, got 4" in observation["feedback"]
    assert "operation_error" not in env.step(select_frames([3]))[-1]


@pytest.mark.parametrize(
    "frames",
    [None, "1", 3, np.zeros((4, 4)), [2, 0], [0.5], [float("nan")], ["1"], np.zeros(10**5),
     {"a"}, {1.5}, [None]],
    ids=lambda value: repr(value)[:20],
)  # fmt: skip
def test_what_is_no_choice_of_frames_is_refused(frames):
    observation, *_, info = env_of().step({**select_frames([1]), "frames": frames})
    assert info["operation_error"] == "bad_frames"
    assert "frames" in observation["feedback"].lower()
    assert observation["images"] == ()


@pytest.mark.parametrize(
    "frames", [[0, 1], (False, True), np.array([0, 1], bool), np.array([0.0, 1.0]), {2}]
)
def test_any_vector_of_0_and_1_is_read(frames):
    observation, *_ = env_of().step({**select_frames([1]), "frames": frames})
    assert observation["feedback"] == "Image 17 is frame 2."


def test_pictures_have_no_frames(picture_task):
    env = PixelReasoningEnv(picture_task)
    env.reset(seed=0)
    observation, *_, info = env.step(select_frames([1]))
    assert info["operation_error"] == "bad_frames"
    assert observation["feedback"].startswith("There is no clip to select frames of")
