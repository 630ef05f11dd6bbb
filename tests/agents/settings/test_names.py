"""Every setting has a line of help, and errors call it as a user writes it."""

import ast
from itertools import pairwise
from pathlib import Path

import pytest

from pixel_env.agents.run.config import RunConfig
from pixel_env.agents.settings.names import paths, with_flags

ROOT = Path(__file__).parents[3]
CLASSES = {
    node.name: node
    for room in ("pixel_env", "agents", "scripts")
    for path in sorted((ROOT / room).rglob("*.py"))
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    if isinstance(node, ast.ClassDef)
    and node.name.endswith(("Config", "Settings", "Options"))
    and node.decorator_list
}
"""Every dataclass of settings, by its name."""


def test_the_configs_are_found():
    names = ("RunConfig", "LossConfig", "GenerationConfig", "EnvConfig", "EvaluateOptions")
    assert {*names} <= {*CLASSES}
    assert len(CLASSES) > 20


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_every_field_of_every_config_has_its_line(name):
    node = CLASSES[name]
    assert "Attributes:" not in (ast.get_docstring(node) or "")
    for field, line in pairwise(node.body):
        if isinstance(field, ast.AnnAssign):
            assert isinstance(line, ast.Expr), ast.unparse(field)
            assert str(ast.literal_eval(line.value)).strip(), ast.unparse(field)
    assert not isinstance(node.body[-1], ast.AnnAssign)


def test_no_config_holds_one_of_its_own_kind_twice():
    """Errors find the place of a nested config by the config itself."""
    kinds = [type(config) for _, config in paths(RunConfig())]
    assert len(set(kinds)) == len(kinds)


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("expected iterations >= 1, got 0", "expected --a.iterations >= 1, got 0"),
        ("expected loss.clip_low in [0, 1]", "expected --a.loss.clip-low in [0, 1]"),
        ("expected seed; the group_size is 3", "expected --a.seed; the --a.group-size is 3"),
        ("the epochs are odd", "the epochs are odd"),
        ("to resume, best_by.loss.clip_low must", "to resume, --a.best-by.loss.clip-low must"),
        ("runs/group_size/x is there", "runs/group_size/x is there"),
        ("no 'group_size' here", "no 'group_size' here"),
    ],
)
def test_a_sentence_names_options(sentence, expected):
    assert with_flags(sentence, type(RunConfig().on_policy), "a.") == expected
