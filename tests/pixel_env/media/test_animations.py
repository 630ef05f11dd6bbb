"""Animated pictures as clips."""

import io

import numpy as np
import pytest
from PIL import Image

from pixel_env import ClipSource, DataError
from pixel_env.media.open_video import open_video

VALUES = range(0, 200, 20)


def animated(file_format, durations_ms=100, **options):
    frames = [Image.new("RGB", (64, 48), (value, 0, 255 - value)) for value in VALUES]
    file = io.BytesIO()
    frames[0].save(
        file,
        file_format,
        save_all=True,
        append_images=frames[1:],
        duration=durations_ms,
        **options,
    )
    return file.getvalue()


WEBP = {"lossless": True, "minimize_size": False, "kmin": 3, "kmax": 5}


@pytest.mark.parametrize("backend", ["auto", "pyav", "decord"])
def test_an_animated_webp_is_a_clip_whatever_the_backend(tmp_path, backend):
    (tmp_path / "clip.webp").write_bytes(animated("WEBP", **WEBP))
    for media in (tmp_path / "clip.webp", animated("WEBP", **WEBP)):
        clip = ClipSource(media, backend=backend)
        assert clip.n_frames == 10
        colours = clip.each_frame((9, 2, 10), lambda _, frame: frame.overview((64, 48))[5, 5])
        assert np.array(colours).tolist() == [[160, 0, 95], [20, 0, 235], [180, 0, 75]]


@pytest.mark.parametrize("file_format", ["GIF", "PNG"])
def test_other_animations_are_clips_too(file_format):
    clip = ClipSource(animated(file_format))
    assert clip.n_frames == 10
    red, _, blue = clip.frame(4).overview((64, 48))[5, 5].astype(int)
    assert abs(red - 60) < 4
    assert abs(blue - 195) < 4


def test_the_times_of_a_webp_are_its_own():
    data = animated("WEBP", [40] * 5 + [3800] + [40] * 4, **WEBP)
    video = open_video(data, "clip")
    assert np.allclose(video.times_s, [0, 0.04, 0.08, 0.12, 0.16, 0.2, 4, 4.04, 4.08, 4.12])
    assert video.fps == pytest.approx(10 / 4.16)
    assert ClipSource(data, start_s=4, end_s=5).sample_numbers(16) == (7, 8, 9, 10)
    with pytest.raises(DataError, match=r"between 2 and 3 seconds.*at 0\.20 and 4\.00"):
        ClipSource(data, start_s=2, end_s=3).sample_numbers(16)


def test_a_still_webp_is_a_clip_of_one_frame():
    file = io.BytesIO()
    Image.new("RGB", (64, 48), (7, 8, 9)).save(file, "WEBP", lossless=True)
    clip = ClipSource(file.getvalue())
    assert clip.n_frames == 1
    assert clip.frame(1).overview((64, 48))[0, 0].tolist() == [7, 8, 9]


@pytest.mark.parametrize("cut", [8, 12, 40, 200, -20])
def test_a_webp_cut_short_is_one_error(cut):
    data = animated("WEBP", **WEBP)[:cut]
    with pytest.raises(DataError, match=r"clip \(row 3\) can't be read") as fault:
        ClipSource(data, "clip (row 3)").each_frame((1, 10), lambda _, frame: frame.size)
    assert "\n" not in str(fault.value)
