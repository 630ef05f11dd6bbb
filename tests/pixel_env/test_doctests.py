"""The examples in the docstrings run."""

import doctest
import importlib
import pkgutil

import pytest

import pixel_env
from pixel_env import operations

PATHS = ((pixel_env.__path__, "pixel_env."), (operations.__path__, "pixel_env.operations."))
MODULES = [info.name for path, prefix in PATHS for info in pkgutil.iter_modules(path, prefix)]
WITH_EXAMPLES = {
    "actions", "clips", "config", "geometry", "media", "shuffle", "spaces",
    "reading", "operations.answer", "operations.select_frames", "operations.zoom_in",
}  # fmt: skip


@pytest.mark.parametrize("name", MODULES)
def test_examples(name):
    result = doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS)
    assert result.failed == 0
    if name.removeprefix("pixel_env.") in WITH_EXAMPLES:
        assert result.attempted > 0
