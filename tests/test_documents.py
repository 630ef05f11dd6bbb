"""The documents keep their word: examples give what they show, links and anchors lead somewhere."""

import doctest
import importlib
import io
import os
import pkgutil
import re
import shlex
import subprocess
import sys
from contextlib import redirect_stdout, suppress
from functools import cache
from pathlib import Path

import pytest
from markdown.extensions.toc import slugify

from pixel_env.__main__ import COMMANDS, main
from pixel_env.dialects import DIALECTS

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("pixel_env.tasks", "pixel_env.agents")
"""Those whose examples no other test runs."""

PEERS = ("verl", "verifiers", "openenv", "fastapi", "uvicorn", "skyrl_gym")
"""Engines that need an environment of their own; tests of theirs run by name."""

MODULES = [
    info.name
    for package in PACKAGES
    for info in pkgutil.walk_packages(importlib.import_module(package).__path__, f"{package}.")
]
DOCUMENTS = ["README.md", *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))]
PYTHON = re.compile(r"```python\n(.*?)```", re.DOTALL)
SHELL = re.compile(r"```sh\n(.*?)```", re.DOTALL)
OPTION = re.compile(r"--[a-z0-9][a-z0-9.-]*")
NESTED = re.compile(r"--(?:loading|demonstrations|imitation|on-policy|curiosity)\.[a-z.-]*[a-z]")


def written(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", MODULES)
def test_examples_of_docstrings(name):
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as missing:
        if str(missing.name).partition(".")[0] not in PEERS:
            raise
        pytest.skip(f"{missing.name} isn't installed here")
    result = doctest.testmod(module, optionflags=doctest.ELLIPSIS)
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


@pytest.mark.parametrize("name", [name for name in DOCUMENTS if ">>> " in written(name)])
def test_examples_of_documents(name, tmp_path, monkeypatch):
    text = written(name)
    monkeypatch.chdir(tmp_path)
    shown = "\n".join(block for block in PYTHON.findall(text) if block.startswith(">>> "))
    test = doctest.DocTestParser().get_doctest(shown, {}, name, name, 0)
    result = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test)
    assert result.failed == 0
    assert result.attempted == len(re.findall(r"^>>> ", text, re.MULTILINE))


def commands_of(text: str) -> list[list[str]]:
    """Returns every call of `pixel-reason` in a document's shell blocks: the words after it."""
    lines = "".join(SHELL.findall(text)).replace("\\\n", " ").splitlines()
    calls = [
        shlex.split(line.replace("-m pixel_env", "pixel-reason"), comments=True) for line in lines
    ]
    return [words[words.index("pixel-reason") + 1 :] for words in calls if "pixel-reason" in words]


@cache
def options_of(command: str) -> set[str]:
    """Returns what a command's whole help names."""
    with redirect_stdout(io.StringIO()) as shown, suppress(SystemExit):
        main([command, "--help-all"])
    return set(OPTION.findall(shown.getvalue()))


@pytest.mark.parametrize("name", [name for name in DOCUMENTS if commands_of(written(name))])
def test_commands_of_documents_exist_with_their_options(name):
    for command, *words in commands_of(written(name)):
        assert command in COMMANDS
        options = {word.partition("=")[0] for word in words if word.startswith("--")}
        assert options - {"--help", "--help-all"} <= options_of(command), command


@pytest.mark.parametrize("name", [name for name in DOCUMENTS if NESTED.search(written(name))])
def test_nested_settings_of_documents_are_settings_of_a_training(name):
    assert set(NESTED.findall(written(name))) <= options_of("train")


@pytest.mark.parametrize("name", ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"])
def test_links_lead_somewhere(name):
    """Those under docs/ are checked by the site's build."""
    for target, _, anchor in re.findall(r"\]\(([^)#]+)(#([^)]*))?\)", written(name)):
        if "://" not in target:
            assert (ROOT / target).exists(), target
            headings = re.findall(r"^#+ (.+)$", written(target), re.MULTILINE) if anchor else []
            assert not anchor or anchor in {slugify(each, "-") for each in headings}, target


def test_readme_is_short():
    assert len(written("README.md").splitlines()) <= 200


def test_the_site_builds_without_a_broken_link_or_anchor(tmp_path):
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path)]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "api" / "pixel_env.html").read_text(encoding="utf-8")
    assert 'id="pixel_env.zoom_in"' in page
