"""Records: a user's own questions in JSONL, JSON and parquet, with everything a row may have."""

from __future__ import annotations

import json
from hashlib import sha256

import gymnasium as gym
import pytest
from dataset_folders.files import HUB_PICTURE, SIZE, hub_picture, write_parquet, write_picture
from videos import grey_pictures, write_video

from pixel_env.errors import ConfigError, DataError
from pixel_env.media.clips import ClipSource
from pixel_env.tasks.records import Records
from pixel_env.types import Evidence

ROWS = (
    {"id": "cup", "image": "a.png", "question": "Which colour?", "answer": "red"},
    {
        "id": "dogs",
        "images": ["a.png", "b.png"],
        "question": "Which\nbreed?",
        "choices": ["pug", "husky", "corgi"],
        "answer": "C",
        "category": "animals",
        "evidence": [[0.1, 0.2, 0.3, 0.4], {"box": [0, 0, 1, 1], "image": 2}],
    },
    {
        "id": 3,
        "video": "frames",
        "start": 1,
        "end": 3,
        "fps": 2,
        "question": "What moves?",
        "answers": ["a car", "the car"],
        "category": "clips",
    },
    {
        "id": "4",
        "video": ["frames/00001.jpg", "frames/00003.jpg"],
        "question": "Which one?",
        "choices": ["no", "yes"],
        "answer": 1,
        "category": "clips",
    },
    {"id": "5", "video": "clip.mp4", "start": 0.5, "question": "How many?", "answer": 4},
)


@pytest.fixture
def folder(tmp_path):
    for number, name in enumerate(("a.png", "b.png")):
        write_picture(tmp_path / name, number)
    for number in range(1, 9):
        write_picture(tmp_path / "frames" / f"{number:05}.jpg", number)
    write_video(tmp_path / "clip.mp4", grey_pictures(range(0, 200, 20)), fps=10)
    return tmp_path


def write(folder, rows, name="test.jsonl"):
    lines = "\n\n".join(json.dumps(row) for row in rows)
    text = lines if name.endswith("jsonl") else json.dumps(rows)
    (folder / name).write_text(text, "utf-8")
    return folder


@pytest.mark.parametrize("name", ["test.jsonl", "test.json"])
def test_rows_become_samples(folder, name):
    task = Records(write(folder, ROWS, name))
    cup, dogs, frames, listed, video = (task[index] for index in range(5))
    assert (cup.id, cup.answers, cup.category, cup.choices) == ("cup", ("red",), "", ())
    assert (dogs.question, dogs.choices) == ("Which breed?", ("pug", "husky", "corgi"))
    assert (dogs.right_choice, dogs.answers, len(dogs.media)) == (2, ("corgi",), 2)
    assert dogs.evidence == (Evidence((0.1, 0.2, 0.3, 0.4)), Evidence((0.0, 0.0, 1.0, 1.0), 2))
    assert (frames.id, frames.answers) == ("3", ("a car", "the car"))
    assert frames.media[0].sample_numbers(2) == (3, 5)  # frames 2 to 6 in two parts of two
    assert listed.media[0].n_frames == 2
    assert listed.answers == ("yes",)
    assert isinstance(video.media[0], ClipSource)
    assert video.media[0].sample_numbers(16) == (6, 7, 8, 9, 10)
    assert video.answers == ("4",)


def test_file_may_be_named_itself_or_by_split(folder):
    write(folder, ROWS[:1], "train.jsonl")
    write(folder, ROWS[:2], "test.jsonl")
    assert len(Records(folder / "test.jsonl")) == 2
    assert len(Records(folder, split="train")) == 1
    with pytest.raises(ConfigError, match=r"got test\.jsonl, train\.jsonl; choose one by split"):
        Records(folder)
    with pytest.raises(ConfigError, match="expected one file val of"):
        Records(folder, split="val")
    with pytest.raises(ConfigError, match="expected data_dir"):
        Records()
    with pytest.raises(ConfigError, match=r"expected a file \.jsonl"):
        Records(folder / "a.png")


def test_category_chooses_rows(folder):
    write(folder, ROWS)
    task = Records(folder, category="clips")
    assert [task[index].id for index in range(2)] == ["3", "4"]
    with pytest.raises(ConfigError, match="animals, clips"):
        Records(folder, category="cats")


def test_parquet_with_embedded_pictures_or_paths(folder):
    rows = [
        {"id": str(number), "image": hub_picture(number), "question": "?", "answer": "x"}
        for number in range(3)
    ]
    write_parquet(folder / "embedded.parquet", rows, image=HUB_PICTURE)
    assert Records(folder, split="embedded")[2].media[0].size == SIZE
    plain = [{**row, "image": "b.png", "choices": ["x", "y"]} for row in rows]
    write_parquet(folder / "paths.parquet", plain)
    sample = Records(folder / "paths.parquet")[1]
    assert "b.png" in sample.media[0].name
    assert sample.right_choice == 0


@pytest.mark.parametrize(
    ("metric", "said", "score"),
    [("text", "5 or 6", 0.0), ("count", "five", 1.0), ("anls", "fivf", 0.0), ("anls", "5.", 0.5)],
)
def test_metric_grades_free_answers(folder, metric, said, score):
    write(folder, [{"image": "a.png", "question": "How many?", "answer": "5"}])
    task = Records(folder, metric=metric)
    assert task.grade(task[0], said).score == score
    assert task.score_name == ("ANLS" if metric == "anls" else "")


def test_unknown_metric_is_refused_and_the_metric_is_in_the_fingerprint(folder):
    write(folder, ROWS)
    with pytest.raises(ConfigError, match="Did you mean 'count'"):
        Records(folder, metric="counts")
    assert Records(folder).fingerprint() != Records(folder, metric="anls").fingerprint()


def test_ids_are_row_numbers_where_there_are_none(folder):
    (folder / "test.jsonl").write_text(
        '\n{"image": "a.png", "question": "?", "answer": "x"}\n', "utf-8"
    )
    assert Records(folder)[0].id == "2"


def test_environment_is_made_by_gymnasium(folder):
    env = gym.make("PixelReason-Records-v0", data_dir=write(folder, ROWS), max_turns=2)
    observation, info = env.reset(options={"id": "3"})
    assert (observation["n_frames"], info["category"]) == (5, "clips")


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"image": None}, "expected one of the columns image, images and video, got none"),
        ({"video": "frames"}, "expected one of the columns image, images and video"),
        ({"image": "none.png"}, "there is no file 'none.png'"),
        ({"image": "../a.png"}, r"without '\.\.'"),
        ({"image": "/etc/hostname"}, "expected a relative path"),
        ({"image": "out.png"}, "is a link that leads out of"),
        ({"image": 4}, "expected text in column 'image'"),
        ({"image": None, "images": []}, "expected a list of texts in column 'images'"),
        ({"question": ""}, "it is blank"),
        ({"answer": ""}, "it is blank"),
        ({"answer": None}, "expected text in column 'answer', got None"),
        ({"answers": "red"}, "expected a list of texts in column 'answers'"),
        ({"choices": ["x"]}, "expected a list of options"),
        ({"choices": ["x", "y"]}, "expected an answer from A to B"),
        ({"id": 1.5}, "expected a name or a number in column 'id'"),
        ({"category": ["x"]}, "expected a name or a number in column 'category'"),
        ({"evidence": [[0.5, 0, 0.4, 1]]}, "expected a box"),
        ({"evidence": [[0, 0, 120, 80]]}, "expected a box .* of fractions"),
        ({"evidence": {"box": [0, 0, 1, 1]}}, "expected a list of boxes"),
        ({"evidence": [{"box": [0, 0, 1, 1], "image": 2}]}, "expected evidence in image 1 to 1"),
        ({"image": None, "video": "frames", "start": 1}, "expected a column 'fps'"),
        ({"image": None, "video": "frames", "fps": 0}, "expected fps over 0"),
        ({"image": None, "video": "frames", "fps": 1, "start": 3, "end": 2}, r"row 1\)"),
    ],
)
def test_bad_row_names_file_and_row_and_spares_the_others(folder, columns, message):
    outside = folder.parent / f"{folder.name}-outside.png"
    write_picture(outside, 0)
    (folder / "out.png").symlink_to(outside)
    good = {"id": "good", "image": "a.png", "question": "Which?", "answer": "red"}
    write(folder, [{**good, "id": "bad", **columns}, good])
    task = Records(folder)
    with pytest.raises(DataError, match=message) as caught:
        _ = task[0]
    assert "test.jsonl row 1" in str(caught.value)
    assert task[1].id == "good"


def test_a_part_of_a_video_file_goes_by_its_frames_own_times(tmp_path):
    """Whatever the row says of frames a second, which is for clips without times."""
    times_ms = [*range(0, 400, 40), *range(4000, 4400, 40)]
    write_video(tmp_path / "clip.mp4", grey_pictures(range(0, 240, 12)), times_ms=times_ms)
    row = {"video": "clip.mp4", "question": "What?", "answer": "this", "start": 4.0, "end": 4.4}
    rows = [row, {**row, "fps": 5}, {**row, "start": 2, "end": 3}]
    (tmp_path / "q.jsonl").write_text("\n".join(map(json.dumps, rows)))
    task = Records(tmp_path)
    for index in (0, 1):
        assert task[index].media[0].sample_numbers(16) == tuple(range(11, 21))
    with pytest.raises(DataError, match=r"q\.jsonl row 3\) has no frame between 2\.0 and 3\.0"):
        task[2].media[0].sample_numbers(16)


def test_the_id_does_not_tell_the_order_of_options_and_the_order_is_stable(tmp_path):
    """Each row lists the right option first, as many files do."""
    row = {"image": "a.png", "question": "Which?", "choices": list("pqrs"), "answer": "p"}
    rows = [json.dumps({**row, "id": f"s{number}"}) for number in range(300)]
    write_picture(tmp_path / "a.png", 1)
    (tmp_path / "q.jsonl").write_text("\n".join(rows))
    envs = [gym.make("PixelReason-Records-v0", data_dir=tmp_path) for _ in range(2)]
    n_told, n_first = 0, 0
    for index in range(300):
        (shown, info), (again, _) = (env.reset(options={"index": index}) for env in envs)
        assert shown["choices"] == again["choices"]
        digests = [sha256(f"{info['sample_id']}\0{place}".encode()).digest() for place in range(4)]
        by_id = sorted(range(4), key=digests.__getitem__)
        n_told += shown["choices"][by_id.index(0)] == "p"
        n_first += shown["choices"][0] == "p"
    assert 45 < n_told < 105  # a quarter, by chance
    assert 45 < n_first < 105
    (tmp_path / "q.jsonl").write_text("\n".join([*rows, rows[0].replace("s0", "other")]))
    other = gym.make("PixelReason-Records-v0", data_dir=tmp_path)
    orders = {
        tuple(env.reset(options={"index": index})[0]["choices"] for index in range(20))
        for env in (envs[0], other)
    }
    assert len(orders) == 2  # the file's digest is the key
