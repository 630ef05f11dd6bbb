"""The command makes demonstrations, goes on where it was killed, and says what is wrong."""

import json

import pytest

from pixel_env.scripts.demonstrate import main

ENV = "PixelReason-SyntheticSearch-v0"


def arguments(out, *more):
    made = ["--env", ENV, "--env-arg", "max_objects=5", "--n", "6", "--out", str(out)]
    return [*made, "--wording", "brief", "--square-side", "0.2", "--box-step", "0.05", *more]


def test_it_writes_executed_demonstrations_and_a_table(tmp_path, capsys):
    out = tmp_path / "new" / "demonstrations.jsonl"
    assert main(arguments(out, "--text-only-categories", "easy", "--recrop", "0.5")) == 0
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    assert [line["number"] for line in lines] == list(range(6))
    assert all(line["score"] == 1.0 and line["env_kwargs"] == {"max_objects": 5} for line in lines)
    assert {line["category"] for line in lines if line["kind"] == "text_only"} == {"easy"}
    shown = capsys.readouterr().out
    assert "6 of 6 demonstrations" in shown
    assert all(line["kind"] in shown for line in lines)
    assert lines[-1]["messages"][-1] in shown


def test_a_killed_run_goes_on_to_the_same_file(tmp_path):
    whole, killed = tmp_path / "whole.jsonl", tmp_path / "killed.jsonl"
    main(arguments(whole))
    main(arguments(killed))
    lines = killed.read_text().splitlines(keepends=True)
    killed.write_text("".join(lines[:2]) + lines[2][:40])
    assert main(arguments(killed)) == 0
    assert killed.read_text() == whole.read_text()


def test_going_on_with_other_settings_is_refused(tmp_path, capsys):
    out = tmp_path / "demonstrations.jsonl"
    main(arguments(out))
    before = out.read_text()
    assert main(arguments(out, "--seed", "3")) == 1
    assert "seed must be as it was saved: 0, got 3" in capsys.readouterr().out
    assert out.read_text() == before


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--jitter", "2"], "expected --jitter in [0, 1]"),
        (
            ["--env", "PixelReason-SyntheticSerch-v0"],
            "Did you mean 'PixelReason-SyntheticSearch-v0'",
        ),
        (["--env-arg", "max_objcts=5"], "Did you mean 'max_objects'?"),
    ],
)
def test_a_wrong_argument_is_named(tmp_path, capsys, more, message):
    assert main(arguments(tmp_path / "new" / "demonstrations.jsonl", *more)) == 1
    assert message in capsys.readouterr().out
    assert not (tmp_path / "new").exists()
