"""Pixel Reasoner's own releases: questions for RL, conversations of the warm start."""

from __future__ import annotations

import json

import gymnasium as gym
import pytest
from dataset_folders.files import write_parquet, write_picture
from dataset_folders.pixel_reasoner import write_rl, write_sft

import pixel_env  # noqa: F401  # registers the environments
from pixel_env.errors import DataError
from pixel_env.media.clips import ClipSource
from pixel_env.media.pictures import ImageSource
from pixel_env.tasks import PixelReasonerRL, PixelReasonerSFT, VStar


def test_rl_rows_become_samples(tmp_path):
    task = PixelReasonerRL(write_rl(tmp_path))
    choice, count, page, clip = (task[index] for index in range(4))
    assert (choice.id, choice.question) == ("sa1brl-17", "Which colour is the cup?")
    assert (choice.choices, choice.answers, choice.right_choice) == (("red", "blue"), ("blue",), 1)
    assert (count.answers, len(count.media), count.choices) == (("3",), 2, ())
    assert page.answers == ("in 1998", "1998")
    assert isinstance(clip.media[0], ClipSource)
    assert clip.media[0].n_frames == 5
    assert [s.category for s in (choice, count, page, clip)] == [
        "sa1brl",
        "tallyqa",
        "infographicsvqa",
        "starqa",
    ]


def test_rl_grades_by_the_kind_of_question(tmp_path):
    task = PixelReasonerRL(write_rl(tmp_path))
    choice, count, page, _ = (task[index] for index in range(4))
    assert task.grade(choice, "(B)").score == 1
    assert task.grade(count, "three").score == 1
    assert task.grade(count, "5").error == 2
    assert task.grade(page, "1999").score == pytest.approx(0.75)  # one digit of four differs


def test_pictures_may_lie_where_the_authors_evaluation_renames_them(tmp_path):
    write_picture(tmp_path / "vstar_images" / "0.jpg", 3)
    row = {
        "question": "What?\n(A) x\n(B) y",
        "answer": ["\\boxed{B. y}"],
        "image": ["images/0.jpg"],
        "qid": "vstar-0",
    }
    write_parquet(tmp_path / "vstar.parquet", [{**row, "answer": ["\\boxed{y}"]}])
    sample = VStar(tmp_path)[0]
    assert "vstar_images/0.jpg" in sample.media[0].name
    assert sample.right_choice == 1


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"answer": []}, "expected a list of texts in column 'answer'"),
        ({"answer": ["\\boxed{}"]}, "at least one answer"),
        ({"answer": ["\\boxed{C}"]}, "expected an answer from A to B"),
        ({"question": "<image>\n"}, "expected a question"),
        ({"question": "What is it?"}, "expected options on lines of their own"),
        ({"image": []}, "expected a list of paths"),
        ({"image": ["images/none.jpg"]}, "there is no file"),
        ({"image": ["/etc/hostname"]}, "expected a relative path"),
        ({"qid": None}, "expected a name or a number in column 'qid'"),
    ],
)
def test_bad_row_names_file_and_row_and_spares_the_others(tmp_path, columns, message):
    import pyarrow as pa

    write_picture(tmp_path / "images" / "0.jpg", 0)
    good = {
        "question": "What?\n(A) x\n(B) y",
        "answer": ["\\boxed{A}"],
        "image": ["images/0.jpg"],
        "qid": "vstar-1",
    }
    texts = pa.list_(pa.string())
    rows = [{**good, "qid": "vstar-0", **columns}, good]
    write_parquet(tmp_path / "vstar.parquet", rows, answer=texts, image=texts)
    task = VStar(tmp_path)
    with pytest.raises(DataError, match=rf"^vstar\.parquet row 1: .*{message}"):
        _ = task[0]
    assert task[1].id == "vstar-1"


def test_conversation_holds_every_message_with_what_it_shows(tmp_path):
    task = PixelReasonerSFT(write_sft(tmp_path))
    picture, clip = task.conversations()
    assert picture.id == "sa1b-1"
    assert [message.role for message in picture.messages] == [
        "system",
        "user",
        "assistant",
        "user",
        "assistant",
    ]
    question, image = picture.messages[1].parts
    assert question.startswith("Which colour is the cup?")
    assert isinstance(image, ImageSource)
    assert "<tool_call>" in picture.messages[2].text
    assert picture.messages[3].parts[1].name.startswith(str(tmp_path / "images" / "0_1.jpg"))
    assert clip.messages[1].parts[1].n_frames == 4


def test_conversation_is_a_question_with_its_answer(tmp_path):
    task = PixelReasonerSFT(write_sft(tmp_path))
    assert task[0].question == "Which colour is the cup?"
    assert (task[0].choices, task[0].right_choice) == (("red", "blue"), 1)
    assert (task[1].question, task[1].answers, task[1].category) == (
        "What does he do?",
        ("waves",),
        "star",
    )


@pytest.mark.parametrize(
    ("messages", "message"),
    [
        (None, "expected a list in column 'message_list'"),
        ([{"role": "user", "content": "?"}], "one of the assistant"),
        (
            [
                {"role": "user", "content": [{"image": "images/0.jpg"}, {"text": "?"}]},
                {"role": "assistant", "content": "no answer"},
            ],
            "declares an answer",
        ),
        (
            [
                {"role": "user", "content": [{"sound": "x"}]},
                {"role": "assistant", "content": "\\boxed{A}"},
            ],
            "expected a text, an image or a video",
        ),
        (
            [{"role": "user", "content": "?"}, {"role": "assistant", "content": "\\boxed{A}"}],
            "expected one clip, or one or more pictures",
        ),
    ],
)
def test_bad_conversation_names_file_and_row(tmp_path, messages, message):
    folder = write_sft(tmp_path)
    release = json.loads((folder / "release.json").read_text("utf-8"))
    release[0]["message_list"] = messages
    (folder / "release.json").write_text(json.dumps(release), "utf-8")
    task = PixelReasonerSFT(folder)
    with pytest.raises(DataError, match=rf"^release\.json row 1: .*{message}"):
        _ = task[0]
    assert task[1].id == "star-2"


def test_conversations_about_one_question_have_ids_of_their_own(tmp_path):
    folder = write_sft(tmp_path)
    release = json.loads((folder / "release.json").read_text("utf-8"))
    (folder / "release.json").write_text(json.dumps([*release, release[0]]), "utf-8")
    task = PixelReasonerSFT(folder)
    assert [sample.id for sample in task] == ["sa1b-1", "star-2", "sa1b-1#3"]
    assert task.index_of("sa1b-1#3") == 2
    assert (task[2].category, task.conversation(2).id) == ("sa1b", "sa1b-1#3")


def test_options_are_named_by_letter_or_by_letter_and_text_and_keep_their_order(tmp_path):
    folder = write_sft(tmp_path)
    release = json.loads((folder / "release.json").read_text("utf-8"))
    release[0]["message_list"][1]["content"][0]["text"] = (
        "Which colour is the cup?\nchoices:\nA: red\nB: blue\nC: black\n\nGuidelines: Look."
    )
    release[0]["message_list"][-1]["content"] = "It is \\boxed{C. black}"
    (folder / "release.json").write_text(json.dumps(release), "utf-8")
    env = gym.make("PixelReason-PixelReasonerSFT-v0", data_dir=str(folder))
    observation, _ = env.reset(options={"id": "sa1b-1"})
    assert observation["question"] == "Which colour is the cup?"
    assert observation["choices"] == ("red", "blue", "black")
    assert env.unwrapped.sample.right_choice == 2
