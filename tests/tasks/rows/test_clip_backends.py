"""Task sets with clips pass on what decodes them."""

import json

import gymnasium as gym
import numpy as np
import pytest
from videos import moving_pictures, write_video

from pixel_env import ConfigError, select_frames
from pixel_env.tasks.mvbench import MVBench


@pytest.fixture
def records(tmp_path):
    """One question about a part of an mp4."""
    write_video(tmp_path / "clip.mp4", moving_pictures(40, 160, 120), fps=10)
    row = {"video": "clip.mp4", "question": "What moves?", "answer": "all", "start": 1, "end": 3}
    path = tmp_path / "mine.jsonl"
    path.write_text(json.dumps(row) + "\n", "utf-8")
    return str(path)


def test_records_are_the_same_through_both_backends(records):
    shown = {}
    for backend in ("pyav", "decord", "auto"):
        env = gym.make("PixelReason-Records-v0", data_dir=records, video_backend=backend)
        first = env.reset(options={"index": 0})[0]["images"]
        more = env.step(select_frames([2, 16]))[0]["images"]
        assert [view.source for view in env.unwrapped.views[:2]] == [11, 12]
        assert env.unwrapped.sample.media[0].backend == backend
        shown[backend] = [*first, *more]
    for backend in ("decord", "auto"):
        for image, twin in zip(shown[backend], shown["pyav"], strict=True):
            assert np.array_equal(image, twin)


def test_an_unknown_backend_is_told_when_the_environment_is_made(records, tmp_path):
    with pytest.raises(ConfigError, match="Did you mean 'pyav'"):
        gym.make("PixelReason-Records-v0", data_dir=records, video_backend="pyva")
    with pytest.raises(ConfigError, match="Did you mean 'decord'"):
        MVBench(tmp_path, video_backend="decored")
