"""docs/new_algorithm.md shows the code as it stands; what it names is there, its command works."""

import importlib
import re
from pathlib import Path

import pytest

from pixel_env.agents.on_policy.losses import LossConfig
from pixel_env.agents.run.config import tiny_defaults
from pixel_env.agents.settings.command_line import read

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "docs" / "new_algorithm.md").read_text("utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
EXCERPTS = [block for block in BLOCKS if not block.startswith(">>> ")]


@pytest.mark.parametrize("excerpt", EXCERPTS)
def test_every_excerpt_stands_in_the_tree(excerpt):
    folder = ROOT / "agents" / "on_policy"
    assert any(excerpt in (folder / f"{name}.py").read_text() for name in ("loss_config", "losses"))


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


def test_the_command_sets_the_papers_gspo():
    (block,) = re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL)
    arguments = block.replace("\\\n", " ").split()
    assert arguments[:2] == ["pixel-reason", "train"]
    assert len(arguments) == 14
    config = read(arguments[2:], tiny_defaults())
    assert config.on_policy.loss == LossConfig(3e-4, 4e-4, "sequence", ratio_level="sequence")
    assert config.on_policy.advantage == "mean_std"
