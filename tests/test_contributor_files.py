"""What a forge reads: workflows, issue forms, hooks and citation agree with the project."""

import configparser
from pathlib import Path

import pytest
import yaml

import pixel_env

ROOT = Path(__file__).resolve().parents[1]
FORMS = sorted((ROOT / ".github/ISSUE_TEMPLATE").glob("[!c]*.yml"))


def read(path: str):
    return yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def metadata():
    settings = configparser.ConfigParser()
    settings.read(ROOT / "setup.cfg", encoding="utf-8")
    return settings["metadata"]


def test_every_promised_python_is_tested(metadata):
    tested = read(".github/workflows/ci.yaml")["jobs"]["tests"]["strategy"]["matrix"]["python"]
    prefix = "Programming Language :: Python :: "
    lines = [line.removeprefix(prefix) for line in metadata["classifiers"].split("\n")]
    assert [line for line in lines if line.startswith("3.")] == tested


def test_the_citation_names_this_version(metadata):
    citation = read("CITATION.cff")
    assert citation["version"] == pixel_env.__version__
    assert citation["license"] == metadata["license"]


def test_hooks_run_the_pinned_ruff():
    hooks = {entry["repo"]: entry["rev"] for entry in read(".pre-commit-config.yaml")["repos"]}
    pins = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    revision = hooks["https://github.com/astral-sh/ruff-pre-commit"]
    assert f"ruff=={revision.removeprefix('v')}" in pins


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.stem)
def test_an_issue_form_asks_for_something(path):
    form = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert form["name"]
    assert form["description"]
    fields = [field for field in form["body"] if field["type"] != "markdown"]
    names = [field["id"] for field in fields]
    assert len(set(names)) == len(names) > 0
    assert all(field["attributes"]["label"] for field in fields)
    assert any(field.get("validations", {}).get("required") for field in fields)
