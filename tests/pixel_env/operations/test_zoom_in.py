"""Zooming: which pixels, at which size, from the original or from the view."""

import numpy as np
import pytest
from tiny_tasks import PictureTask

from pixel_env import ImageSource, OperationError, PixelReasoningEnv, Sample, zoom_in

EXACT = {"overview_px": (1, 10**7), "crop_px": (1, 10**7), "side_multiple": 1}


def env_of(picture, **settings):
    class One(PictureTask):
        def __getitem__(self, index):
            return Sample("one", "What?", (ImageSource(picture),), ("a",))

    env = PixelReasoningEnv(One(n=1), **{**EXACT, **settings})
    env.reset(seed=0)
    return env


@pytest.fixture(scope="module")
def noise():
    return np.random.default_rng(0).integers(0, 256, (80, 100, 3), dtype=np.uint8)


@pytest.mark.parametrize(
    ("box", "rows", "columns"),
    [
        ([0, 0, 1, 1], slice(0, 80), slice(0, 100)),
        ([0, 0, 0.1, 0.1], slice(0, 8), slice(0, 10)),
        ([0.9, 0.9, 1, 1], slice(72, 80), slice(90, 100)),
        ([0.25, 0.5, 0.75, 0.75], slice(40, 60), slice(25, 75)),
        ([0.255, 0.5, 0.745, 0.75], slice(40, 60), slice(25, 75)),
    ],
)
def test_exactly_the_pixels_of_the_box_are_shown(noise, box, rows, columns):
    observation, *_ = env_of(noise).step(zoom_in(box))
    assert np.array_equal(observation["images"][0], noise[rows, columns])


def test_a_zoom_on_a_crop_reads_the_original(noise):
    env = env_of(noise, crop_px=(1, 16 * 16))
    env.step(zoom_in([0.5, 0.5, 1, 1]))
    observation, *_, info = env.step(zoom_in([0.5, 0, 0.8, 0.4], target_image=2))
    assert info["executed_box"] == pytest.approx((0.75, 0.5, 0.9, 0.7))
    assert np.array_equal(observation["images"][0], noise[40:56, 75:90])


def test_a_zoom_on_a_view_reads_what_was_shown(noise):
    env = env_of(noise, zoom_source="view", overview_px=(1, 50 * 40))
    observation, *_, info = env.step(zoom_in([0, 0, 0.5, 0.5]))
    assert np.array_equal(observation["images"][0], env.views[0].image[:20, :25])
    assert info["executed_box"] == (0, 0, 0.5, 0.5)
    observation, *_, info = env.step(zoom_in([0, 0, 0.4, 0.5], target_image=2))
    assert np.array_equal(observation["images"][0], env.views[0].image[:10, :10])
    assert info["executed_box"] == pytest.approx((0, 0, 0.2, 0.25))


def test_padding_widens_by_the_target_view_and_stops_at_its_edges(noise):
    env = env_of(noise, padding=0.25)
    observation, *_, info = env.step(zoom_in([0, 0.5, 0.25, 0.75]))
    assert info["requested_box"] == (0, 0.5, 0.25, 0.75)
    assert info["executed_box"] == (0, 0.25, 0.5, 1)
    assert np.array_equal(observation["images"][0], noise[20:80, 0:50])
    *_, info = env.step(zoom_in([0, 0, 0.5, 0.5], target_image=2))
    assert info["executed_box"] == pytest.approx(
        (0, 0.25, 0.38, 0.8125)
    )  # 37.5 of 100 pixels, rounded up


@pytest.mark.parametrize(
    ("box", "size"),
    [
        ([0.2, 0.2, 0.4, 0.4], (400, 320)),
        ([0.1, 0.25, 0.3, 0.5], (400, 360)),  # pixels [100, 200, 300, 400]
        ([0, 0, 0.999, 0.999], (1000, 800)),
    ],
)
def test_the_released_geometry_cuts_its_golden_sizes(picture_task, box, size):
    env = PixelReasoningEnv(picture_task, preset="pixel-reasoner", **EXACT)
    env.reset(seed=0)
    observation, *_ = env.step(zoom_in(box))
    height, width = observation["images"][0].shape[:2]
    assert (width, height) == size


def test_the_released_geometry_refuses_28_pixels_and_takes_29():
    picture = np.zeros((290, 290, 3), np.uint8)
    env = env_of(picture, preset="pixel-reasoner", padding=0.0)
    observation, *_, info = env.step(zoom_in([0, 0, 28 / 290, 1]))
    assert info["operation_error"] == "too_small"
    assert observation["feedback"].startswith("The region is 28 x 290 pixels; each side must be")
    assert "operation_error" not in env.step(zoom_in([0, 0, 29 / 290, 1]))[-1]


@pytest.mark.parametrize(("smallest", "is_refused"), [(10, False), (11, True)])
def test_the_smallest_side_is_a_setting(noise, smallest, is_refused):
    *_, info = env_of(noise, min_crop_side_px=smallest).step(zoom_in([0, 0, 0.1, 0.5]))
    assert (info.get("operation_error") == "too_small") == is_refused


def test_a_clamped_box_is_reported(noise):
    observation, *_, info = env_of(noise).step(zoom_in([-0.0005, 0, 0.5, 1.0005]))
    assert (
        observation["feedback"] == "Image 2 is the region [0, 0, 0.5, 1] of image 1, clamped to it."
    )
    assert info["executed_box"] == (0, 0, 0.5, 1)


def test_several_pictures_are_distinguished(noise):
    class Two(PictureTask):
        def __getitem__(self, index):
            sources = (ImageSource(noise), ImageSource(255 - noise))
            return Sample("two", "Which?", sources, ("a",))

    env = PixelReasoningEnv(Two(n=1), **EXACT)
    observation, _ = env.reset(seed=0)
    assert len(observation["images"]) == 2
    for target, whole in ((1, noise), (2, 255 - noise)):
        observation, *_ = env.step(zoom_in([0, 0, 0.5, 0.5], target))
        assert np.array_equal(observation["images"][0], whole[:40, :50])
        assert env.views[-1].source == target


@pytest.mark.parametrize("target", [1.0, "1", None, [1], np.zeros(3), True])
def test_target_image_must_be_a_whole_number(noise, target):
    observation, *_, info = env_of(noise).step(zoom_in([0, 0, 1, 1], target))
    assert info["operation_error"] == "bad_image"
    assert observation["feedback"].startswith("target_image must be a whole number, got ")


def test_numpy_numbers_are_whole_numbers(noise):
    for target in (np.int64(1), np.uint8(1), np.array(1)):
        assert "operation_error" not in env_of(noise).step(zoom_in([0, 0, 1, 1], target))[-1]


def test_a_missing_box_is_named_and_a_missing_view_is_the_first(noise):
    action = zoom_in([0, 0, 1, 1])
    del action["target_image"]
    assert env_of(noise).step(action)[-1]["target_image"] == 1
    del action["bbox"]
    observation, *_, info = env_of(noise).step(action)
    assert info["operation_error"] == "bad_arguments"
    assert "'bbox'" in observation["feedback"]


def test_an_operation_error_is_an_exception_with_a_kind():
    error = OperationError("bad_box", "One sentence.")
    assert (error.kind, str(error)) == ("bad_box", "One sentence.")
