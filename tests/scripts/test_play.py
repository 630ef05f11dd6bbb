"""The command to play, in the terminal: what is typed is an evaluation, and demonstrations."""

import builtins
import json

import pytest

from pixel_env.scripts import demonstrate, play

ENV = ["--env", "PixelReason-SyntheticSearch-v0", "--samples", "2"]


def type_(monkeypatch, *lines):
    """Types lines at the prompt; then the input ends."""
    left = iter(lines)

    def read(*_):
        try:
            return next(left)
        except StopIteration:
            raise EOFError from None

    monkeypatch.setattr(builtins, "input", read)


def test_what_is_typed_is_an_evaluation_and_a_stopped_one_goes_on(tmp_path, monkeypatch, capsys):
    out = tmp_path / "me"
    type_(monkeypatch, "zoom 0 0 .5 .5", "A")
    assert play.main([*ENV, "--terminal", "--out", str(out)]) == 1  # the input ends
    assert "goes on" in capsys.readouterr().out
    gold = json.loads((out / "gold.jsonl").read_text().splitlines()[1])
    type_(monkeypatch, gold["answers"][0])
    assert play.main([*ENV, "--terminal", "--out", str(out)]) == 0
    assert "right, score 1" in capsys.readouterr().out
    results = [json.loads(line) for line in (out / "results.jsonl").open()]
    assert [each["n_calls"] for each in results] == [1, 0]
    assert results[1]["correct"]
    assert (out / "views" / "episode-1-view-1.png").is_file()
    assert json.loads((out / "manifest.json").read_text())["policy"] == "human"
    demos = tmp_path / "demos.jsonl"
    given = ["--env", ENV[1], "--env-arg", "split=test", "--out", str(demos)]
    assert demonstrate.main([*given, "--played", str(out)]) == 0
    made = [json.loads(line) for line in demos.open()]
    assert results[1]["sample_id"] in {each["sample_id"] for each in made}


def test_what_is_missing_is_said(capsys):
    with pytest.raises(SystemExit):
        play.main([])
    assert "expected --env" in capsys.readouterr().err
