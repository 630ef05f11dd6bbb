"""Clips as data sets hold them: each gives its frames, or one error that names file and frame."""

import av
import decord
import numpy as np
import pytest
from PIL import Image
from videos import decoded, grey_pictures, moving_pictures, write_audio, write_video

from pixel_env import ClipSource, DataError
from pixel_env.media.with_decord import DecordVideo

both = pytest.mark.parametrize("backend", ["pyav", "decord"])

STREAMED = {"movflags": "faststart"}
"""The index before the frames, so that a file cut in half still has it."""


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """An mp4 of 40 frames of about 2 kB each, its index first."""
    path = tmp_path_factory.mktemp("whole") / "whole.mp4"
    pictures = moving_pictures(40, 96, 64)
    write_video(path, pictures, container_options=STREAMED, b_frames=0)
    return path


def places(path):
    """Returns the first byte of each frame of a file, in the order stored."""
    with av.open(path) as container:
        return [packet.pos for packet in container.demux(video=0) if packet.size]


@both
@pytest.mark.parametrize("where", ["within a frame", "between two frames"])
def test_an_mp4_cut_short_is_one_error_that_names_file_and_frame(tmp_path, whole, backend, where):
    starts = places(whole)
    cut = starts[20] + 5 if where == "within a frame" else starts[20]
    path = tmp_path / "half.mp4"
    path.write_bytes(whole.read_bytes()[:cut])
    last = 21 if where == "within a frame" else 20
    clip = ClipSource(path, f"{path} (row 8)", backend=backend)
    for use in (lambda: clip.n_frames, lambda: clip.frame(1), lambda: clip.sample_numbers(16)):
        with pytest.raises(DataError, match=rf"half\.mp4 \(row 8\).*cut short in frame {last}$"):
            use()


@both
def test_an_mp4_whose_index_was_cut_off_is_one_error(tmp_path, backend):
    path = tmp_path / "half.mp4"
    write_video(path, grey_pictures(range(40)))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(DataError, match=r"half\.mp4.*not a video file"):
        _ = ClipSource(path, backend=backend).n_frames


@both
def test_the_frames_before_a_cut_of_a_matroska_file_are_the_clip(tmp_path, backend):
    path, half = tmp_path / "whole.mkv", tmp_path / "half.mkv"
    write_video(path, moving_pictures(40, 96, 64), b_frames=0)
    half.write_bytes(path.read_bytes()[: places(path)[30]])
    clip = ClipSource(half, backend=backend)
    assert 20 <= clip.n_frames <= 30
    shown = clip.frame(20).overview((96, 64))
    assert np.array_equal(shown, decoded(path)[19])


@both
def test_a_file_without_video_is_one_error(tmp_path, backend):
    write_audio(tmp_path / "sound.mp4")
    with av.open(tmp_path / "no_frames.mp4", "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        container.start_encoding()
    (tmp_path / "empty.mp4").write_bytes(b"")
    (tmp_path / "text.mp4").write_text("<!DOCTYPE html><title>404 Not Found</title>" * 50)
    (tmp_path / "folder.mp4").mkdir()
    (tmp_path / "dead.mp4").symlink_to(tmp_path / "gone.mp4")
    names = ["sound", "no_frames", "empty", "text", "folder", "dead", "missing", "long" * 100]
    for name in names:
        path = tmp_path / f"{name}.mp4"
        with pytest.raises(DataError, match=rf"clip .*{name}\.mp4 \(row 2\)") as fault:
            _ = ClipSource(path, f"{path} (row 2)", backend=backend).n_frames
        assert "\n" not in str(fault.value)


@pytest.fixture
def holed(tmp_path, whole):
    """The same file without the bytes of its 30th frame."""
    start, end = places(whole)[29:31]
    data = bytearray(whole.read_bytes())
    data[start:end] = bytes(end - start)
    path = tmp_path / "holed.mp4"
    path.write_bytes(data)
    return path


@both
def test_a_frame_that_can_not_be_decoded_is_named(whole, holed, backend):
    """Those before it are right."""
    clip = ClipSource(holed, backend=backend)
    assert clip.n_frames == 40
    assert np.array_equal(clip.frame(29).overview((96, 64)), decoded(whole)[28])
    with pytest.raises(DataError, match=r"holed\.mp4 can't be read: frame 30"):
        _ = clip.frame(30).size


def test_frames_before_a_fault_that_decord_meets_too_early_are_shown(monkeypatch, whole, holed):
    """Its thread runs ahead, on some days as far as the broken frame."""

    class Ahead:
        def get_batch(self, _):
            raise decord.DECORDError("Error sending packet")

        next = get_batch

    clip = DecordVideo(holed, "holed.mp4")
    monkeypatch.setattr(DecordVideo, "_opened", lambda self: Ahead())
    shown = dict(clip.read([25, 27, 29]))
    assert all(np.array_equal(shown[each], decoded(whole)[each - 1]) for each in (25, 27, 29))
    with pytest.raises(DataError, match="frame 30"):
        dict(clip.read([29, 30]))
    monkeypatch.setattr(clip, "_seen", None)  # as where PyAV isn't installed
    with pytest.raises(DataError, match=r"frame 25: Error sending packet"):
        dict(clip.read([25, 27]))


def test_a_link_to_a_file_and_to_a_folder_is_followed(tmp_path):
    write_video(tmp_path / "real.mp4", grey_pictures([0, 100, 200]))
    (tmp_path / "link.mp4").symlink_to(tmp_path / "real.mp4")
    (tmp_path / "frames").mkdir()
    Image.new("L", (8, 8), 50).save(tmp_path / "frames" / "1.png")
    (tmp_path / "linked").symlink_to(tmp_path / "frames")
    assert ClipSource(tmp_path / "link.mp4").n_frames == 3
    assert ClipSource(tmp_path / "linked").frame(1).overview((8, 8))[0, 0].tolist() == [50] * 3


def test_a_broken_frame_of_a_folder_is_named_and_the_others_are_shown(tmp_path):
    for number in (1, 2, 3):
        Image.new("L", (64, 48), 60 * number).save(tmp_path / f"{number:05d}.jpg")
    broken = tmp_path / "00002.jpg"
    broken.write_bytes(broken.read_bytes()[:-200])
    clip = ClipSource(tmp_path, "clip_7 (rows.jsonl row 7)")
    assert clip.n_frames == 3
    for number in (1, 3):
        assert abs(clip.frame(number).overview((64, 48)).mean() - 60 * number) < 2
    with pytest.raises(DataError, match=r"clip_7 \(rows.jsonl row 7\), frame 2 \(00002\.jpg\)"):
        clip.each_frame((1, 2, 3), lambda number, frame: frame.size)
