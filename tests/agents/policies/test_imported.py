"""A user's own policy by import path: it runs as ours do, and every wrong shape is named."""

from __future__ import annotations

import hashlib
import json
import re
import sys
from pathlib import Path
from textwrap import dedent

import pytest
from tiny_tasks import PictureTask

from pixel_env.agents.evaluation.again import command
from pixel_env.agents.evaluation.evaluate import EvaluationConfig, evaluate
from pixel_env.agents.evaluation.rerun import rerun
from pixel_env.agents.opinions.grader import ImportedGrader
from pixel_env.agents.opinions.opinion import Item
from pixel_env.agents.policies.base import Privileged
from pixel_env.agents.policies.by_name import is_imported, make_policy
from pixel_env.errors import ConfigError

ENV = "PixelReason-SyntheticSearch-v0"
POLICY = """
    class Fixed:
        name = "fixed"
        dialect = "pixel-reasoner"

        def __init__(self, letter="A"):
            self.letter = letter

        def reset(self, lane, seed=None):
            pass

        def act(self, observations, lanes):
            return [rf"\\boxed{{{self.letter}}}" for _ in lanes]

        def settings(self):
            return {"letter": self.letter, "built_in": 1}

    class Oracle(Fixed):
        dialect = None

        def watch(self, lane, env):
            self.env = env

        def act(self, observations, lanes):
            from pixel_env import answer
            return [answer(self.env.unwrapped.sample.answers[0])]

    def make(letter="B"):
        return Fixed(letter)

    def broken():
        raise RuntimeError("no weights")

    number = 3
    """


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Writes a module into the current folder, and gives its name."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    names = []

    def write(text=POLICY, name="own_policies"):
        (tmp_path / f"{name}.py").write_text(dedent(text))
        names.append(name)
        return name

    yield write
    for name in names:
        sys.modules.pop(name, None)


def run(name, out=None, samples=4, **settings):
    return evaluate(make_policy(name, **settings), EvaluationConfig(ENV, samples=samples, out=out))


def test_a_class_and_a_function_of_the_current_folder_are_run(module, tmp_path):
    name = module()
    a, b = run(f"{name}:Fixed"), run(f"{name}:make")
    assert {result.answer for result in a.results} == {"A"}
    assert {result.answer for result in b.results} == {"B"}
    assert {result.answer for result in run(f"{name}:make", letter="C").results} == {"C"}


def test_the_manifest_names_the_module_its_digest_and_the_arguments(module, tmp_path):
    name = module()
    manifest = run(f"{name}:Fixed", letter="C").manifest
    digest = hashlib.sha256((tmp_path / f"{name}.py").read_bytes()).hexdigest()
    assert manifest["policy"] == f"{name}:Fixed"
    assert manifest["policy_settings"] == {"letter": "C"}
    assert manifest["policy_facts"] == {
        "import": {"path": f"{name}:Fixed", "file": f"{name}.py", "sha256": digest},
        "name": "fixed",
        "settings": {"letter": "C", "built_in": 1},
    }
    assert f"--policy {name}:Fixed" in command(manifest)


def test_a_module_of_a_package_is_named_from_the_package_on(module, tmp_path):
    (tmp_path / "own_package").mkdir()
    (tmp_path / "own_package" / "__init__.py").write_text("")
    module(name="own_package/inner")
    facts = make_policy("own_package.inner:Fixed").facts()
    assert facts["import"]["file"] == "own_package/inner.py"
    sys.modules.pop("own_package.inner"), sys.modules.pop("own_package")


def test_an_oracle_of_ones_own_gets_the_environments_and_counts_as_one(module):
    name = module()
    evaluation = run(f"{name}:Oracle")
    assert all(result.correct for result in evaluation.results)
    assert evaluation.manifest["privileged"]
    assert not isinstance(make_policy(f"{name}:Fixed"), Privileged)


def test_an_evaluation_does_not_go_on_with_a_changed_module(module, tmp_path):
    name = module()
    run(f"{name}:Fixed", tmp_path / "out", samples=2)
    sys.modules.pop(name)
    module(POLICY + "\n    changed = 1\n")
    with pytest.raises(ConfigError, match=r"policy_facts\.import\.sha256"):
        run(f"{name}:Fixed", tmp_path / "out", samples=3)


def test_a_manifest_alone_imports_nothing(module, tmp_path):
    name = module()
    run(f"{name}:Fixed", tmp_path / "out", samples=2)
    sys.modules.pop(name)
    with pytest.raises(ConfigError, match=f"to allow that, give --policy {name}:Fixed"):
        rerun(tmp_path / "out")
    with pytest.raises(ConfigError, match="runs code"):
        rerun(tmp_path / "out", imported="other:Policy")
    assert name not in sys.modules
    assert rerun(tmp_path / "out", imported=f"{name}:Fixed").is_identical


def test_a_foreign_manifest_can_run_no_function(tmp_path):
    evaluate(make_policy("direct"), EvaluationConfig(ENV, samples=1, out=tmp_path))
    path = tmp_path / "manifest.json"
    foreign = {"policy": "os:system", "policy_settings": {"command": "exit 3"}}
    path.write_text(json.dumps(json.loads(path.read_text()) | foreign))
    with pytest.raises(ConfigError, match="runs code"):
        rerun(tmp_path)


def test_names_of_ours_are_no_import_paths():
    assert is_imported("mine:Policy")
    assert not any(map(is_imported, ("random", "vlm:tiny", "sb3:model", "openai:host", "a:b:c")))


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("no_such_module:Policy", "there is no module no_such_module in the current folder"),
        ("own_policies:Fixt", "Did you mean 'Fixed'"),
        ("own_policies:number", "a class or a function that returns a policy, got int"),
        (
            "own_policies:broken",
            r"can't be made: RuntimeError: no weights \(.*own_policies.py, line",
        ),
        ("own_policies:Fixed.act", "doesn't take"),
        ("own:policies:Fixed", "expected policy to be one of .*module:name"),
    ],
)
def test_what_can_not_be_made_is_named(module, path, message):
    module()
    with pytest.raises(ConfigError, match=message):
        make_policy(path)


def test_arguments_that_it_does_not_take_are_named(module):
    name = module()
    with pytest.raises(ConfigError, match=r"doesn't take \{'digit': 1\}.*digit"):
        make_policy(f"{name}:Fixed", digit=1)


@pytest.mark.parametrize(
    "text", ["import no_such_dependency", "1 / 0", "raise SystemExit(3)", "x ="]
)
def test_a_module_that_can_not_be_imported_is_a_sentence(module, text):
    name = module(text, "own_broken")
    with pytest.raises(ConfigError, match=f"importing {name} failed: .*(Error|SystemExit)"):
        make_policy(f"{name}:Fixed")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("name = 'x'; dialect = None", "has no reset"),
        ("name = 'x'; dialect = None\n    def reset(self): pass", r"reset to take \(lane, seed\)"),
        ("dialect = None\n    def reset(self, lane, seed=None): pass", "has no act"),
    ],
)
def test_a_class_of_another_shape_is_named(module, body, message):
    name = module(f"class Own:\n    {body}\n", "own_shape")
    with pytest.raises(ConfigError, match=message):
        make_policy(f"{name}:Own")


METHODS = "def reset(self, lane, seed=None): pass\n    def act(self, observations, lanes): return "


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ("dialect = None", "to have a name, a text; got none"),
        ("name = 'x'", "to have a dialect, .* got none"),
        ("name = 'x'; dialect = 7", "to have a dialect, .* got 7"),
        ("name = 'x'; dialect = 'pixel-reasonr'", "Did you mean 'pixel-reasoner'"),
    ],
)
def test_attributes_of_another_kind_are_named(module, fields, message):
    name = module(f"class Own:\n    {fields}\n    {METHODS}[]\n", "own_fields")
    with pytest.raises(ConfigError, match=message):
        make_policy(f"{name}:Own")


@pytest.mark.parametrize(
    ("dialect", "returned", "message"),
    [
        ("'pixel-reasoner'", "'text'", "to return a list, got 'text'"),
        ("'pixel-reasoner'", "['a', 'b']", "to return 1 actions, one for each lane, got 2"),
        ("'pixel-reasoner'", "[None]", "to return a message for each lane, got None"),
        ("None", "['a message']", "dialect None, to return an action for each lane"),
    ],
)
def test_what_act_returns_is_checked(module, dialect, returned, message):
    name = module(
        f"class Own:\n    name = 'x'; dialect = {dialect}\n    {METHODS}{returned}\n", "own_act"
    )
    with pytest.raises(ConfigError, match=message):
        run(f"{name}:Own")


def test_the_policy_and_the_grader_of_the_documents_run(module):
    text = (Path(__file__).parents[3] / "docs" / "benchmark.md").read_text(encoding="utf-8")
    policy, grader = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    module(policy, "zoomer"), module(grader, "graders")
    evaluation = run("zoomer:Zoomer", side=0.4)
    assert all(result.n_operations == 1 for result in evaluation.results)
    scored = ImportedGrader("graders:same_text").score([Item(0, 0, PictureTask()[0], "secret-0")])
    assert [opinion.correct for opinion in scored] == [True]
