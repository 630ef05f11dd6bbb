"""Defects of the released Pixel Reasoner environment that this one must not have, one test each."""

import numpy as np
import pytest

from pixel_env import PixelReasoningEnv, answer, select_frames, zoom_in

EXACT = {
    "overview_px": (1, 10**7),
    "crop_px": (1, 10**7),
    "frame_px": (1, 10**7),
    "side_multiple": 1,
}
"""Pixel ranges under which everything is shown at its own size."""


@pytest.fixture
def env(picture_task):
    env = PixelReasoningEnv(picture_task, **EXACT)
    env.reset(seed=0, options={"index": 0})
    return env


@pytest.fixture
def clip(clip_task):
    env = PixelReasoningEnv(clip_task, **EXACT)
    env.reset(seed=0, options={"index": 0})
    return env


def place_of(image):
    """Reads where in the picture an image's corners are: red tells x, green tells y."""
    first, last = image[0, 0], image[-1, -1]
    return [round(float(value) / 255, 2) for value in (*first[:2], *last[:2])]


@pytest.mark.parametrize("box", [[0, 0, 1, 1], [0.5, 0.5, 1, 1], [0, 0.5, 1, 0.75]])
def test_a_value_of_1_is_the_far_edge_and_not_a_pixel(env, box):
    observation, *_, info = env.step(zoom_in(box))
    assert place_of(observation["images"][0]) == pytest.approx(box, abs=0.01)
    assert info["executed_box"] == tuple(box)


@pytest.mark.parametrize(
    "box",
    [
        [0.4, 0.2, 0.2, 0.4],
        [0.5, 0.5, 0.5, 0.5],
        [0.1, 0.1, float("nan"), 0.5],
        [0.1, 0.1, float("inf"), 0.5],
        [0.1, 0.1, 0.5, 0.5, 0.9],
        [0.1, 0.1, 0.5],
        ["a", "b", "c", "d"],
        [100, 200, 300, 400],
    ],
    ids=["reversed", "zero-area", "nan", "inf", "five", "three", "strings", "pixels"],
)
def test_feedback_on_a_bad_box_is_one_sentence_and_shows_nothing(env, box):
    observation, reward, terminated, truncated, info = env.step(zoom_in(box))
    assert info["operation_error"] == "bad_box"
    assert observation["images"] == ()
    assert observation["feedback"].startswith("bbox must ")
    assert observation["feedback"].count(". ") == 0
    assert (reward, terminated, truncated) == (0.0, False, False)


@pytest.mark.parametrize("number", [0, -1, 2, 10**30])
def test_target_image_0_is_no_way_to_the_last_image(env, number):
    observation, *_, info = env.step(zoom_in([0, 0, 0.5, 0.5], target_image=number))
    assert info["operation_error"] == "bad_image"
    assert observation["images"] == ()
    assert observation["feedback"].startswith("target_image must be 1, got ")


@pytest.mark.parametrize(
    ("frames", "sentence"),
    [
        ([0], "got 0"),
        ([-1], "got -1"),
        ([17], "got 17"),
        ([], "at least one frame"),
        ([1, 99], "got 99"),
    ],
)
def test_frames_0_and_minus_1_and_none_are_refused(clip, frames, sentence):
    observation, *_, info = clip.step(select_frames(frames))
    assert info["operation_error"] == "bad_frames"
    assert observation["images"] == ()
    assert sentence in observation["feedback"]
    assert "from 1 to 16" in observation["feedback"]


def test_selected_frames_can_be_addressed_by_the_numbers_announced(clip):
    observation, *_, info = clip.step(select_frames([2, 9]))
    assert observation["feedback"] == "Images 17 and 18 are frames 2 and 9."
    assert observation["first_image"] == 17
    assert info["views_added"] == (17, 18)
    second = observation["images"][1]
    observation, *_, info = clip.step(zoom_in([0, 0, 0.5, 0.5], target_image=18))
    assert "operation_error" not in info
    assert np.array_equal(observation["images"][0][0, 0], second[0, 0])


def test_frames_stay_zoomable_after_every_operation(clip):
    greys = [int(view.image[0, 0, 0]) for view in clip.views]
    for action in (select_frames([1, 2]), zoom_in([0, 0, 1, 1], 17), select_frames([3])):
        clip.step(action)
    observation, *_, info = clip.step(zoom_in([0.25, 0.25, 0.75, 0.75], target_image=16))
    assert "operation_error" not in info
    assert (observation["images"][0] == greys[15]).all()


def test_a_zoom_reads_the_original_resolution(picture_task):
    env = PixelReasoningEnv(picture_task, overview_px=(784, 4 * 784), crop_px=(784, 10**6))
    observation, _ = env.reset(options={"index": 0})
    assert observation["images"][0].shape[1] <= 112
    observation, *_ = env.step(zoom_in([0, 0, 0.5, 0.5]))
    assert observation["images"][0].shape == (392, 504, 3)  # 400 x 500 of the source
    assert len(np.unique(observation["images"][0][..., 0])) > 112


def test_too_many_images_keep_the_observation_and_the_episode(picture_task):
    env = PixelReasoningEnv(picture_task, max_views=2)
    env.reset(seed=0)
    env.step(zoom_in([0, 0, 0.5, 0.5]))
    observation, _, terminated, truncated, info = env.step(zoom_in([0.5, 0, 1, 0.5]))
    assert info["operation_error"] == "too_many_views"
    assert "at most 2 images" in observation["feedback"]
    assert observation["question"].startswith("What is hidden")
    assert not terminated
    assert not truncated
    assert env.step(answer("A"))[2]


@pytest.mark.parametrize("operation", [3, -1, "zoom", 1.5, None, True])
def test_an_unknown_operation_is_refused_with_those_that_exist(env, operation):
    observation, *_, info = env.step({**zoom_in([0, 0, 1, 1]), "operation": operation})
    assert info["operation_error"] == "unknown_operation"
    for name in ("answer", "zoom_in", "select_frames"):
        assert name in observation["feedback"]


def test_only_the_declared_answer_is_graded(env):
    letter = "ABCD"[env.sample.right_choice]
    env.step({**zoom_in([0, 0, 1, 1]), "text": letter})
    *_, info = env.step(answer("nothing"))
    assert info["answer"] == "nothing"
    assert info["grade"]["score"] == 0.0
