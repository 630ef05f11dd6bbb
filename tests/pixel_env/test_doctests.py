"""The examples in the docstrings run."""

import doctest
import importlib
import pkgutil

import pytest

import pixel_env

OTHERS = ("pixel_env.tasks", "pixel_env.agents", "pixel_env.scripts")
"""Rooms whose examples run elsewhere."""
MODULES = [
    info.name
    for info in pkgutil.walk_packages(pixel_env.__path__, "pixel_env.")
    if not info.name.startswith(OTHERS) and not info.name.endswith("__main__")
]
WITH_EXAMPLES = {
    "actions", "config", "media.clips", "media.geometry", "media.pictures", "shuffle",
    "fields.pictures", "fields.texts", "fields.token_ids",
    "reading", "operations.answer", "operations.select_frames", "operations.zoom_in",
}  # fmt: skip


@pytest.mark.parametrize("name", MODULES)
def test_examples(name):
    result = doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS)
    assert result.failed == 0
    if name.removeprefix("pixel_env.") in WITH_EXAMPLES:
        assert result.attempted > 0
