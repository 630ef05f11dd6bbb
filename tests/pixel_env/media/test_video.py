"""Video files: both backends give the same frames, and read no more of a file than they must."""

import importlib.util
import io
import os

import av
import numpy as np
import pytest
from videos import decoded, grey_pictures, moving_pictures, trim_mp4, turn_mp4, write_video

from pixel_env import ClipSource, ConfigError, DataError
from pixel_env.media.open_video import open_video

UNEVEN_MS = [0, 40, 50, 170, 180, 400, 410, 420, 700, 705, 800, 1000, 1300, 1310, 1350, 1500]
KINDS = {
    "b_frames.mp4": {"b_frames": 3, "options": {"x264-params": "scenecut=0:bframes=3:b-pyramid=2"}},
    "no_b_frames.mp4": {"b_frames": 0},
    "one_keyframe.mp4": {"keyframe_every": 1000},
    "close_keyframes.mp4": {"keyframe_every": 2},
    "open_groups.mp4": {"options": {"x264-params": "open-gop=1:scenecut=0:keyint=8:bframes=3"}},
    "uneven.mp4": {"times_ms": UNEVEN_MS},
    "mpeg4.mp4": {"codec": "mpeg4"},
    "hevc.mp4": {"codec": "libx265", "options": {"x265-params": "keyint=8:log-level=none"}},
    "vp9.webm": {"codec": "libvpx-vp9", "keyframe_every": 8},
    "matroska.mkv": {},
    "colours_444.mp4": {"pixel_format": "yuv444p"},
}
"""What `write_video` is given for each kind of file; the suffix names the container."""

both = pytest.mark.parametrize("backend", ["pyav", "decord"])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder of one file of each kind."""
    made = tmp_path_factory.mktemp("videos")
    for name, kind in KINDS.items():
        n = len(UNEVEN_MS) if "times_ms" in kind else 26
        write_video(made / name, moving_pictures(n, 64, 48), **kind)
    return made


def read(path, backend, numbers):
    video = open_video(path, str(path), backend)
    frames = dict(video.read(numbers))
    assert list(frames) == list(numbers)
    return [frames[number] for number in numbers]


@both
@pytest.mark.parametrize("kind", KINDS)
def test_every_frame_is_that_of_a_decoding_from_the_start(folder, backend, kind):
    path, expected = folder / kind, decoded(folder / kind)
    n = open_video(path, kind, backend).n_frames
    assert n == len(expected) == (16 if kind == "uneven.mp4" else 26)
    for frame, wanted in zip(read(path, backend, range(1, n + 1)), expected, strict=True):
        assert np.array_equal(frame, wanted)
    for numbers in ([n], [1], [n // 2], [9], [2, 3, 8, n - 1]):  # each after its own seek
        for frame, number in zip(read(path, backend, numbers), numbers, strict=True):
            assert np.array_equal(frame, expected[number - 1])


def test_formats_that_decord_reads_wrongly_are_refused_by_it(tmp_path):
    for name, container_format in (("stream.ts", "mpegts"), ("raw.h264", "h264")):
        write_video(tmp_path / name, moving_pictures(26, 64, 48), container_format=container_format)
        with pytest.raises(DataError, match="use the backend 'pyav'"):
            open_video(tmp_path / name, name, "decord")


@both
def test_frames_are_numbered_as_they_are_shown_not_as_they_are_stored(tmp_path, backend):
    write_video(tmp_path / "rising.mp4", grey_pictures(range(0, 240, 10)), b_frames=3)
    with av.open(tmp_path / "rising.mp4") as container:
        stored = [packet.pts for packet in container.demux(video=0) if packet.size]
    assert stored != sorted(stored)
    for i, frame in enumerate(read(tmp_path / "rising.mp4", backend, range(1, 25))):
        assert abs(frame.mean() - 10 * i) < 3


@both
@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_file_is_turned_as_it_says(tmp_path, backend, quarters):
    write_video(tmp_path / "lying.mp4", moving_pictures(6, 96, 64))
    lying = decoded(tmp_path / "lying.mp4")[4]
    turned = tmp_path / "turned.mp4"
    turned.write_bytes(turn_mp4((tmp_path / "lying.mp4").read_bytes(), quarters))
    assert np.array_equal(read(turned, backend, [5])[0], np.rot90(lying, -quarters))


@both
def test_the_bytes_of_a_file_are_read_as_the_file(folder, backend):
    data = (folder / "b_frames.mp4").read_bytes()
    video = open_video(data, "embedded", backend)
    expected = decoded(folder / "b_frames.mp4")
    assert video.n_frames == 26
    assert video.fps == 10
    for number, frame in video.read([3, 20]):
        assert np.array_equal(frame, expected[number - 1])


def test_odd_sides_are_read_by_pyav_and_refused_by_decord(tmp_path):
    path = tmp_path / "odd.mp4"
    write_video(path, moving_pictures(5, 65, 47), codec="mpeg4")
    assert np.array_equal(read(path, "pyav", [4])[0], decoded(path)[3])
    assert read(path, "auto", [4])[0].shape == (47, 65, 3)
    with pytest.raises(DataError, match=r"odd\.mp4.*65 x 47 pixels; use the backend 'pyav'"):
        open_video(path, str(path), "decord")


def test_ten_bits_are_read_by_pyav_and_refused_by_decord(tmp_path):
    path = tmp_path / "deep.mp4"
    write_video(path, grey_pictures([0, 120, 240]), pixel_format="yuv420p10le")
    for frame, grey in zip(read(path, "pyav", [1, 2, 3]), (0, 120, 240), strict=True):
        assert abs(frame.mean() - grey) < 3
    with pytest.raises(DataError, match="yuv420p10le"):
        open_video(path, str(path), "decord")


def test_what_a_trimmed_file_leaves_out_has_no_number(tmp_path):
    write_video(tmp_path / "whole.mp4", moving_pictures(40, 64, 48))
    trim_mp4(tmp_path / "whole.mp4", tmp_path / "trimmed.mp4", 5)
    whole = decoded(tmp_path / "whole.mp4")
    assert open_video(tmp_path / "trimmed.mp4", "trimmed", "pyav").n_frames == 35
    for number in (1, 7, 8, 35):
        frame = read(tmp_path / "trimmed.mp4", "pyav", [number])[0]
        assert np.array_equal(frame, whole[number + 4])
    with pytest.raises(DataError, match="decord counts 40 frames where 35 are shown"):
        open_video(tmp_path / "trimmed.mp4", "trimmed", "decord")


def test_a_file_without_times_is_decoded_from_its_start(tmp_path):
    path = tmp_path / "raw.h264"
    write_video(path, grey_pictures(range(0, 240, 10)), b_frames=3, container_format="h264")
    video = open_video(path, "raw", "pyav")
    assert not video.is_indexed
    assert video.n_frames == 24
    for number, frame in video.read([2, 3, 24]):
        assert abs(frame.mean() - 10 * (number - 1)) < 3


def test_a_stream_that_can_not_seek_to_its_beginning_is_read_whole(tmp_path):
    path = tmp_path / "stream.ts"
    write_video(path, moving_pictures(26, 64, 48), container_format="mpegts")
    expected = decoded(path)
    for numbers in ([1], [26], [1, 13, 26]):
        for frame, number in zip(read(path, "pyav", numbers), numbers, strict=True):
            assert np.array_equal(frame, expected[number - 1])


def test_no_more_is_decoded_than_from_the_keyframes_before(folder, monkeypatch):
    """Of 26 frames with keyframes 1, 13 and 25, frames 14 and 26 need two and two."""
    seeks, packets = [], []
    real = av.open

    class Counting:
        def __init__(self, container):
            self.container = container

        def __getattr__(self, name):
            return getattr(self.container, name)

        def __enter__(self):
            self.container.__enter__()
            return self

        def __exit__(self, *fault):
            self.container.__exit__(*fault)

        def seek(self, *args, **kwargs):
            seeks.append(args[0])
            self.container.seek(*args, **kwargs)

        def demux(self, stream):
            for packet in self.container.demux(stream):
                packets.append(packet)
                yield packet

    video = open_video(folder / "no_b_frames.mp4", "counted", "pyav")
    monkeypatch.setattr(av, "open", lambda *args, **kwargs: Counting(real(*args, **kwargs)))
    assert [number for number, _ in video.read([14, 15, 26])] == [14, 15, 26]
    assert len(seeks) == 2
    assert 5 <= len(packets) <= 8


def test_frames_that_no_other_needs_are_not_decoded(folder, monkeypatch):
    came = []
    real = av.Packet.decode

    def decode(packet):
        frames = real(packet)
        came.extend(frames)
        return frames

    monkeypatch.setattr(av.Packet, "decode", decode)
    n_decoded = {}
    for codecs in (("h264",), ()):
        monkeypatch.setattr("pixel_env.media.with_pyav._SKIPPING", codecs)
        came.clear()
        assert len(read(folder / "b_frames.mp4", "pyav", [12])) == 1
        n_decoded[codecs] = len(came)
    assert 2 <= n_decoded["h264",] < n_decoded[()] - 2


@both
def test_no_file_stays_open(folder, backend):
    def n_open():
        return len(os.listdir("/proc/self/fd"))

    clips = []
    before = n_open()
    for _ in range(200 if backend == "pyav" else 60):
        clips.append(ClipSource(folder / "no_b_frames.mp4", backend=backend))
        assert clips[-1].frame(2).size == (64, 48)
    assert n_open() <= before + 2
    del clips


@both
def test_a_file_that_was_taken_away_after_it_was_indexed_is_named(tmp_path, backend):
    path = tmp_path / "gone.mp4"
    write_video(path, grey_pictures([0, 100, 200]))
    video = open_video(path, str(path), backend)
    path.unlink()
    with pytest.raises(DataError, match=r"gone\.mp4 can't be read: frame 2"):
        list(video.read([2]))


def test_a_missing_backend_is_reported_with_its_remedy(folder, monkeypatch):
    path = folder / "b_frames.mp4"
    real = importlib.util.find_spec

    def without(*packages):
        monkeypatch.setattr(
            importlib.util, "find_spec", lambda name: None if name in packages else real(name)
        )

    without("av", "decord")
    for backend in ("auto", "pyav", "decord"):
        with pytest.raises(ConfigError, match=r"pixel-reason\[video\]"):
            open_video(path, "clip", backend)
    without("av")
    assert type(open_video(path, "clip", "auto")).__name__ == "DecordVideo"
    open_groups = folder / "open_groups.mp4"  # in which decord's own seeks go wrong
    expected = decoded(open_groups)
    for numbers in ([9], [15, 26]):
        for frame, number in zip(read(open_groups, "auto", numbers), numbers, strict=True):
            assert np.array_equal(frame, expected[number - 1])
    without("decord")
    assert type(open_video(path, "clip", "auto")).__name__ == "PyAVVideo"


def test_an_unknown_backend_is_refused_at_once():
    with pytest.raises(ConfigError, match="Did you mean 'decord'"):
        ClipSource("clip.mp4", backend="decort")


def test_a_clip_can_be_written_to_memory():
    file = io.BytesIO()
    write_video(file, grey_pictures([0, 100, 200]), container_format="mp4")
    assert ClipSource(file.getvalue()).n_frames == ClipSource(file.getvalue, fps=2.0).n_frames == 3
