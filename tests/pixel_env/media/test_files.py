"""Only regular files are opened, and only where they may lie."""

import os
import socket

import numpy as np
import pytest
from PIL import Image
from videos import grey_pictures, write_video

from pixel_env import ClipSource, ConfigError, DataError, ImageSource
from pixel_env.media import picture_files, video
from pixel_env.media.clip_reading import ClipReading
from pixel_env.media.files import LeadsOutError, checked_inside, open_regular
from pixel_env.media.open_video import open_video


def test_a_pipe_a_socket_a_device_and_a_folder_are_refused_at_once(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe.png")
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind("socket.png")
    (tmp_path / "device.png").symlink_to("/dev/zero")
    (tmp_path / "folder.png").mkdir()
    for name in ("pipe.png", "socket.png", "device.png", "folder.png"):
        with pytest.raises(OSError, match="no regular file"):
            open_regular(name)
        with pytest.raises(DataError, match=name):
            _ = ImageSource(name).size
        with pytest.raises(DataError, match=name):
            _ = ClipSource([name], name).frame(1).size
    for name in ("pipe.png", "socket.png", "device.png"):
        with pytest.raises(DataError, match="no regular file"):
            _ = ClipSource(name).n_frames


def test_a_path_is_followed_through_every_link(tmp_path):
    inside = tmp_path / "data"
    (inside / "deep").mkdir(parents=True)
    (inside / "real").write_text("x")
    (tmp_path / "other").write_text("x")
    (inside / "deep" / "up").symlink_to(inside / "real")
    (inside / "out").symlink_to(inside / "hop")
    (inside / "hop").symlink_to(tmp_path / "other")
    assert checked_inside(inside / "deep" / "up", [inside]) == inside / "deep" / "up"
    with pytest.raises(LeadsOutError, match="leads out of"):
        checked_inside(inside / "out", [inside])
    with pytest.raises(OSError, match="nothing"):
        checked_inside(inside / "nothing", [inside])


def test_a_frame_that_leads_out_of_its_folders_is_a_fault_and_the_others_are_shown(tmp_path):
    frames = tmp_path / "data" / "frames"
    frames.mkdir(parents=True)
    for name in (tmp_path / "secret.png", frames / "1.png"):
        Image.new("RGB", (8, 8)).save(name)
    (frames / "2.png").symlink_to(tmp_path / "secret.png")
    clip = ClipSource(frames, "clip (row 3)", reading=ClipReading(within=(tmp_path / "data",)))
    assert clip.frame(1).size == (8, 8)
    with pytest.raises(DataError, match=r"clip \(row 3\), frame 2 \(2\.png\).*leads out of"):
        clip.frame(2)
    assert ClipSource(frames).frame(2).size == (8, 8)  # whoever names no folders reads any


@pytest.mark.parametrize("backend", ["pyav", "decord"])
def test_a_pass_that_takes_too_long_is_a_fault(tmp_path, monkeypatch, backend):
    write_video(tmp_path / "clip.mp4", grey_pictures(range(0, 240, 10)))
    opened = open_video(tmp_path / "clip.mp4", "clip (row 3)", backend, max_decode_s=60)
    clock = iter(range(0, 10**6, 70))  # each reading of it is 70 seconds later
    monkeypatch.setattr(video.time, "monotonic", lambda: float(next(clock)))
    with pytest.raises(DataError, match=r"clip \(row 3\).*longer than 60 seconds"):
        list(opened.read([1, 24]))
    with pytest.raises(DataError, match=r"longer than 60 seconds"):
        open_video(tmp_path / "clip.mp4", "clip (row 3)", backend, max_decode_s=60)


@pytest.mark.parametrize("bound", [0, -1, "3", None, True, float("nan")])
def test_a_bound_that_is_none_is_refused_at_once(bound):
    with pytest.raises(ConfigError, match="max_decode_s"):
        ClipReading(max_decode_s=bound)


@pytest.mark.parametrize("name", ["clip.mp4", "clip.gif", "clip.webp"])
def test_the_limit_of_pixels_holds_for_the_frames_of_clips(tmp_path, monkeypatch, name):
    if name.endswith("mp4"):
        write_video(tmp_path / name, grey_pictures([0, 99], 64, 48))
    else:
        frames = [Image.new("RGB", (64, 48), (value, 0, 0)) for value in (0, 99)]
        frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:])
    assert ClipSource(tmp_path / name).n_frames == 2
    monkeypatch.setattr(video.rgb, "MAX_PIXELS", 64 * 48 - 1)
    with pytest.raises(DataError, match=r"64 x 48 pixels"):
        _ = ClipSource(tmp_path / name).n_frames


def test_a_picture_that_takes_too_much_memory_is_refused_before_it_is_decoded(
    monkeypatch, tmp_path
):
    Image.new("RGB", (100, 100)).save(tmp_path / "a.webp")
    monkeypatch.setattr(picture_files, "MAX_BYTES", 100 * 100 * 16 - 1)
    with pytest.raises(DataError, match=r"100 x 100 pixels in WEBP, which take"):
        _ = ImageSource(tmp_path / "a.webp").size
    Image.new("RGB", (100, 100)).save(tmp_path / "a.png")
    assert ImageSource(tmp_path / "a.png").size == (100, 100)  # whose decoder keeps nothing


def test_a_jpeg_of_too_many_scans_is_refused(monkeypatch, tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.jpg", progressive=True)
    assert ImageSource(tmp_path / "a.jpg").size == (64, 64)
    monkeypatch.setattr(picture_files, "MAX_SCANS", 5)
    with pytest.raises(DataError, match=r"a JPEG of \d+ scans, and over 5"):
        _ = ImageSource(tmp_path / "a.jpg").size


def test_a_mistake_in_a_callers_own_function_is_not_the_datas():
    with pytest.raises(AttributeError):
        _ = ImageSource(lambda: None.missing).size
    with pytest.raises(DataError, match="gone"):
        _ = ImageSource(lambda: open("gone"), "gone").size  # noqa: SIM115
