"""Environments over one task object get one sample object."""

import gc

import pytest
from tiny_tasks import PictureTask

from pixel_env import PixelReasoningEnv
from pixel_env.sharing import SampleCache, sample_cache


class Counted(PictureTask):
    def __init__(self):
        super().__init__(n=20)
        self.n_made = 0

    def __getitem__(self, index):
        self.n_made += 1
        return super().__getitem__(index)


def test_two_environments_over_one_task_decode_once():
    task = Counted()
    envs = [PixelReasoningEnv(task), PixelReasoningEnv(task, max_turns=2)]
    for env in envs:
        env.reset(options={"index": 7})
    assert task.n_made == 1
    assert envs[0].sample.media[0] is envs[1].sample.media[0]


def test_equal_tasks_share_nothing():
    first, second = PictureTask(), PictureTask()
    caches = sample_cache(first), sample_cache(second)
    assert caches[0] is not caches[1]
    assert caches[0] is sample_cache(first)


def test_only_the_last_samples_are_kept():
    task = Counted()
    cache = SampleCache(task, n_kept=2)
    for index in (0, 1, 0, 2, 0, 1):
        assert cache[index].id == f"picture-{index}"
    assert task.n_made == 4  # 1 made room for 2


def test_a_missing_sample_is_an_index_error():
    with pytest.raises(IndexError):
        SampleCache(Counted())[20]


def test_a_cache_dies_with_its_environments():
    task = Counted()
    env = PixelReasoningEnv(task)
    env.reset(options={"index": 7})
    del env
    gc.collect()
    assert sample_cache(task)[7].id == "picture-7"
    assert task.n_made == 2
