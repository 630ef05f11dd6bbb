"""InfographicsVQA: splits, hidden answers, image folders, and its score."""

from __future__ import annotations

import json

import pytest
from dataset_folders.infographicsvqa import FILES, write_authors, write_copy, write_released

from pixel_env.errors import ConfigError, DataError
from pixel_env.tasks.infographicsvqa import InfographicsVQA


def test_rows_become_samples(tmp_path):
    task = InfographicsVQA(write_authors(tmp_path))
    sample = task[0]
    assert (sample.id, sample.question) == ("98313", "What share of users are 18-24?")
    assert (sample.answers, sample.category) == (("27%", "27 %"), "single span")
    assert "images/37313.jpeg" in sample.media[0].name
    assert task.score_name == "ANLS"


def test_score_is_anls_and_correct_is_an_exact_match(tmp_path):
    task = InfographicsVQA(write_authors(tmp_path))
    grade = task.grade(task[1], "acme, zet")  # one letter of ten is missing
    assert (grade.score, grade.correct) == (pytest.approx(0.9), False)
    assert task.grade(task[1], "Zeta, Acme").correct


@pytest.mark.parametrize("images", ["images", "Images"])
def test_either_name_of_the_image_folder(tmp_path, images):
    folder = write_authors(tmp_path, "train", images)
    sample = InfographicsVQA(folder, split="train")[0]
    assert f"{images}/37313.jpeg" in sample.media[0].name
    assert sample.category == ""


@pytest.mark.parametrize("write", [write_authors, write_copy])
def test_split_without_published_answers_is_refused(tmp_path, write):
    folder = write(tmp_path, "test")
    with pytest.raises(ConfigError, match=r"answers of the split 'test' .* are not published"):
        InfographicsVQA(folder, split="test")


def test_row_without_answers_among_others_is_a_fault_of_its_own(tmp_path):
    folder = write_authors(tmp_path)
    whole = json.loads((folder / FILES["val"]).read_text("utf-8"))
    whole["data"][0]["answers"] = []
    (folder / FILES["val"]).write_text(json.dumps(whole), "utf-8")
    task = InfographicsVQA(folder)
    with pytest.raises(DataError, match=r"withQT\.json row 1: it has no answers"):
        _ = task[0]
    assert task[1].id == "98314"


@pytest.mark.parametrize("below", ["InfographicVQA", "data", "."])
def test_copy_is_found_where_the_hub_puts_it(tmp_path, below):
    assert len(InfographicsVQA(write_copy(tmp_path, below=below))) == 3


def test_copy_reads_no_column_that_it_does_not_need(tmp_path):
    task = InfographicsVQA(write_copy(tmp_path))
    assert task._rows.columns() == {"questionId", "question", "answers", "answer_type", "image"}


def test_released_list_inside_the_box_gives_several_answers(tmp_path):
    sample = InfographicsVQA(write_released(tmp_path))[1]
    assert sample.answers == ("acme, zeta", "zeta, acme")
    assert sample.id == "infographicsvqa-1"


def test_category_that_no_row_has_is_refused_with_those_found(tmp_path):
    with pytest.raises(ConfigError, match="multi-span, non-extractive, single span"):
        InfographicsVQA(write_authors(tmp_path), category="span")
