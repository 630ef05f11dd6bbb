"""docs/new_algorithm.md shows the code as it stands; what it names is there, its command works."""

import importlib
import re
from dataclasses import is_dataclass, replace
from pathlib import Path

import pytest

from pixel_env.agents.on_policy.losses import LossConfig
from pixel_env.agents.run.config import tiny_defaults

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "docs" / "new_algorithm.md").read_text("utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
EXCERPTS = [block for block in BLOCKS if not block.startswith(">>> ")]


@pytest.mark.parametrize("excerpt", EXCERPTS)
def test_every_excerpt_stands_in_the_tree(excerpt):
    assert excerpt in (ROOT / "agents" / "on_policy" / "losses.py").read_text("utf-8")


def test_every_file_is_where_it_is_said_to_be():
    named = re.findall(r"`([\w/]+\.\w+)`", TEXT)
    bare = [name for name in named if name.startswith("test_") and "/" not in name]
    paths = [name for name in named if "/" in name]
    assert len(paths) > 5
    assert len(bare) > 1
    for path in [*paths, *(f"tests/agents/on_policy/{name}" for name in bare)]:
        assert (ROOT / path).exists(), path


def test_every_name_of_the_table_is_in_its_file():
    rows = re.findall(r"^\| .+? \| `agents/(on_policy/\w+)\.py` \| (.*) \|$", TEXT, re.MULTILINE)
    assert len(rows) == 5
    for path, what in rows:
        module = importlib.import_module(f"pixel_env.agents.{path.replace('/', '.')}")
        for name in re.findall(r"`([A-Za-z_.]+)`", what):
            owner = module
            for part in name.split("."):
                owner = getattr(owner, part)


def with_option(config, path, text):
    """The config with one of its nested fields read from the command line's text."""
    name, _, rest = path.partition(".")
    old = getattr(config, name)
    return replace(
        config, **{name: with_option(old, rest, text) if is_dataclass(old) else type(old)(text)}
    )


def test_the_command_sets_the_papers_gspo():
    (block,) = re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL)
    config = tiny_defaults()
    options = re.findall(r"--([\w.-]+) (\S+)", block)
    assert len(options) == 6
    for name, text in options:
        config = with_option(config, name.replace("-", "_"), text)
    assert config.on_policy.loss() == LossConfig(3e-4, 4e-4, "sequence", ratio_level="sequence")
    assert config.on_policy.advantage == "mean_std"
