"""Episodes on encoded clips: what is shown, what may be selected, and from where it is read."""

import gymnasium as gym
import numpy as np
import pytest
from videos import grey_pictures, moving_pictures, write_video

from pixel_env import (
    ClipSource,
    DataError,
    Grade,
    PixelReasoningEnv,
    Sample,
    Task,
    answer,
    select_frames,
    zoom_in,
)
from pixel_env.dialects import PixelReasonerDialect
from pixel_env.media.with_pyav import PyAVVideo
from pixel_env.vector import PixelReasoningVectorEnv
from pixel_env.wrappers import TextAction

EXACT = {"frame_px": (1, 10**7), "crop_px": (1, 10**7), "side_multiple": 1}


class VideoTask(Task):
    """Questions about parts of one mp4, as (start, end) in seconds."""

    name = "videos"

    def __init__(self, path, bounds=((None, None),), video_backend="auto"):
        self.path = path
        self.bounds = bounds
        self.video_backend = video_backend

    def __len__(self):
        return len(self.bounds)

    def __getitem__(self, index):
        start_s, end_s = self.bounds[index]
        clip = ClipSource(
            self.path, f"{self.path} (row {index + 1})", start_s, end_s, backend=self.video_backend
        )
        return Sample(str(index), "What happens?", (clip,), ("nothing",), origin=f"row {index + 1}")

    def grade(self, sample, answer):
        return Grade(float(answer == "nothing"), answer == "nothing", answer)


def checks(shift, size=256):
    """Makes single black and white pixels in turn, `shift` of the left columns inverted."""
    board = np.indices((size, size)).sum(0) % 2
    board[:, :shift] ^= 1
    return np.repeat(board[..., None] * 255, 3, 2).astype(np.uint8)


@pytest.mark.parametrize("backend", ["pyav", "decord"])
def test_selected_frames_show_what_only_the_files_resolution_holds(tmp_path, backend):
    """At 32 x 32 the boards are one flat grey; selected, single pixels alternate."""
    options = {"x264-params": "qp=0:scenecut=0:log-level=none"}
    write_video(tmp_path / "checks.mp4", [checks(8 * i) for i in range(20)], options=options)
    task = VideoTask(tmp_path / "checks.mp4", video_backend=backend)
    env = PixelReasoningEnv(task, clip_px=(32 * 32, 32 * 32), **EXACT)
    observation, _ = env.reset(seed=0)
    assert len(observation["images"]) == 16
    for image in observation["images"]:
        assert image.shape == (32, 32, 3)
        assert image.std() < 20
    observation, *_ = env.step(select_frames([2, 9]))
    for image, position in zip(observation["images"], (2, 9), strict=True):
        shift = 8 * (env.views[position - 1].source - 1)
        assert image.shape == (256, 256, 3)
        assert np.abs(image.astype(int) - checks(shift)).max() < 6
    observation, *_ = env.step(zoom_in([0, 0, 0.25, 0.25], target_image=3))
    assert observation["images"][0].shape == (64, 64, 3)
    assert observation["images"][0].std() > 100


def test_sampled_frames_are_read_in_one_pass_and_selected_ones_not_again(tmp_path, monkeypatch):
    write_video(tmp_path / "clip.mp4", grey_pictures(range(0, 240, 6)))
    passes = []
    real = PyAVVideo.read
    monkeypatch.setattr(
        PyAVVideo, "read", lambda self, numbers: passes.append(len(numbers)) or real(self, numbers)
    )
    env = PixelReasoningEnv(VideoTask(tmp_path / "clip.mp4"), **EXACT)
    env.reset(seed=0)
    assert passes == [16]
    env.step(select_frames([1, 5, 16]))
    assert passes == [16]
    for number in range(1, 41):
        env.sample.media[0].frame(number).release()
    env.step(select_frames([2, 5, 11]))
    assert passes == [16, 3]


@pytest.mark.parametrize(("n", "shown"), [(2, "frames 1 to 2 of a clip"), (1, "frame")])
def test_a_clip_with_fewer_frames_than_asked_names_them_everywhere(tmp_path, n, shown):
    write_video(tmp_path / "short.mp4", grey_pictures(range(0, 200, 100)[:n]))
    env = TextAction(PixelReasoningEnv(VideoTask(tmp_path / "short.mp4"), max_turns=9))
    observation, info = env.reset(seed=0)
    assert observation["n_frames"] == len(observation["images"]) == info["n_views"] == n
    question = PixelReasonerDialect().tell(observation)[-1]
    assert shown in question
    assert "16" not in question
    call = '<tool_call>{"name": "select_frames", "arguments": {"target_frames": [%d]}}</tool_call>'
    observation, *_, info = env.step(call % (n + 1))
    assert info["operation_error"] == "bad_frames"
    assert observation["feedback"] == f"target_frames must be numbers from 1 to {n}, got {n + 1}."
    *_, info = env.step(call % n)
    assert "operation_error" not in info
    observation, *_, info = env.unwrapped.step(select_frames([n + 1]))
    assert info["operation_error"] == "bad_frames"
    assert f"from 1 to {n}, got {n + 1}" in observation["feedback"]
    assert env.unwrapped.action_space["frames"].n == 16  # of any clip; the rest stays 0


def test_a_part_with_fewer_frames_than_asked_says_so(tmp_path):
    write_video(tmp_path / "clip.mp4", grey_pictures(range(0, 240, 10)), fps=10)
    env = PixelReasoningEnv(VideoTask(tmp_path / "clip.mp4", [(1.0, 1.2)]))
    observation, _ = env.reset(seed=0)
    assert observation["n_frames"] == 3
    assert [view.source for view in env.views] == [11, 12, 13]
    env.step(select_frames([3]))
    assert env.views[-1].source == 13


@pytest.mark.parametrize("backend", ["pyav", "decord"])
def test_the_backend_is_an_argument_of_make_and_changes_nothing(tmp_path, register, backend):
    path = tmp_path / "clip.mp4"
    write_video(path, moving_pictures(40, 320, 240))
    env_id = register("Videos", VideoTask, path=path)
    env, other = gym.make(env_id, video_backend=backend), gym.make(env_id)
    for step in (lambda e: e.reset(seed=0), lambda e: e.step(select_frames([3, 11]))):
        ours, theirs = step(env)[0], step(other)[0]
        for image, twin in zip(ours["images"], theirs["images"], strict=True):
            assert np.array_equal(image, twin)
    assert env.unwrapped.sample.media[0].backend == backend


@pytest.mark.parametrize("backend", ["pyav", "decord"])
def test_workers_and_threads_read_the_same_frames(tmp_path, backend):
    path = tmp_path / "clip.mp4"
    write_video(path, moving_pictures(30, 128, 96))
    task = VideoTask(path, [(None, None), (0.5, 2.5)], backend)
    alone = PixelReasoningEnv(task)
    expected = [alone.reset(options={"index": index})[0]["images"] for index in (0, 1)]
    alone.reset(options={"index": 0})

    def make():
        return alone  # which has read the clip before

    workers = gym.vector.AsyncVectorEnv([make, make], shared_memory=False, context="fork")
    images = workers.reset(options={"index": 1})[0]["images"]
    workers.close()
    lanes = PixelReasoningVectorEnv([lambda: PixelReasoningEnv(task)] * 4, n_threads=4)
    threaded = lanes.reset(options={"index": [0, 1, 1, 0]})[0]["images"]
    lanes.close()
    for got, index in zip([*images, *threaded], [1, 1, 0, 1, 1, 0], strict=True):
        for image, wanted in zip(got, expected[index], strict=True):
            assert np.array_equal(image, wanted)


def test_a_fault_of_a_clip_ends_its_episode_and_no_other(tmp_path):
    write_video(tmp_path / "clip.mp4", grey_pictures(range(0, 240, 10)), fps=10)
    env = PixelReasoningEnv(VideoTask(tmp_path / "clip.mp4", [(7.0, 8.0), (0.0, 1.0)]))
    _, info = env.reset(options={"index": 0})
    assert "clip.mp4 (row 1) has no frame between 7.0 and 8.0 seconds" in info["env_error"]
    assert env.step(answer("nothing"))[2:4] == (False, True)
    assert "env_error" not in env.reset(options={"index": 1})[1]
    assert env.step(answer("nothing"))[1] == 1
    with pytest.raises(DataError):
        env.task[0].media[0].sample_numbers(16)
