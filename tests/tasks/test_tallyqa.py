"""TallyQA: counts, both definitions of a complex question, and where its pictures are."""

from __future__ import annotations

import json

import pytest
from dataset_folders.tallyqa import IDS, QUESTIONS, write_authors, write_copy, write_released

from pixel_env.errors import ConfigError, DataError
from pixel_env.tasks.tallyqa import TallyQA


def edit(folder, number, **columns):
    rows = json.loads((folder / "test.json").read_text("utf-8"))
    rows[number].update(columns)
    (folder / "test.json").write_text(json.dumps(rows), "utf-8")


def test_rows_become_samples(tmp_path):
    sample = TallyQA(write_authors(tmp_path))[1]
    assert sample.id == "30095775"
    assert sample.question == "How many dogs wear a collar?"
    assert (sample.answers, sample.choices, sample.category) == (("1",), (), "complex")
    assert sample.origin == "test.json row 2"


@pytest.mark.parametrize("write", [write_authors, write_copy])
def test_both_definitions_of_complex(tmp_path, write):
    folder = write(tmp_path)
    for complex_by, column in (("data_source", 3), ("issimple", 4)):
        is_complex = [row[column] == "amt" if column == 3 else not row[column] for row in QUESTIONS]
        task = TallyQA(folder, complex_by=complex_by)
        assert [task[i].category == "complex" for i in range(5)] == is_complex
        part = TallyQA(folder, category="complex", complex_by=complex_by)
        assert [part[i].question for i in range(len(part))] == [
            row[1] for row, wanted in zip(QUESTIONS, is_complex, strict=True) if wanted
        ]


def test_definitions_have_fingerprints_of_their_own(tmp_path):
    folder = write_authors(tmp_path)
    assert TallyQA(folder).fingerprint() != TallyQA(folder, complex_by="issimple").fingerprint()


def test_train_has_one_definition_only(tmp_path):
    folder = write_authors(tmp_path, "train")
    assert TallyQA(folder, split="train", category="simple")[0].id == IDS[0]
    with pytest.raises(ConfigError, match="its rows have no 'issimple'"):
        TallyQA(folder, split="train", complex_by="issimple")
    with pytest.raises(ConfigError, match="expected complex_by to be one of"):
        TallyQA(folder, complex_by="amt")


def test_copies_hold_the_test_split_only(tmp_path):
    with pytest.raises(ConfigError, match=r"looked for train\.json in"):
        TallyQA(write_copy(tmp_path), split="train")


def test_copy_numbers_pictures_and_questions_over_all_its_files(tmp_path):
    task = TallyQA(write_copy(tmp_path))
    assert [task[index].id for index in range(5)] == ["1-1", "1-2", "2-1", "2-2", "3-1"]
    assert task[4].origin == "test-00001-of-00002.parquet row 1 entry 1"


def test_released_set_names_no_categories(tmp_path):
    folder = write_released(tmp_path)
    assert TallyQA(folder)[0].id == "TallyQA-0"
    with pytest.raises(ConfigError, match="names no categories"):
        TallyQA(folder, category="simple")


def test_pictures_may_lie_in_folders_of_their_own(tmp_path):
    folder = write_authors(tmp_path / "tallyqa")
    genome, coco = tmp_path / "genome", tmp_path / "coco"
    genome.mkdir()
    coco.mkdir()
    (folder / "VG_100K_2").rename(genome / "VG_100K_2")
    (folder / "val2014").rename(coco / "val2014")
    task = TallyQA(folder, image_dir=[genome, coco])
    assert task[0].media[0].size == task[2].media[0].size
    assert "genome" in task[0].media[0].name
    with pytest.raises(DataError, match=r"^test\.json row 5: there is no file"):
        _ = task[4]
    assert TallyQA(folder, image_dir=str(genome))[1].id == IDS[1]
    with pytest.raises(ConfigError, match="expected image_dir to be a folder"):
        TallyQA(folder, image_dir=tmp_path / "none")


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"answer": -1}, "expected a count in column 'answer', got -1"),
        ({"answer": 2.5}, "expected a count"),
        ({"answer": True}, "expected a count"),
        ({"answer": "two"}, "expected a count"),
        ({"answer": None}, "expected a count"),
        ({"question": " "}, "it is blank"),
        ({"question": 7}, "expected text in column 'question', got 7"),
        ({"question_id": None}, "column 'entry' is missing"),
        ({"image": "VG_100K/none.jpg"}, "there is no file"),
        ({"image": "../tallyqa/VG_100K/2317.jpg"}, r"without '\.\.'"),
        ({"image": ["a"]}, "expected a picture"),
    ],
)
def test_bad_row_names_file_and_row_and_spares_the_others(tmp_path, columns, message):
    folder = write_authors(tmp_path)
    edit(folder, 0, **columns)
    task = TallyQA(folder)
    with pytest.raises(DataError, match=rf"^(picture .*)?test\.json row 1\)?.*{message}"):
        task[0].media[0].overview((28, 28))
    assert task[1].id == IDS[1]


def test_row_without_a_category_stays_in_every_selection(tmp_path):
    folder = write_authors(tmp_path)
    edit(folder, 0, data_source=None)
    assert len(TallyQA(folder, category="complex")) == 3
    assert len(TallyQA(folder, category="simple")) == 3


def test_number_as_text_is_a_count(tmp_path):
    folder = write_authors(tmp_path)
    edit(folder, 0, answer=" 04 ")
    assert TallyQA(folder)[0].answers == ("4",)


def test_picture_that_is_not_one_is_refused_when_looked_at(tmp_path):
    folder = write_authors(tmp_path)
    (folder / QUESTIONS[0][0]).write_bytes(b"no picture")
    sample = TallyQA(folder)[0]
    with pytest.raises(DataError, match=r"2410408\.jpg \(test\.json row 1\) can't be read"):
        sample.media[0].overview((28, 28))
