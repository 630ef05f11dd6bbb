"""Clips from folders, lists, arrays and video files, with frames numbered from 1."""

import builtins
import io
import struct

import numpy as np
import pytest
from PIL import Image

from pixel_env import ClipSource, ConfigError, DataError, ImageSource


def grey(value, size=(64, 48)):
    return Image.new("RGB", size, (value, value, value))


def chunk(name, data):
    return name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)


def write_video(path, values, size=(64, 48), fps=10):
    """Writes an AVI of JPEG frames, one grey value each."""
    jpegs = []
    for value in values:
        file = io.BytesIO()
        grey(value, size).save(file, "JPEG", quality=95)
        jpegs.append(file.getvalue())
    width, height = size
    main = struct.pack(
        "<14I", 10**6 // fps, 0, 0, 0x10, len(jpegs), 0, 1, 0, width, height, 0, 0, 0, 0
    )
    stream = struct.pack(
        "<4s4sIHHIIIIIIII4H", b"vids", b"MJPG", 0, 0, 0, 0, 1, fps, 0, len(jpegs), 0, 0, 0,
        0, 0, width, height,
    )  # fmt: skip
    picture = struct.pack("<IiiHH4sIiiII", 40, width, height, 1, 24, b"MJPG", 0, 0, 0, 0, 0)
    header = chunk(b"avih", main) + chunk(
        b"LIST", b"strl" + chunk(b"strh", stream) + chunk(b"strf", picture)
    )
    movie, index, offset = b"movi", b"", 4
    for jpeg in jpegs:
        index += struct.pack("<4sIII", b"00dc", 0x10, offset, len(jpeg))
        frame = chunk(b"00dc", jpeg)
        movie += frame
        offset += len(frame)
    body = (
        b"AVI " + chunk(b"LIST", b"hdrl" + header) + chunk(b"LIST", movie) + chunk(b"idx1", index)
    )
    path.write_bytes(chunk(b"RIFF", body))


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


def test_a_video_file_gives_its_frames_at_full_resolution(tmp_path):
    pytest.importorskip("decord")
    write_video(tmp_path / "clip.avi", range(0, 240, 20))
    clip = ClipSource(tmp_path / "clip.avi")
    assert clip.n_frames == 12
    assert clip.frame(3).size == (64, 48)
    for number in (12, 1, 7):
        assert abs(value_of(clip.frame(number)) - 20 * (number - 1)) <= 2


def test_a_missing_decord_is_told_with_its_remedy(tmp_path, monkeypatch):
    write_video(tmp_path / "clip.avi", [0, 50])
    real = builtins.__import__

    def without_decord(name, *args, **kwargs):
        if name == "decord":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without_decord)
    with pytest.raises(ConfigError, match=r"pixel-reason\[video\]"):
        _ = ClipSource(tmp_path / "clip.avi").n_frames


def test_faults_of_the_data_name_the_clip(tmp_path):
    pytest.importorskip("decord")
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.mp4").write_bytes(b"no video" * 50)
    for name in ("empty", "text.mp4", "missing.mp4"):
        with pytest.raises(DataError, match=name):
            _ = ClipSource(tmp_path / name).n_frames


@pytest.mark.parametrize("media", [[], 7, b"bytes", None])
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


@pytest.mark.parametrize(
    ("total", "n", "expected"),
    [(3, 16, (1, 2, 3)), (16, 16, tuple(range(1, 17))), (9, 4, (2, 4, 6, 8)), (101, 2, (26, 76))],
)
def test_sampled_frames_are_the_middles_of_equal_parts(total, n, expected):
    clip = ClipSource(np.zeros((total, 1, 1, 3), np.uint8))
    assert clip.sample_numbers(n) == expected


@pytest.mark.parametrize("total", range(1, 60))
def test_as_many_frames_as_asked_are_sampled_all_different(total):
    clip = ClipSource(np.zeros((total, 1, 1, 3), np.uint8))
    for n in (1, 2, 7, 16):
        numbers = clip.sample_numbers(n)
        assert len(set(numbers)) == len(numbers) == min(n, total)
        assert list(numbers) == sorted(numbers)
        assert 1 <= numbers[0] <= numbers[-1] <= total
