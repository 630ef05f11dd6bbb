"""The command turns recorded conversations into demonstrations, and says what it left out."""

import json

import pytest
from dataset_folders.pixel_reasoner import recorded, write_recorded, zoom_call

from pixel_env.scripts.demonstrate import main

ENV = "PixelReason-PixelReasonerSFT-v0"
ANSWER = r"It is blue: \boxed{B}"
CONVERSATIONS = {
    "sa1b-1": recorded(zoom_call(0, 0, 0.5, 0.5), ANSWER),
    "sa1b-2": recorded(zoom_call(90, 90, 200, 200), ANSWER),
    "sa1b-3": recorded(ANSWER),
    "sa1b-4": recorded(zoom_call(90, 90, 300, 300), ANSWER),
    "sa1b-5": recorded("It is blue."),
    "sa1b-1 ": recorded(zoom_call(0.5, 0, 1, 0.5), zoom_call(0, 0, 0.5, 0.5), ANSWER),
}


@pytest.fixture
def release(tmp_path):
    return write_recorded(tmp_path / "release", CONVERSATIONS)


def arguments(release, out, *more):
    preset = ("--env-arg", "preset=pixel-reasoner-train")
    folder = ("--env-arg", f"data_dir={release}")
    return ["--recorded", "--env", ENV, *folder, *preset, "--out", str(out), *more]


def test_it_writes_what_plays_and_counts_the_rest_by_reason(release, tmp_path, capsys):
    out = tmp_path / "demos.jsonl"
    assert main(arguments(release, out)) == 0
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    assert [(line["number"], line["kind"]) for line in lines] == [
        (0, "single_pass"),
        (2, "text_only"),
        (5, "recrop"),
    ]
    assert [line["sample_id"] for line in lines] == ["sa1b-1", "sa1b-3", "sa1b-1#6"]
    assert lines[2]["imitate"] == [False, True, True]
    shown = " ".join(capsys.readouterr().out.split())
    assert "3 of 6 demonstrations" in shown
    sentence = (
        "left out 2 times: the environment refuses a message (bad_box) (the first: release.json"
    )
    assert f"{sentence} row 2: " in shown
    assert "left out 1 times: its row or its files can't be read (the first: release.json" in shown


def test_a_killed_run_goes_on_to_the_same_file(release, tmp_path, capsys):
    whole, killed = tmp_path / "whole.jsonl", tmp_path / "killed.jsonl"
    main(arguments(release, whole))
    main(arguments(release, killed))
    lines = killed.read_text().splitlines(keepends=True)
    killed.write_text(lines[0] + lines[1][:40])
    capsys.readouterr()
    assert main(arguments(release, killed)) == 0
    assert killed.read_text() == whole.read_text()
    assert "left out 2 times" in capsys.readouterr().out


def test_other_data_or_another_mask_is_refused(release, tmp_path, capsys):
    out = tmp_path / "demos.jsonl"
    main(arguments(release, out))
    assert main(arguments(release, out, "--imitate", "all")) == 1
    assert "imitate must be as it was saved: 'right', got 'all'" in capsys.readouterr().out
    write_recorded(release, dict(list(CONVERSATIONS.items())[:2]))
    assert main(arguments(release, out)) == 1
    assert "recorded must be as it was saved" in capsys.readouterr().out


def test_a_release_that_was_cut_off_is_named(release, tmp_path, capsys):
    file = release / "release.json"
    file.write_text(file.read_text()[:200])
    assert main(arguments(release, tmp_path / "demos.jsonl")) == 1
    assert "release.json: not valid JSON" in " ".join(capsys.readouterr().out.split())


def test_wrong_arguments_are_named(release, tmp_path, capsys):
    out = tmp_path / "demos.jsonl"
    assert main(arguments(release, out, "--recrop", "0.5")) == 1
    assert "no options of the mix with --recorded, got recrop" in capsys.readouterr().out
    twin = ["--recorded", "--env", "PixelReason-SyntheticSearch-v0", "--out", str(out)]
    assert main(twin) == 1
    assert "expected a task set of recorded conversations" in capsys.readouterr().out
