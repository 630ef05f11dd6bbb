"""Rows name episodes that `gym.make` runs, hold no answer, and go on where they were stopped."""

import json

import gymnasium as gym
import pytest
from PIL import Image
from pyarrow import parquet

from pixel_env.chat import Conversation, rows
from pixel_env.dialects import get_dialect
from pixel_env.scripts import rows as script

SEARCH = ("--env", "PixelReason-SyntheticSearch-v0", "--split", "train")


def read(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("ending", ["parquet", "jsonl"])
def test_a_row_names_the_episode_and_begins_as_it_does(tmp_path, ending):
    out = tmp_path / f"rows.{ending}"
    assert script.main([*SEARCH, "--n=3", "--first=5", "--out", str(out)]) == 0
    made = read(out) if ending == "jsonl" else parquet.read_table(out).to_pylist()
    assert [row["sample_index"] for row in made] == [5, 6, 7]
    for row in made:
        env = gym.make(row["env_id"], **json.loads(row["env_args"]))
        observation, info = env.reset(options={"index": row["sample_index"]})
        assert info["sample_id"] == row["sample_id"]
        talk = Conversation(get_dialect(row["dialect"]))
        talk.observe(observation)
        system, user = talk.messages
        assert row["prompt"][0] == system
        texts = [part.get("text", "<image>") for part in user["content"]]
        assert row["prompt"][1] == {"role": "user", "content": "".join(texts)}
        assert row["n_pictures"] == texts.count("<image>") == talk.n_pictures


def test_no_answer_is_in_a_row(tmp_path):
    Image.new("RGB", (40, 40)).save(tmp_path / "a.png")
    row = {
        "image": "a.png",
        "question": "which?",
        "answer": "okapi",
        "evidence": [[0.1, 0.1, 0.1717, 0.5]],
    }
    records, out = tmp_path / "mine.jsonl", tmp_path / "rows.jsonl"
    records.write_text(json.dumps(row), encoding="utf-8")
    arguments = ["--env", "PixelReason-Records-v0", "--env-arg", f"data_dir={records}"]
    assert script.main([*arguments, "--out", str(out)]) == 0
    written = out.read_text(encoding="utf-8")
    assert "which?" in written
    assert "okapi" not in written
    assert "1717" not in written


def test_a_clip_is_a_video_with_as_many_pictures_as_frames(tmp_path):
    out = tmp_path / "rows.jsonl"
    script.main(["--env", "PixelReason-SyntheticClip-v0", "--n=1", "--out", str(out)])
    env = gym.make("PixelReason-SyntheticClip-v0")
    observation, _ = env.reset(options={"index": 0})
    (row,) = read(out)
    assert (row["medium"], row["n_pictures"]) == ("video", observation["n_frames"])


def test_a_stopped_call_goes_on_with_what_is_missing(tmp_path, monkeypatch):
    whole, cut = tmp_path / "whole.jsonl", tmp_path / "cut.jsonl"
    script.main([*SEARCH, "--n=4", "--out", str(whole)])
    asked = []

    def stopping(env, index, *rest):
        asked.append(index)
        if len(asked) == 3:
            raise KeyboardInterrupt
        return rows.row_of(env, index, *rest)

    monkeypatch.setattr(script, "row_of", stopping)
    assert script.main([*SEARCH, "--n=4", "--out", str(cut)]) == 130
    assert not cut.exists()
    assert script.main([*SEARCH, "--n=4", "--out", str(cut)]) == 0
    assert asked == [0, 1, 2, 2, 3]
    assert cut.read_bytes() == whole.read_bytes()
    assert [path.name for path in tmp_path.iterdir() if "begun" in path.name] == []


def test_other_settings_are_refused_while_a_file_is_begun(tmp_path, monkeypatch, capsys):
    def stopped(*given):
        raise KeyboardInterrupt

    out = tmp_path / "rows.jsonl"
    monkeypatch.setattr(script, "row_of", stopped)
    assert script.main([*SEARCH, "--n=2", "--out", str(out)]) == 130
    monkeypatch.setattr(script, "row_of", rows.row_of)
    assert script.main([*SEARCH, "--n=2", "--out", str(out), "--dialect=deepeyes"]) == 1
    assert "dialect" in capsys.readouterr().out


def test_a_sample_that_cannot_be_read_is_left_out_and_counted(tmp_path, capsys):
    folder = tmp_path / "mine"
    folder.mkdir()
    lines = [
        {"image": f"{name}.png", "question": "which?", "answer": "a"} for name in ("gone", "lost")
    ]
    records = folder / "mine.jsonl"
    records.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    out = tmp_path / "rows.parquet"
    arguments = ["--env", "PixelReason-Records-v0", "--env-arg", f"data_dir={records}"]
    assert script.main([*arguments, "--out", str(out)]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "left out 2" in printed
    assert "gone.png" in printed
    assert parquet.read_table(out).num_rows == 0


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--n=0"], "expected --n >= 1"),
        ([], "say by --n how many"),
        (["--n=1", "--first=99999999999"], "expected --first under"),
        (["--n=1", "--out=rows.csv"], ".parquet or .jsonl"),
    ],
)
def test_what_cannot_be_is_a_sentence(tmp_path, monkeypatch, capsys, arguments, sentence):
    monkeypatch.chdir(tmp_path)
    assert script.main([*SEARCH, "--out=rows.jsonl", *arguments]) == 1
    printed = capsys.readouterr()
    assert sentence in " ".join((printed.out + printed.err).split())
