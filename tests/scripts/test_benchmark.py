"""The benchmark script, in this process."""

from __future__ import annotations

import json

import pytest

from pixel_env.scripts.benchmark import main

SEARCH, COUNTING = "PixelReason-SyntheticSearch-v0", "PixelReason-SyntheticCounting-v0"


def run(*arguments):
    return main([str(each) for each in arguments])


def test_two_policies_on_two_environments_make_one_table(tmp_path, capsys):
    code = run(
        *("--policy", "low=random", "--policy", "demonstration", "--policy-arg", "low.look=0"),
        *("--env", SEARCH, "--env", f"count={COUNTING}", "--samples", 3, "--out", tmp_path),
    )
    assert code == 0
    shown = capsys.readouterr().out
    for text in ("SyntheticSearch", "count", "low", "oracle", "Holm", "McNemar", "index.html"):
        assert text in shown
    assert "demonstration on count 3/3" in shown  # without a screen, a line for each cell
    written = json.loads((tmp_path / "benchmark.json").read_text())
    assert [(each["environment"], each["policy"]) for each in written["cells"]] == [
        ("SyntheticSearch", "low"), ("SyntheticSearch", "demonstration"),
        ("count", "low"), ("count", "demonstration"),
    ]  # fmt: skip
    assert written["cells"][0]["manifest"]["policy_settings"] == {"look": 0}
    assert written["cells"][0]["manifest"]["env_kwargs"] == {"split": "test"}
    names = {"benchmark.md", "benchmark.csv", "benchmark.json", "index.html", "cells"}
    assert names == {path.name for path in tmp_path.iterdir()}


def test_a_file_gives_the_settings_and_what_is_typed_wins(tmp_path, capsys):
    (tmp_path / "plan.toml").write_text(
        f'samples = 2\nseed = 3\nsplit = "train"\n[[policy]]\nname = "direct"\n'
        f'[[env]]\nname = "{SEARCH}"\nlabel = "s"\n'
    )
    out = tmp_path / "out"
    config = ("--config", tmp_path / "plan.toml", "--out", out)
    assert run(*config, "--seed", 4, "--policy", "random") == 0
    cells = json.loads((out / "benchmark.json").read_text())["cells"]
    assert [each["policy"] for each in cells] == ["direct", "random"]
    manifest = cells[0]["manifest"]
    assert (manifest["samples"], manifest["seed"], manifest["env_kwargs"]) == (
        2, 4, {"split": "train"},
    )  # fmt: skip


def test_a_failed_cell_tells_in_the_exit_code(tmp_path, capsys):
    code = run(
        *("--policy", "direct", "--policy", "no_such_module:Policy"),
        *("--env", SEARCH, "--samples", 2, "--out", tmp_path),
    )
    assert code == 1
    assert "there is no module no_such_module" in capsys.readouterr().out
    assert json.loads((tmp_path / "benchmark.json").read_text())["is_whole"] is False


def test_no_policy_is_a_wrong_command_line(capsys):
    with pytest.raises(SystemExit):
        run("--env", SEARCH)
    assert "expected at least one --policy" in capsys.readouterr().err
