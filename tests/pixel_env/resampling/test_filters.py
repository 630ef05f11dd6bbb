"""Each filter gives the size that was asked for, and libvips what Pillow's Lanczos gives."""

import os
import sys
from dataclasses import replace

import gymnasium as gym
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from tiny_tasks import PictureTask, quadrants

from pixel_env import ConfigError, ImageSource, PixelReasoningEnv, zoom_in
from pixel_env.resampling.filters import RESAMPLERS, check_resampler, resized

SIDES = st.integers(1, 80)


def waves(width, height):
    """A picture with detail of every size, but none finer than two pixels."""
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    grey = 127 + 60 * np.sin(x * y / (2 * width)) + 60 * np.sin(x / 7 + y / 5)
    return Image.fromarray(np.stack([grey, 255 - grey, grey / 2], axis=-1).astype(np.uint8))


@pytest.mark.parametrize("name", RESAMPLERS)
@settings(max_examples=60, deadline=None)
@given(of=st.tuples(SIDES, SIDES), to=st.tuples(SIDES, SIDES))
def test_every_size_is_met(name, of, to):
    if name == "vips":
        pytest.importorskip("pyvips")
    pixels = resized(Image.fromarray(quadrants(*of)), to, name)
    assert pixels.shape == (to[1], to[0], 3)
    assert pixels.dtype == np.uint8
    assert pixels.flags.writeable


@pytest.mark.parametrize("to", [(400, 260), (840, 588), (180, 400)])
def test_libvips_gives_pillows_lanczos_within_a_grey_level(to):
    pytest.importorskip("pyvips")
    picture = waves(900, 600)
    exact = resized(picture, to, "lanczos").astype(int)
    off = np.abs(exact - resized(picture, to, "vips"))
    assert off.mean() < 0.5
    assert np.percentile(off, 99.9) <= 3


def test_what_only_enlarges_is_the_same_by_all():
    picture = waves(60, 40)
    wanted = np.array(picture.resize((90, 80), Image.Resampling.BICUBIC))
    for name in RESAMPLERS:
        assert np.array_equal(resized(picture, (90, 80), name), wanted)


class Noise(PictureTask):
    def __getitem__(self, index):
        pixels = np.random.default_rng(index).integers(0, 256, (800, 1000, 3), dtype=np.uint8)
        return replace(super().__getitem__(index), media=(ImageSource(pixels),))


@pytest.mark.parametrize("name", ["lanczos", "bicubic"])
@pytest.mark.parametrize("zoom_source", ["original", "view"])
def test_an_environment_shows_overviews_and_zooms_by_its_resampler(zoom_source, name):
    few = {"overview_px": (784, 400 * 784), "crop_px": (784, 40 * 784)}
    env = PixelReasoningEnv(Noise(), resampler=name, zoom_source=zoom_source, **few)
    (overview,) = env.reset(options={"index": 1})[0]["images"]
    (zoomed,) = env.step(zoom_in([0.25, 0.5, 0.75, 1]))[0]["images"]
    whole = Image.fromarray(np.asarray(Noise()[1].media[0]._media))
    by = Image.Resampling[name.upper()]
    assert np.array_equal(overview, whole.resize(overview.shape[1::-1], by))
    source = whole if zoom_source == "original" else Image.fromarray(overview)
    width, height = source.size
    cut = source.crop((width // 4, height // 2, width * 3 // 4, height))
    assert np.array_equal(zoomed, cut.resize(zoomed.shape[1::-1], by))


def test_the_released_settings_resample_as_released():
    for preset in ("pixel-reasoner", "pixel-reasoner-train"):
        env = gym.make("PixelReason-SyntheticSearch-v0", preset=preset)
        assert env.unwrapped.config.resampler == "bicubic"


def test_an_unknown_name_is_refused_with_the_right_one():
    with pytest.raises(ConfigError, match="Did you mean 'lanczos'"):
        gym.make("PixelReason-SyntheticSearch-v0", resampler="lanczoss")


def test_without_pyvips_the_way_to_install_it_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyvips", None)
    monkeypatch.delitem(sys.modules, "pixel_env.resampling.with_vips", raising=False)
    import pixel_env.resampling as room

    monkeypatch.delattr(room, "with_vips", raising=False)
    with pytest.raises(ConfigError, match=r"pip install 'pixel-reason\[vips\]'"):
        check_resampler("vips")


def test_after_a_fork_libvips_is_refused_where_it_would_hang(monkeypatch):
    pytest.importorskip("pyvips")
    from pixel_env.resampling import with_vips

    picture = waves(60, 40)
    monkeypatch.setattr(with_vips, "_used_in", os.getpid() + 1)  # as in a child
    with pytest.raises(ConfigError, match="spawn"):
        resized(picture, (30, 20), "vips")
    monkeypatch.setattr(with_vips, "_used_in", os.getpid())
    assert resized(picture, (30, 20), "vips").shape == (20, 30, 3)
