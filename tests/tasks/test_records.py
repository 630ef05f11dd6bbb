"""Records: a user's own questions in JSONL, JSON and parquet, with everything a row may have."""

from __future__ import annotations

import base64
import json
import pickle
from hashlib import sha256

import gymnasium as gym
import pyarrow as pa
import pytest
from dataset_folders.files import (
    HUB_PICTURE,
    SIZE,
    hub_picture,
    picture_bytes,
    write_parquet,
    write_picture,
)
from videos import grey_pictures, write_video

from pixel_env.errors import ConfigError, DataError
from pixel_env.media.clips import ClipSource
from pixel_env.media.pictures import ImageSource
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


@pytest.mark.parametrize("metric", ["text", "count", "anls"])
@pytest.mark.parametrize("held", [3, 3.0, "3"])
@pytest.mark.parametrize("column", ["answer", "answers"])
def test_a_whole_number_is_the_same_answer_however_it_is_held(folder, metric, held, column):
    write(folder, [{"image": "a.png", "question": "?", column: [held] if column[6:] else held}])
    task = Records(folder, metric=metric)
    assert task[0].answers == ("3",)
    assert task.grade(task[0], "3").correct


def test_a_column_of_numbers_in_a_parquet_keeps_them_whole_beside_a_missing_one(folder):
    rows = [{"image": "a.png", "question": "?", "answer": value} for value in (3.0, 2.5, None)]
    write_parquet(folder / "q.parquet", rows)
    task = Records(folder, metric="anls")
    assert [task[index].answers for index in (0, 1)] == [("3",), ("2.5",)]
    with pytest.raises(DataError, match=r"q\.parquet row 3: expected text in column 'answer'"):
        _ = task[2]


def test_whole_numbers_as_text_are_counts(folder):
    write(folder, [{"image": "a.png", "question": "?", "answer": "3.0"}])
    assert Records(folder, metric="count")[0].answers == ("3",)
    assert Records(folder, metric="text")[0].answers == ("3.0",)


@pytest.mark.parametrize(
    ("choices", "answer", "right"),
    [
        ({"A": "cup", "B": "mug"}, "B", 1),
        ({"B": "mug", "A": "cup"}, "b", 1),
        ({"a": "cup", "b": "mug", "c": None}, "mug", 1),
        ({"0": "cup", "1": "mug"}, 1, 1),
        ({"1": "cup", "2": "mug"}, 1, 0),
        ({"1": "cup", "2": "mug"}, "2", 1),
        ({"label": ["A", "B"], "text": ["cup", "mug"]}, "B", 1),
        (["A. cup", "B. mug"], "B", 1),
        (["(a) cup", "(b) mug"], "mug", 1),
        (["A.cup", "B.mug"], "A", 0),
        (["Option A: cup", "Option B: mug"], "A", 0),
        ({"A": "A) cup", "B": "B) mug"}, "B", 1),
    ],
)
def test_options_may_have_letters_and_names(folder, choices, answer, right):
    write(folder, [{"image": "a.png", "question": "?", "choices": choices, "answer": answer}])
    sample = Records(folder)[0]
    assert (sample.choices, sample.right_choice) == (("cup", "mug"), right)


def test_options_of_a_parquet_may_be_a_struct(folder):
    held = [{"A": "cup", "B": "mug", "C": None}, {"A": "cup", "B": "mug", "C": "jar"}]
    rows = [{"image": "a.png", "question": "?", "choices": each, "answer": "B"} for each in held]
    write_parquet(folder / "q.parquet", rows)
    task = Records(folder)
    assert [task[index].choices for index in (0, 1)] == [("cup", "mug"), ("cup", "mug", "jar")]


def data_uri(number):
    return f"data:image/png;base64,{base64.b64encode(picture_bytes(number)).decode()}"


def shown(source):
    return source.overview(SIZE).tolist()


def test_pictures_of_json_may_be_data_uris_files_and_structs(folder):
    for name in ("100%.png", "a b.png"):
        write_picture(folder / name, 1)
    address = (folder / "b.png").absolute().as_uri()
    packed = base64.b64encode(picture_bytes(1)).decode()
    images = [
        *("b.png", data_uri(1), address, "file://b.png", "file:b.png", f"file://{folder}/b.png"),
        *(
            "file://a%20b.png",
            "file://a b.png",
            "file://100%.png",
            address.replace("//", "//localhost", 1),
        ),
        *({"path": "b.png"}, {"bytes": packed}, {"bytes": None, "path": "b.png"}),
        data_uri(1).replace("png;", "PNG;charset=utf-8;"),
    ]
    good = {"question": "?", "answer": "x"}
    write(folder, [{**good, "images": images}, *({**good, "image": each} for each in images)])
    task = Records(folder)
    wanted = shown(task[1].media[0])
    assert wanted != shown(ImageSource(folder / "a.png"))
    for row in range(len(images) + 1):
        media = pickle.loads(pickle.dumps(task[row])).media
        assert len(media) == (1 if row else len(images))
        assert all(shown(source) == wanted for source in media)


@pytest.mark.parametrize("kind", ["bytes", "struct", "path", "mixed"])
def test_pictures_of_a_parquet_may_be_a_list(folder, kind):
    struct = {"bytes": picture_bytes(0), "path": None}
    entries = {
        "bytes": ([picture_bytes(0), picture_bytes(1)], pa.list_(pa.binary())),
        "struct": ([struct, hub_picture(1)], pa.list_(HUB_PICTURE)),
        "mixed": ([struct, {"bytes": None, "path": "b.png"}], pa.list_(HUB_PICTURE)),
        "path": (["a.png", "file://b.png"], pa.list_(pa.string())),
    }
    images, schema = entries[kind]
    rows = [{"images": images[:n], "question": "?", "answer": "x"} for n in (1, 2)]
    write_parquet(folder / "q.parquet", rows, images=schema)
    one, two = (Records(folder)[index].media for index in (0, 1))
    assert (len(one), len(two)) == (1, 2)
    assert shown(two[0]) == shown(one[0]) == shown(ImageSource(folder / "a.png"))
    assert shown(two[1]) == shown(ImageSource(folder / "b.png"))


def test_a_list_of_pictures_that_are_none_is_a_fault_of_its_row(folder):
    rows = [
        {"images": each, "question": "?", "answer": "x"} for each in ([b"no picture"], [], None)
    ]
    write_parquet(folder / "q.parquet", rows, images=pa.list_(pa.binary()))
    task = Records(folder)
    with pytest.raises(DataError, match=r"q\.parquet row 1.*can't be read"):
        _ = task[0].media[0].size
    for index in (1, 2):
        with pytest.raises(DataError, match=rf"q\.parquet row {index + 1}: expected"):
            _ = task[index]


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
        ({"image": 4}, "expected pictures in column 'image'"),
        ({"image": None, "images": []}, "expected at least one picture in column 'images'"),
        ({"image": None, "images": ["a.png", None]}, "expected pictures in column 'images'"),
        ({"image": None, "images": [{"url": "a.png"}]}, "expected pictures in column 'images'"),
        ({"image": "file:///etc/hostname"}, "expected a relative path"),
        ({"image": "file:///etc/../etc/hostname"}, "expected a relative path"),
        ({"image": "file://../a.png"}, r"without '\.\.'"),
        ({"image": "file://%2e%2e/a.png"}, r"without '\.\.'"),
        ({"image": "file:out.png"}, "is a link that leads out of"),
        ({"image": None, "images": [{"path": "../a.png"}]}, r"without '\.\.'"),
        ({"image": None, "images": [{"path": "out.png"}]}, "is a link that leads out of"),
        ({"image": None, "video": "file:///etc"}, "expected a relative path"),
        ({"image": "https://example.org/a.png"}, "there is no file"),
        ({"image": "a\ud800.png"}, "there is no file"),
        ({"image": "A" * 100_000}, "there is no file 'AAA"),
        ({"answer": float("nan")}, "expected a finite number in column 'answer', got nan"),
        ({"answer": float("inf")}, "expected a finite number in column 'answer', got inf"),
        ({"answers": [3, float("-inf")]}, "expected a finite number in column 'answers'"),
        ({"answer": True}, "expected text in column 'answer', got True"),
        ({"choices": ["x", float("nan")]}, "expected options in column 'choices'"),
        ({"choices": ["B. x", "A. y"]}, "carry letters of their own"),
        ({"choices": {"A": "x"}}, "expected a list of options"),
        ({"choices": {"A": "x", "C": "y"}}, "expected options under the letters from A"),
        ({"choices": {"label": ["A", "B"], "text": ["x"]}}, "expected a list of options"),
        ({"evidence": [[0, 0, 1, float("nan")]]}, "expected a box"),
        ({"evidence": [[0, 0, 1, 10**400]]}, "expected a box"),
        ({"image": None, "video": "frames", "fps": 10**400}, "expected a number in column 'fps'"),
        ({"image": None, "video": "frames", "start": float("nan")}, "expected a number in column"),
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
