"""Sampled frames: MVBench's rule, and as many different frames as there are."""

import importlib.util

import numpy as np
import pytest
from PIL import Image
from videos import grey_pictures, write_video

from pixel_env import ClipSource, ConfigError, DataError
from pixel_env.media.clip_reading import ClipReading
from pixel_env.media.frame_sampling import (
    bounded_indices,
    spread_indices,
    timed_indices,
)
from pixel_env.media.open_video import open_video


def clip_of(total, **bounds):
    return ClipSource(np.zeros((total, 1, 1, 3), np.uint8), **bounds)


@pytest.fixture
def frame_folder(tmp_path):
    """A folder of 90 frames, 00001.png to 00090.png."""
    for number in range(1, 91):
        Image.new("L", (4, 4), 2 * number).save(tmp_path / f"{number:05d}.png")
    return tmp_path


@pytest.mark.parametrize(
    ("total", "n", "expected"),
    [(3, 16, (1, 2, 3)), (16, 16, tuple(range(1, 17))), (9, 4, (2, 4, 6, 8)), (101, 2, (26, 76))],
)
def test_sampled_frames_are_the_middles_of_equal_parts(total, n, expected):
    assert clip_of(total).sample_numbers(n) == expected


@pytest.mark.parametrize("total", range(1, 60))
def test_as_many_frames_as_asked_are_sampled_all_different(total):
    for n in (1, 2, 7, 16):
        numbers = clip_of(total).sample_numbers(n)
        assert len(set(numbers)) == len(numbers) == min(n, total)
        assert list(numbers) == sorted(numbers)
        assert 1 <= numbers[0] <= numbers[-1] <= total


@pytest.mark.parametrize(
    ("fps", "start_s", "end_s", "expected"),
    [
        (30.0, 2.0, 5.5, (60, 165)),
        (30.0, None, None, (0, 299)),
        (30.0, None, 4.0, (0, 120)),
        (30.0, 9.0, None, (270, 299)),
        (30.0, -3.0, 99.0, (0, 299)),
        (25.0, 0.1, 0.3, (2, 8)),  # 2.5 and 7.5 round to the even neighbour
        (29.97, 3.3, 7.0, (99, 210)),  # 98.9 and 209.79
    ],
)
def test_bounds_in_seconds_become_frames_by_mvbenchs_rule(fps, start_s, end_s, expected):
    assert bounded_indices(0, 299, fps, start_s, end_s) == expected


def test_frames_between_bounds_are_those_of_mvbenchs_rule():
    """60 to 165 in 4 parts of 26.25: 13.125 into each, whose starts are rounded to 0, 26, 52, 79.

    73.125, 99.125, 125.125 and 152.125, from 0; the half of 52.5 goes to the even 52.
    """
    assert spread_indices(60, 165, 4) == (73, 99, 125, 152)
    clip = clip_of(300, fps=30, start_s=2.0, end_s=5.5)
    assert clip.sample_numbers(4) == (74, 100, 126, 153)
    assert clip.n_frames == 300
    assert clip.sample_numbers(1) == (113,)  # 60 + 52.5


def test_a_whole_clip_of_eight_frames_is_sampled_by_the_same_rule():
    """0 to 299 in 8 parts of 37.375: 18.6875 plus 0, 37, 75, 112, 150, 187, 224, 262."""
    assert clip_of(300).sample_numbers(8) == (19, 56, 94, 131, 169, 206, 243, 281)


def test_a_folder_of_frames_counts_from_1(frame_folder):
    """At 3 a second, 10 to 20 seconds are frames 30 to 60 by name: parts of 7.5 in 4.

    30 + 3.75 + 0, 8 (7.5 rounded), 15, 22 (22.5 rounded) are 33, 41, 48 and 55.
    """
    clip = ClipSource(frame_folder, start_s=10, end_s=20, fps=3)
    assert clip.sample_numbers(4) == (33, 41, 48, 55)
    frame = clip.frame(33)
    assert frame.overview(frame.size)[0, 0, 0] == 66
    assert frame.name.endswith("frame 33 (00033.png)")
    from_start = ClipSource(frame_folder, start_s=0, end_s=1, fps=3)
    assert from_start.sample_numbers(16) == (1, 2, 3)


GAP_MS = [*range(0, 400, 40), *range(4000, 4400, 40)]
"""Ten frames from 0 to 0.36 seconds, and ten from 4.0 to 4.36."""


@pytest.fixture(scope="module", params=["gap.mp4", "gap.mkv"])
def uneven(request, tmp_path_factory):
    path = tmp_path_factory.mktemp("uneven") / request.param
    write_video(path, grey_pictures(range(0, 240, 12)), times_ms=GAP_MS)
    return path


@pytest.mark.parametrize("backend", ["pyav", "decord", "decord alone"])
def test_a_part_of_a_video_file_goes_by_its_frames_own_times(uneven, backend, monkeypatch):
    if backend == "decord alone":
        real = importlib.util.find_spec
        monkeypatch.setattr(
            importlib.util, "find_spec", lambda name: None if name == "av" else real(name)
        )

    def numbers(start_s, end_s, n=16):
        clip = ClipSource(uneven, "clip (row 4)", start_s, end_s, backend=backend.split()[0])
        return clip.sample_numbers(n)

    assert numbers(4.0, 4.4) == tuple(range(11, 21))
    assert numbers(4.04, 4.36) == tuple(range(12, 21))
    assert numbers(None, 0.4) == tuple(range(1, 11))
    assert numbers(0.3, None) == tuple(range(9, 21))
    assert numbers(4.0, 4.4, 2) == (13, 17)  # of 10 to 19: parts of 4.5, 12.25 and 16.25
    with pytest.raises(DataError, match=r"row 4\) has no frame between 2 and 3 seconds: the ne"):
        numbers(2, 3)
    with pytest.raises(DataError, match=r"the nearest is at 4\.36"):
        numbers(5, 6)


def test_mvbenchs_formula_goes_by_a_constant_rate(tmp_path):
    """20 frames in 4.4 seconds are 4.5 a second: 4.0 to 4.4 are indices 18 and 20."""
    path = tmp_path / "gap.mp4"
    write_video(path, grey_pictures(range(0, 240, 12)), times_ms=GAP_MS)
    clip = ClipSource(path, start_s=4.0, end_s=4.4, reading=ClipReading(constant_rate=True))
    assert 4.4 < open_video(path, "gap", "pyav").fps < 4.6
    assert clip.sample_numbers(16) == (19, 20)
    assert ClipSource(path, start_s=1, end_s=2, fps=5).sample_numbers(16) == tuple(range(6, 12))


def test_times_count_from_the_files_start(tmp_path):
    """A transport stream begins at 1.4 seconds."""
    path = tmp_path / "stream.ts"
    write_video(path, grey_pictures(range(0, 240, 10)), fps=10, container_format="mpegts")
    assert ClipSource(path, start_s=0.5, end_s=0.8).sample_numbers(16) == (6, 7, 8, 9)


def test_a_bound_takes_in_the_frame_whose_time_was_rounded():
    assert timed_indices((0.0, 0.0333, 0.0667), 1 / 30, 2 / 30) == (1, 2)
    assert timed_indices((0.0, 0.5, 1.0), None, None) == (0, 2)


def test_a_video_file_counts_from_0_at_its_own_rate(tmp_path):
    """At 10 a second, 0.5 to 1.7 seconds are indices 5 to 17: parts of 3 in 4, 6.5 plus 3i."""
    write_video(tmp_path / "clip.mp4", grey_pictures(range(0, 240, 10)), fps=10)
    clip = ClipSource(tmp_path / "clip.mp4", start_s=0.5, end_s=1.7)
    assert clip.sample_numbers(4) == (7, 10, 13, 16)
    for number in clip.sample_numbers(4):
        frame = clip.frame(number)
        assert abs(frame.overview(frame.size).mean() - 10 * (number - 1)) < 3
    slower = ClipSource(tmp_path / "clip.mp4", start_s=0.5, end_s=1.7, fps=5)
    assert slower.sample_numbers(99) == (3, 4, 5, 6, 7, 8, 9)  # 2.5 and 8.5, to the even


def test_bounds_with_fewer_frames_than_asked_give_each_once():
    assert clip_of(300, fps=1, start_s=10, end_s=12).sample_numbers(16) == (11, 12, 13)


@pytest.mark.parametrize(("start_s", "end_s"), [(40, 50), (300, None), (None, -1)])
def test_bounds_without_a_frame_are_a_fault_of_the_data(start_s, end_s):
    clip = ClipSource(np.zeros((30, 1, 1, 3), np.uint8), "clip (row 4)", start_s, end_s, 1)
    with pytest.raises(DataError, match=r"clip \(row 4\) has no frame between.*ends after 30\.00"):
        clip.sample_numbers(16)


@pytest.mark.parametrize(("start_s", "end_s"), [(5, 5), (6, 2), (float("nan"), 2), (0, 1e999)])
def test_bounds_that_hold_nothing_are_a_fault_of_the_data(start_s, end_s):
    with pytest.raises(DataError, match=r"clip \(row 4\)"):
        ClipSource("clip.mp4", "clip (row 4)", start_s, end_s)


@pytest.mark.parametrize(
    "wrong", [{"start_s": "0:01"}, {"end_s": True}, {"fps": 0}, {"fps": "3"}, {"fps": float("inf")}]
)
def test_bounds_of_another_kind_are_a_developers_mistake(wrong):
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        ClipSource("clip.mp4", **wrong)


def test_bounds_of_a_folder_need_its_rate(frame_folder):
    with pytest.raises(ConfigError, match="expected fps"):
        ClipSource(frame_folder, start_s=1).sample_numbers(4)
