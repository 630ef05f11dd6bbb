"""The benchmark script, in this process."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from scripted_server import Reaction, ScriptedServer, completion

from pixel_env.files.lock import only_writer
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
    names |= {"view.html", "view.data"}
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


def test_a_served_policy_costs_and_a_judge_is_asked_once(tmp_path, capsys):
    verdicts = iter(["VERDICT: RIGHT", "no idea", "VERDICT: WRONG", "VERDICT: RIGHT"])

    def script(request, number):
        is_judge = request.messages[0]["content"].startswith("You check answers")
        return completion(next(verdicts) if is_judge else r"\boxed{A}")

    with ScriptedServer(script) as server:
        address = f"openai:{server.url}#scripted"
        arguments = (
            *("--policy", f"served={address}", "--policy-arg", "served.prompt_price=10"),
            *("--judge", f"second={address}", "--judge-arg", "max_tokens=64", "--lanes", 1),
            *("--env", SEARCH, "--samples", 3, "--out", tmp_path),
        )
        assert run(*arguments) == 0
        cell = json.loads((tmp_path / "benchmark.json").read_text())["cells"][0]
        assert len(server.requests) == 6
        assert cell["costs"]["total"]["prompt_tokens"] == 300
        assert cell["costs"]["total"]["cost"] == pytest.approx(300 * 10 / 1e6)
        (second,) = cell["second_scores"]
        assert (second["n"], second["theirs"]["mean"], len(second["faults"])) == (2, 0.5, 1)
        assert cell["scores"][0]["accuracy"]["mean"] == 0  # the judge changes nothing in it
        report = (tmp_path / "benchmark.md").read_text()
        assert "## Cost" in report
        assert "second differs: served on SyntheticSearch" in report
        # what has a verdict is not asked about again; what failed is
        assert run(*arguments) == 0
        assert len(server.requests) == 7
        cell = json.loads((tmp_path / "benchmark.json").read_text())["cells"][0]
        assert cell["second_scores"][0]["n"] == 3
        assert run(*arguments) == 0
        assert len(server.requests) == 7


def test_episodes_that_a_server_left_unanswered_run_again(tmp_path, capsys):
    is_broken = [True]

    def script(request, number):
        if is_broken[0] and number % 2:
            return Reaction({"error": {"message": "broken"}}, 500)
        return completion(r"\boxed{A}")

    with ScriptedServer(script) as server:
        arguments = (
            *("--policy", f"served=openai:{server.url}#scripted"),
            *("--policy-arg", "served.max_retries=0", "--lanes", 1),
            *("--env", SEARCH, "--samples", 4, "--out", tmp_path),
        )
        assert run(*arguments) == 1
        assert "2 episodes are left out so far" in capsys.readouterr().out
        is_broken[0] = False
        assert run(*arguments) == 0
        assert len(server.requests) == 6


def test_a_wrong_grader_is_named_before_anything_runs(tmp_path, capsys):
    code = run(
        *("--policy", "direct", "--env", SEARCH, "--samples", 2, "--out", tmp_path / "x"),
        *("--grader", "no_such_module:grade"),
    )
    assert code == 1
    assert "there is no module no_such_module" in capsys.readouterr().out
    assert not (tmp_path / "x").exists()


def test_a_folder_in_use_is_named(tmp_path, capsys):
    with ThreadPoolExecutor(1) as other, only_writer(tmp_path):
        arguments = ("--policy", "direct", "--env", SEARCH, "--samples", 2, "--out", tmp_path)
        assert other.submit(run, *arguments).result() == 1
    assert str(tmp_path) in capsys.readouterr().out.replace("\n", "")
    assert not (tmp_path / "cells").exists()


def test_no_policy_of_ours_without_a_model_imports_torch():
    check = (
        "import sys; from pixel_env.scripts import benchmark; "
        "from pixel_env.agents.policies.by_name import make_policy; "
        "[make_policy(name) for name in ('random', 'direct', 'demonstration')]; "
        "print(sorted({'torch', 'transformers', 'openai'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
