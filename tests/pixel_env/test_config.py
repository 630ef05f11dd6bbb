"""Settings are checked once, and presets hold the published values."""

import pytest

from pixel_env import ConfigError, EnvConfig, PixelReasoningEnv, select_frames, zoom_in

UNIT = 28 * 28


def test_the_evaluation_preset_holds_the_published_limits():
    config = EnvConfig.of("pixel-reasoner")
    assert config.overview_px == (256 * UNIT, 8000 * UNIT)
    assert config.crop_px == (256 * UNIT, 5120 * UNIT)
    assert config.clip_px[1] == config.frame_px[1] == 512 * UNIT
    assert (config.padding, config.zoom_source, config.side_multiple) == (0.1, "view", 28)
    assert (config.max_turns, config.max_views, config.n_frames, config.max_selected) == (
        5,
        16,
        16,
        8,
    )


def test_the_training_preset_holds_the_published_limits():
    config = EnvConfig.of("pixel-reasoner-train")
    assert config.overview_px == (4 * UNIT, 2000 * UNIT)
    assert config.crop_px == (4 * UNIT, 1000 * UNIT)
    assert config.frame_px == (4 * UNIT, 400 * UNIT)
    assert (config.padding, config.zoom_source) == (0.1, "view")


def test_explicit_settings_win_over_the_preset():
    config = EnvConfig.of("pixel-reasoner", padding=0.0, zoom_source="original")
    assert (config.padding, config.zoom_source) == (0.0, "original")
    assert config.crop_px == (256 * UNIT, 5120 * UNIT)


@pytest.mark.parametrize(
    "settings",
    [
        {"max_turns": 0},
        {"max_turns": 2.0},
        {"max_turns": True},
        {"max_views": 0},
        {"n_frames": 0},
        {"max_selected": 0},
        {"min_crop_side_px": 0},
        {"side_multiple": 0},
        {"overview_px": (10, 5)},
        {"overview_px": 784},
        {"overview_px": None},
        {"crop_px": (0, 784)},
        {"crop_px": (1, 783)},
        {"frame_px": (1.0, 784)},
        {"frame_px": (1, 2, 3)},
        {"clip_px": (1, 2)},
        {"padding": -0.1},
        {"padding": 1.5},
        {"padding": float("nan")},
        {"padding": "0.1"},
        {"zoom_source": "crop"},
        {"option_order": "random"},
        {"unknown": 1},
        {"preset": "pixel-reasonr"},
    ],
)
def test_wrong_settings_are_refused_by_name(settings):
    with pytest.raises(ConfigError, match=next(iter(settings))):
        EnvConfig.of(**settings)


def test_a_near_name_is_suggested():
    with pytest.raises(ConfigError, match="Did you mean 'original'"):
        EnvConfig(zoom_source="orignal")
    with pytest.raises(ConfigError, match="Did you mean 'padding'"):
        EnvConfig().replaced(paddin=0.1)


def test_ranges_may_come_as_lists():
    assert EnvConfig(crop_px=[784, 1568]).crop_px == (784, 1568)


def shapes(observation):
    return {image.shape[:2] for image in observation["images"]}


def test_each_pixel_range_governs_its_own_kind_of_view(picture_task, clip_task):
    tile = (784, 784)
    settings = {"overview_px": (784, 9 * 784), "crop_px": tile, "frame_px": (4 * 784, 4 * 784)}
    env = PixelReasoningEnv(picture_task, **settings)
    assert shapes(env.reset(seed=0)[0]) == {(56, 84)}
    assert shapes(env.step(zoom_in([0, 0, 0.5, 0.5]))[0]) == {(28, 28)}
    env = PixelReasoningEnv(clip_task, **settings)
    assert shapes(env.reset(seed=0)[0]) == {(56, 84)}
    assert shapes(env.step(select_frames([1, 2]))[0]) == {(56, 56)}
    env = PixelReasoningEnv(clip_task, clip_px=tile, **settings)
    assert shapes(env.reset(seed=0)[0]) == {(28, 28)}


@pytest.mark.parametrize("multiple", [1, 14, 32])
def test_sides_are_multiples_as_configured(picture_task, multiple):
    env = PixelReasoningEnv(picture_task, side_multiple=multiple)
    observation, _ = env.reset(seed=0)
    observation_2, *_ = env.step(zoom_in([0.1, 0.2, 0.43, 0.58]))
    for height, width in shapes(observation) | shapes(observation_2):
        assert height % multiple == width % multiple == 0
    assert observation in env.observation_space
    assert observation_2 in env.observation_space


def test_the_preset_shows_the_published_sizes(picture_task):
    env = PixelReasoningEnv(picture_task, preset="pixel-reasoner")
    assert shapes(env.reset(seed=0)[0]) == {(812, 1008)}
    observation, *_, info = env.step(zoom_in([0.2, 0.2, 0.4, 0.4]))
    assert shapes(observation) == {(420, 504)}
    assert info["executed_box"] == pytest.approx((0.1, 0.1, 0.5, 0.5), abs=0.002)
