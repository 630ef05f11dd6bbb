"""Fixtures for every test: two tiny tasks, and ids that are registered for one test only."""

from collections.abc import Callable, Iterator
from typing import Any

import gymnasium as gym
import pytest
from tiny_tasks import ClipTask, PictureTask

from pixel_env import Task, register_task
from pixel_env.registration import flat_id


@pytest.fixture
def picture_task() -> PictureTask:
    return PictureTask()


@pytest.fixture
def clip_task() -> ClipTask:
    return ClipTask()


@pytest.fixture
def register() -> Iterator[Callable[..., str]]:
    """Registers tasks as `register_task` does, and forgets them after the test."""
    ids = []

    def register_for_now(name: str, task: str | type[Task], **defaults: Any) -> str:
        ids.append(register_task(name, task, **defaults))
        return ids[-1]

    yield register_for_now
    for env_id in ids:
        del gym.registry[env_id], gym.registry[flat_id(env_id)]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves learning runs out, unless `-m slow` or the test's own name asks for them."""
    if config.option.markexpr:
        return
    named = [argument for argument in config.args if "::" in argument]
    for item in items:
        names = (item.nodeid, item.nodeid.partition("[")[0])  # with its parameters, and without
        asked = any(each.endswith(name.rpartition("/")[2]) for name in named for each in names)
        if item.get_closest_marker("slow") and not asked:
            item.add_marker(pytest.mark.skip(reason="a learning run: name it, or pass -m slow"))
