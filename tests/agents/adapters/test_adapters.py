"""Adapters are short, and nothing else imports them."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
ROOM = ROOT / "agents" / "adapters"
ADAPTERS = {"trl": "trl*.py", "openenv": "openenv*.py", "skyrl": "skyrl.py"}
MOST_LINES = 150


def code_lines(path):
    """Returns the lines that are neither empty, nor a comment, nor of a docstring."""
    text = path.read_text(encoding="utf-8")
    lines = {n for n, line in enumerate(text.splitlines(), 1) if re.match(r"\s*[^\s#]", line)}
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            lines -= set(range(node.lineno, (node.end_lineno or 0) + 1))
        if isinstance(node, ast.Import | ast.ImportFrom):
            lines -= set(range(node.lineno, (node.end_lineno or 0) + 1))
    return lines


@pytest.mark.parametrize("name", ADAPTERS)
def test_an_adapter_is_short(name):
    files = sorted(path for path in ROOM.glob(ADAPTERS[name]) if path.stem != "trl_template")
    assert files
    assert sum(len(code_lines(path)) for path in files) <= MOST_LINES


def test_every_file_of_the_room_is_an_adapters_or_shared():
    known = {path for pattern in ADAPTERS.values() for path in ROOM.glob(pattern)}
    shared = {ROOM / "__init__.py", ROOM / "episode.py"}
    assert set(ROOM.glob("*.py")) == known | shared


def test_engines_and_torch_are_not_imported_by_what_all_share():
    check = (
        "import sys, pixel_env, pixel_env.agents.adapters.episode, pixel_env.agents.adapters.trl; "
        "print(sorted({'torch', 'transformers', 'openenv', 'skyrl_gym'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
