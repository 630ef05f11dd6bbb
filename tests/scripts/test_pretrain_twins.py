"""Pretraining on all four twins runs with a small budget, goes on, and gives a model that loads."""

import json
import runpy
from pathlib import Path

import pytest

from pixel_env.agents.model.loading import load

SCRIPT = Path(__file__).parents[2] / "scripts" / "dev" / "pretrain_twins.py"


@pytest.fixture(scope="module")
def names():
    return runpy.run_path(str(SCRIPT))


def test_weights_of_all_twins_are_made_and_the_same_call_goes_on(tmp_path, names, capsys):
    fixed = (
        f"--start tiny --out {tmp_path / 'out'} --work {tmp_path / 'work'} --contents 2 "
        "--batch-size 4 --episodes 1 --exam 4 --exam-every 2 --steps"
    ).split()
    names["main"]([*fixed, "1"])
    names["main"]([*fixed, "2"])
    rows = (tmp_path / "work" / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(row)["step"] for row in rows] == [1, 2]
    exam = json.loads(rows[-1])
    assert all(0 <= exam[f"exam/{twin}"] <= 1 for twin in names["IDS"])
    assert "carried over" in capsys.readouterr().out
    made = load(tmp_path / "out")
    assert made.model.num_parameters() < 4_000_000
    assert (tmp_path / "out" / "model.safetensors").stat().st_size < 16e6
    shipped = load("tiny").tokenizer
    text = 'Let me look closer.\n<tool_call>\n{"name": "crop_image_normalized"'
    assert made.tokenizer.decode(made.tokenizer.encode(text)) == text
    assert made.model.config.text_config.vocab_size == len(made.tokenizer)
    assert set(made.tokenizer.get_vocab()) & set(shipped.get_vocab())


def test_every_twins_questions_and_answers_are_few_tokens(names):
    from pixel_env.agents.tiny import model as tiny

    tokenizer = tiny.train_tokenizer(2 * names["twin_texts"](12, 0))

    def n_tokens(text):
        return len(tokenizer.encode(text, add_special_tokens=False))

    assert n_tokens("How many red circles are there?") == 7
    assert n_tokens("Which letter does the blue star show for a moment?") == 11
    assert n_tokens('{"target_frames": [15, 16]}') <= 9
    assert n_tokens("Harlow Institute") == 2
    assert [n_tokens(text) for text in ("4,812", "68%", "F-274", "16", "0.15")] == [5, 3, 5, 1, 1]


def test_lessons_are_drawn_by_the_shares(names):
    encoder, _ = names["start"]("tiny", 1, 0)
    shares = {"Search": 0.0, "Counting": 1.0, "Infographic": 0.0, "Clip": 0.0}
    teacher = names["TwinTeacher"](encoder, shares, 2)
    drawn = teacher.lessons(1, 12)
    assert {each.kind.split()[0] for each in drawn} <= {"How", "Where", "What"}
    for each in drawn:
        assert len(each.labels) == len(each.trajectory.images)
        tokens = [image.n_tokens for image in each.trajectory.images]
        assert [len(labels) for labels in each.labels] == tokens
    first, again = (teacher.unseen("Clip", 4) for _ in range(2))
    assert [each.trajectory.ids.tolist() for each in first] == [
        each.trajectory.ids.tolist() for each in again
    ]
