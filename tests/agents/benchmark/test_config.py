"""What a command line and a file of a benchmark mean."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from pixel_env.agents.benchmark.config import BenchmarkConfig, Entry, cells_of, entries
from pixel_env.agents.benchmark.plan_file import as_arguments
from pixel_env.agents.settings.command_line import read
from pixel_env.errors import ConfigError
from pixel_env.scripts.benchmark import BenchmarkOptions


def policies(given, arguments=()):
    return entries(given, arguments, "--policy-arg", {})


def test_arguments_are_for_one_policy_or_for_all():
    found = policies(
        ["random", "often=random", "often.er=random"],
        ["look=0.1", "often.look=0.9", "often.er.look=0.5"],
    )
    assert [each.label for each in found] == ["random", "often", "often.er"]
    assert [each.arguments["look"] for each in found] == [0.1, 0.9, 0.5]


@pytest.mark.parametrize(
    ("given", "label", "name"),
    [
        ("vlm:runs/a=b", "vlm:runs/a=b", "vlm:runs/a=b"),
        (
            "openai:http://host/v1?a=b#m",
            "openai:http://host/v1?a=b#m",
            "openai:http://host/v1?a=b#m",
        ),
        ("qwen2.5-vl=vlm:Qwen/X", "qwen2.5-vl", "vlm:Qwen/X"),
        ("mine:Policy", "mine:Policy", "mine:Policy"),
    ],
)
def test_a_label_stands_before_a_name(given, label, name):
    (found,) = policies([given], [f"{label}.dtype=bfloat16"])
    assert (found.label, found.name, found.arguments) == (label, name, {"dtype": "bfloat16"})


def test_an_argument_of_another_form_is_named():
    with pytest.raises(ConfigError, match="NAME=VALUE, got 'other"):
        policies(["random"], ["other.look=1"])


def config(tmp_path, **fields):
    given = {"policies": policies(["random", "direct"]), "environments": (Entry("e", "E-v0"),)}
    return BenchmarkConfig(**{**given, "out": tmp_path, **fields})


def test_labels_must_tell_policies_apart(tmp_path):
    with pytest.raises(ConfigError, match="write LABEL=NAME"):
        config(tmp_path, policies=policies(["random", "random"]))
    with pytest.raises(ConfigError, match="'vlm:a/b' and 'vlm:A-b'"):  # the same folder
        config(tmp_path, policies=policies(["vlm:a/b", "vlm:A-b"]))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"baseline": "direkt"}, "Did you mean 'direct'"),
        ({"workers": 0}, "workers >= 1"),
        ({"samples": 0}, "samples >= 1"),
        ({"environments": ()}, "at least one environment"),
    ],
)
def test_wrong_settings_are_named(tmp_path, fields, message):
    with pytest.raises(ConfigError, match=message):
        config(tmp_path, **fields)


def test_a_cell_is_an_evaluation_in_its_own_folder(tmp_path):
    environments = (Entry("one", "E-v0", {"a": 1}), Entry("t/w:o", "E-v0"))
    cells = cells_of(config(tmp_path, environments=environments, samples=3, seed=5, lanes=2))
    assert [cell.title for cell in cells] == [
        "random on one", "direct on one", "random on t/w:o", "direct on t/w:o",
    ]  # fmt: skip
    assert cells[3].folder == tmp_path / "cells" / "t-w-o" / "direct"
    how = cells[0].evaluation
    assert (how.env_kwargs, how.samples, how.seed, how.lanes) == ({"a": 1}, 3, 5, 2)


FILE = """
samples = 20
controls = true
baseline = "tiny"

[[policy]]
name = "vlm:tiny"
label = "tiny"
args = { greedy = false, temperature = 0.5 }

[[policy]]
name = "random"

[[env]]
name = "PixelReason-SyntheticSearch-v0"
args.split = "test"
"""
KNOWN = ("policy", "policy_arg", "env", "env_arg", "samples", "controls", "baseline", "config")


def test_a_file_is_a_command_line(tmp_path):
    path = tmp_path / "benchmark.toml"
    path.write_text(FILE)
    assert as_arguments(path, KNOWN) == [
        "--samples=20",
        "--controls",
        "--baseline=tiny",
        "--policy=tiny=vlm:tiny",
        "--policy-arg=tiny.greedy=false",
        "--policy-arg=tiny.temperature=0.5",
        "--policy=random",
        "--env=PixelReason-SyntheticSearch-v0",
        '--env-arg=PixelReason-SyntheticSearch-v0.split="test"',
    ]


def test_the_file_that_ships_is_one():
    path = Path(__file__).parents[3] / "configs" / "benchmark.toml"
    known = [each.name for each in fields(BenchmarkOptions)]
    arguments = as_arguments(path, known)
    options = read(arguments, BenchmarkOptions())
    assert options.policy == ("direct", "random", "tiny=vlm:tiny", "demonstration")
    assert (options.samples, options.baseline, len(options.env)) == (100, "direct", 2)
    found = policies(options.policy, options.policy_arg)
    assert [each.arguments for each in found] == [{}, {"look": 0.5}, {}, {}]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("samples = ", "can't be read"),
        ("sample = 1", "Did you mean 'samples'"),
        ("config = 'x'", "settings in"),
        ("policy = 'random'", r"as in \[\[policy\]\]"),
        ("[[policy]]\nlabel = 'x'", "to have a name"),
        ("[[policy]]\nnam = 'x'", "Did you mean 'name'"),
    ],
)
def test_what_is_wrong_in_a_file_is_named(tmp_path, text, message):
    path = tmp_path / "benchmark.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=message):
        as_arguments(path, KNOWN)
