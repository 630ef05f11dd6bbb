"""The programs of docs/use_with.md: short, shown as they are, and run where their package is.

Those that need another framework run by name, in an environment that has it:

    pytest tests/examples/test_use_with.py -m slow -k torchrl
"""

import ast
import os
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = sorted((ROOT / "examples").glob("with_*.py"))
DOCUMENT = (ROOT / "docs" / "use_with.md").read_text(encoding="utf-8")
MOST_LINES = 30

INSPECT = """
import sys
sys.path.insert(0, sys.argv[1])
from inspect_ai import eval
from inspect_ai.model import ModelOutput, ModelUsage, get_model
import with_inspect_ai
call = '<tool_call>{"name": "zoom_in", "arguments": {"bbox_2d": [0, 0, 0.5, 0.5]}}</tool_call>'
texts = [call, *("<answer>%s</answer>" % letter for letter in "ABCD")]
outputs = [ModelOutput.from_content("mockllm/model", text) for text in texts]
for output in outputs:
    output.usage = ModelUsage()  # else it is counted with a tokenizer from the net
model = get_model("mockllm/model", custom_outputs=outputs)
(log,) = eval(with_inspect_ai.synthetic_search(), model=model, limit=4, max_samples=1,
              display="none", log_dir="logs")
roles = [[message.role for message in sample.messages] for sample in log.samples]
assert log.status == "success", log.error
assert sorted(map(len, roles)) == [3, 3, 3, 5], roles
print("accuracy", log.results.scores[0].metrics["accuracy"].value)
"""

TINY = str(ROOT / "agents" / "base_weights")

RUNS = {
    "with_stable_baselines3": (["stable_baselines3"], ["256"], r"accuracy [\d.]+% on 20 unseen"),
    "with_cleanrl": (["torch"], ["512"], r"accuracy [\d.]+% of \d+ episodes"),
    "with_rllib": (["ray"], ["1"], r"accuracy [\d.]+% after \d+ steps"),
    "with_torchrl": (["torchrl"], ["128"], r"accuracy [\d.]+% over \d+ episodes"),
    "with_tianshou": (["tianshou"], ["1"], r"\d+ episodes in 64 steps"),
    "with_trl": (["trl", "torchvision"], [TINY, "{rows}", "1"], r"score [\d.]+, [\d.]+ calls"),
}
"""For each program the packages it needs, its arguments, and what it prints. `{rows}` stands for a
file of rows with small pictures."""


def code_of(path):
    """The program below its docstring."""
    text = path.read_text(encoding="utf-8")
    opening = ast.parse(text).body[0]
    return "\n".join(text.splitlines()[opening.end_lineno :]).strip() + "\n"


def printed(command, cwd):
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, *command], cwd=cwd, env=env, capture_output=True, text=True, timeout=900
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_a_program_is_short_and_shown_as_it_is(path):
    code = code_of(path)
    lines = [line for line in code.splitlines() if not re.fullmatch(r"\s*(#.*)?", line)]
    assert len(lines) <= MOST_LINES  # imports count
    assert f"```python\n{code}```" in DOCUMENT
    assert f"(../examples/{path.name})" in DOCUMENT


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_a_program_names_the_versions_that_it_was_run_with(path):
    pins = dict(
        line.lower().replace("-", "_").split("==")
        for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
        if not line.startswith("#")
    )
    opening = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))).splitlines()[0]
    named = re.findall(r"(\w+) (\d[\d.]*\d)", opening)
    assert named
    for package, number in named:
        if (package, path.stem) != ("gymnasium", "with_rllib"):  # which pins an older one
            assert pins[package] == number, package


def test_every_program_is_run_by_a_test():
    here = {"with_gymnasium", "with_inspect_ai", *RUNS}
    assert {path.stem for path in EXAMPLES} == here


def test_plain_gymnasium_counts_its_episodes(tmp_path):
    out = printed([ROOT / "examples/with_gymnasium.py"], tmp_path)
    *_, feedback, scored, last = out.splitlines()
    assert feedback.startswith("Image 2 is the region")
    assert re.fullmatch(r"the answer A scores [01]\.0", scored)
    # six steps of four lanes, every other one of which begins an episode
    assert re.fullmatch(r"12 episodes, \d+ of them right", last)


@pytest.mark.slow
@pytest.mark.parametrize("name", RUNS)
def test_a_framework_takes_the_environment_by_its_id(name, tmp_path):
    packages, arguments, expected = RUNS[name]
    for package in packages:
        pytest.importorskip(package)
    if "{rows}" in arguments:
        rows = tmp_path / "rows.jsonl"
        settings = [f"--env-arg={name}=[12544, 25088]" for name in ("overview_px", "crop_px")]
        printed(["-m", "pixel_env", "rows", "--env", "PixelReason-SyntheticSearch-v0", "--n=2",
                 *settings, "--out", rows], tmp_path)  # fmt: skip
        arguments = [str(rows) if each == "{rows}" else each for each in arguments]
    out = printed([ROOT / f"examples/{name}.py", *arguments], tmp_path)
    assert re.search(expected, out), out[-2000:]
    print({package: version(package) for package in packages})


@pytest.mark.slow
def test_inspect_ai_plays_and_grades_episodes(tmp_path):
    pytest.importorskip("inspect_ai")
    out = printed(["-c", INSPECT, ROOT / "examples"], tmp_path)
    assert re.search(r"accuracy (0|0\.25|0\.5|0\.75|1)(\.0)?\b", out), out
