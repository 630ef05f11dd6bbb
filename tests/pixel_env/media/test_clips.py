"""Clips from folders, lists, arrays and video files, with frames numbered from 1."""

import copy
import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image
from videos import grey_pictures, write_video

from pixel_env import ClipSource, ConfigError, DataError, ImageSource
from pixel_env.media import pictures as media
from pixel_env.media.with_pyav import PyAVVideo


def grey(value, size=(64, 48)):
    return Image.new("RGB", size, (value, value, value))


def value_of(source):
    return int(source.overview(source.size).mean().round())


def test_a_folder_is_read_in_the_order_of_names(tmp_path):
    for number, value in ((1, 10), (2, 20), (10, 100)):
        grey(value).save(tmp_path / f"{number:05d}.png")
    (tmp_path / "notes.txt").write_text("no frame")
    clip = ClipSource(tmp_path)
    assert clip.n_frames == 3
    assert [value_of(clip.frame(number)) for number in (1, 2, 3)] == [10, 20, 100]


def test_lists_and_arrays_of_frames(tmp_path):
    grey(30).save(tmp_path / "frame.png")
    mixed = ClipSource([np.full((4, 4, 3), 10, np.uint8), grey(20), tmp_path / "frame.png"])
    assert [value_of(mixed.frame(number)) for number in (1, 2, 3)] == [10, 20, 30]
    stacked = ClipSource(np.stack([np.full((4, 6, 3), 7 * i, np.uint8) for i in range(5)]))
    assert stacked.n_frames == 5
    assert value_of(stacked.frame(5)) == 28
    assert stacked.frame(5).size == (6, 4)


@pytest.mark.parametrize("backend", ["auto", "pyav", "decord"])
def test_a_video_file_gives_its_frames_at_full_resolution(tmp_path, backend):
    write_video(tmp_path / "clip.mp4", grey_pictures(range(0, 240, 20)))
    clip = ClipSource(tmp_path / "clip.mp4", backend=backend)
    assert clip.n_frames == 12
    assert clip.frame(3).size == (64, 48)
    for number in (12, 1, 7):
        assert abs(value_of(clip.frame(number)) - 20 * (number - 1)) <= 2


def test_numbers_in_names_count_as_numbers_and_hidden_files_not(tmp_path):
    for number, value in ((2, 20), (10, 100), (1, 10)):
        grey(value).save(tmp_path / f"frame{number}.png")
    (tmp_path / "._frame1.png").write_bytes(b"of another system")
    clip = ClipSource(tmp_path)
    assert [value_of(clip.frame(number)) for number in (1, 2, 3)] == [10, 20, 100]


def test_frames_that_are_used_together_are_decoded_in_one_pass(tmp_path, monkeypatch):
    write_video(tmp_path / "clip.mp4", grey_pictures(range(0, 240, 10)))
    clip = ClipSource(tmp_path / "clip.mp4", backend="pyav")
    passes = []
    real = PyAVVideo.read
    monkeypatch.setattr(
        PyAVVideo, "read", lambda self, numbers: passes.append(numbers) or real(self, numbers)
    )
    values = clip.each_frame((4, 9, 2), lambda number, frame: (number, value_of(frame)))
    assert [number for number, _ in values] == [4, 9, 2]
    assert all(abs(value - 10 * (number - 1)) <= 2 for number, value in values)
    assert passes == [[2, 4, 9]]
    clip.each_frame((2, 4, 5), lambda number, frame: value_of(frame))
    assert passes == [[2, 4, 9], [5]]


def test_large_frames_are_used_one_by_one_within_the_memory_budget(tmp_path, monkeypatch):
    """Only one frame fits; each is used before the next one takes its place."""
    monkeypatch.setattr(media, "_RECENT", media.RecentPictures(max_bytes=64 * 48 * 4))
    write_video(tmp_path / "clip.mp4", grey_pictures(range(0, 240, 10)))
    clip = ClipSource(tmp_path / "clip.mp4", backend="pyav")
    decoded = []

    def use(number, frame):
        assert abs(value_of(frame) - 10 * (number - 1)) <= 2
        decoded.append(sum(clip.frame(other).is_decoded for other in range(1, 25)))

    passes = []
    real = PyAVVideo.read
    monkeypatch.setattr(
        PyAVVideo, "read", lambda self, numbers: passes.append(numbers) or real(self, numbers)
    )
    clip.each_frame(range(1, 25), use)
    assert decoded == [1] * 24
    assert len(passes) == 1


def test_several_threads_that_want_the_same_frames_decode_them_once(tmp_path, monkeypatch):
    write_video(tmp_path / "clip.mp4", grey_pictures(range(0, 240, 10)))
    clip = ClipSource(tmp_path / "clip.mp4", backend="pyav")
    passes = []
    real = PyAVVideo.read
    monkeypatch.setattr(
        PyAVVideo, "read", lambda self, numbers: passes.append(numbers) or real(self, numbers)
    )
    with ThreadPoolExecutor(4) as pool:
        tasks = [
            pool.submit(clip.each_frame, (3, 12, 20), lambda _, frame: value_of(frame))
            for _ in range(8)
        ]
        values = {task.result() for task in tasks}
    assert len(values) == 1
    assert passes == [[3, 12, 20]]


@pytest.mark.parametrize("backend", ["pyav", "decord"])
def test_a_clip_that_was_read_can_be_pickled_and_copied(tmp_path, backend):
    write_video(tmp_path / "clip.mp4", grey_pictures(range(0, 240, 10)))
    clip = ClipSource(tmp_path / "clip.mp4", "clip (row 3)", 0.5, 1.5, backend=backend)
    assert abs(value_of(clip.frame(5)) - 40) <= 2
    for twin in (pickle.loads(pickle.dumps(clip)), copy.deepcopy(clip)):
        assert twin.name == "clip (row 3)"
        assert twin.sample_numbers(3) == clip.sample_numbers(3)
        assert abs(value_of(twin.frame(5)) - 40) <= 2


def test_nothing_is_opened_before_the_first_use():
    clip = ClipSource("nowhere/clip.mp4", start_s=1, end_s=2, fps=3)
    assert repr(clip) == "ClipSource('nowhere/clip.mp4')"
    calls = []
    rendered = ClipSource(lambda: calls.append(1) or b"no video")
    assert calls == []
    with pytest.raises(DataError, match="<video>"):
        _ = rendered.n_frames
    assert calls == [1]


def test_faults_of_the_data_name_the_clip(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.mp4").write_bytes(b"no video" * 50)
    for name in ("empty", "text.mp4", "missing.mp4"):
        with pytest.raises(DataError, match=name):
            _ = ClipSource(tmp_path / name).n_frames


@pytest.mark.parametrize("media", [[], 7, None, {"a": 1}])
def test_what_is_no_clip_is_refused_at_once(media):
    with pytest.raises(ConfigError):
        ClipSource(media)


@pytest.mark.parametrize("number", [0, -1, 4])
def test_frames_outside_the_clip_are_an_index_error(number):
    with pytest.raises(IndexError, match="from 1 to 3"):
        ClipSource(np.zeros((3, 4, 4, 3), np.uint8)).frame(number)


def test_a_frame_is_one_source_that_is_decoded_once():
    calls = []
    clip = ClipSource([lambda: calls.append(1) or np.zeros((4, 4, 3), np.uint8)])
    assert clip.frame(1) is clip.frame(1)
    assert isinstance(clip.frame(1), ImageSource)
    assert clip.frame(1).size == clip.frame(1).size == (4, 4)
    assert calls == [1]
