"""The examples in docstrings, README and documents run, with the output that they show."""

import doctest
import importlib
import pkgutil
import re
from pathlib import Path

import pytest

from pixel_env.dialects import DIALECTS

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("pixel_env.tasks", "pixel_env.agents")
"""Those whose examples no other test runs."""

MODULES = [
    info.name
    for package in PACKAGES
    for info in pkgutil.walk_packages(importlib.import_module(package).__path__, f"{package}.")
]
DOCUMENTS = ["README.md", *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))]
WITH_EXAMPLES = {
    "README.md",
    "docs/data.md",
    "docs/dialects.md",
    "docs/environment.md",
    "docs/grading.md",
    "docs/new_algorithm.md",
    "docs/sb3.md",
    "docs/twins.md",
    "docs/video.md",
}


@pytest.mark.parametrize("name", MODULES)
def test_examples_of_docstrings(name):
    result = doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS)
    assert result.failed == 0


def test_each_wrapper_and_dialect_shows_an_example():
    shown = {
        name: doctest.testmod(importlib.import_module(f"pixel_env.{name}")).attempted
        for name in (
            "controls.controls",
            "curiosity.one_env",
            "wrappers.flat",
            "wrappers.full_history",
            "curiosity.groups",
            "recordings.wrapper",
            "wrappers.text_action",
            "wrappers.token_action",
            *(f"dialects.{name.replace('-', '_')}" for name in DIALECTS),
        )
    }
    assert all(shown.values()), shown


@pytest.mark.parametrize("name", DOCUMENTS)
def test_examples_of_documents(name, tmp_path, monkeypatch):
    text = (ROOT / name).read_text(encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    shown = "\n".join(block for block in blocks if block.startswith(">>> "))
    test = doctest.DocTestParser().get_doctest(shown, {}, name, name, 0)
    result = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test)
    assert result.failed == 0
    assert (result.attempted > 0) == (name in WITH_EXAMPLES)


@pytest.mark.parametrize("name", [*DOCUMENTS, "ARCHITECTURE.md", "CONTRIBUTING.md"])
def test_links_lead_somewhere(name):
    path = ROOT / name
    for target in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", path.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (path.parent / target).exists(), target
