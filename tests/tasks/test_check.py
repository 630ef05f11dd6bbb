"""The check of a folder, over every layout of every task set, and what it finds."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from dataset_folders import hrbench, infographicsvqa, pixel_reasoner, tallyqa
from dataset_folders.layouts import LAYOUTS

from pixel_env.errors import ConfigError
from pixel_env.task_sets import TASKS
from pixel_env.tasks.check import Check
from pixel_env.tasks.releases.catalogue import RELEASES, ReleaseSplit, releases_of


@pytest.mark.parametrize("name", LAYOUTS)
@pytest.mark.parametrize("is_quick", [False, True])
def test_good_folder_of_any_layout_has_no_fault(folders, name, is_quick):
    task_set, _, arguments, n_samples = LAYOUTS[name]
    parts = (ReleaseSplit(arguments.get("split", releases_of(task_set)[0].parts[0].split)),)
    release = replace(releases_of(task_set)[0], parts=parts)
    checked = Check(release, folders(name), is_quick).run()
    assert checked.faults == []
    assert f"{n_samples} questions" in checked.splits[0]
    assert checked.splits[0].endswith(f"licence: {release.licence}.")


def test_splits_that_are_not_there_are_passed_over_unless_named(tmp_path):
    hrbench.write_hrbench(tmp_path)
    release = replace(
        RELEASES["hrbench"], parts=(ReleaseSplit("hrbench_4k"), ReleaseSplit("hrbench_8k"))
    )
    assert len(Check(release, tmp_path).run().splits) == 1
    assert "looked for hr_bench_8k.parquet" in Check(release, tmp_path).run("hrbench_8k").faults[0]
    assert len(Check(release, tmp_path / "none").run().faults) == 1


def test_certain_counts_are_faults_and_others_remarks(tmp_path):
    tallyqa.write_authors(tmp_path)
    checked = Check(RELEASES["tallyqa"], tmp_path).run()
    assert (checked.faults, len(checked.remarks)) == ([], 1)
    assert "about 38589 questions are published (simple 22991, complex 15598)" in checked.remarks[0]
    part = ReleaseSplit("test", {"simple": 3, "complex": 2})
    release = replace(RELEASES["tallyqa"], parts=(part,))
    checked = Check(release, tmp_path).run()
    assert (checked.faults, checked.remarks) == ([], [])
    assert "5 questions (complex 2, simple 3)" in checked.splits[0]
    release = replace(release, parts=(replace(part, counts={"simple": 2, "complex": 3}),))
    assert Check(release, tmp_path).run().faults == [
        "expected 5 good questions (simple 2, complex 3)"
    ]


def test_total_is_compared_where_samples_have_categories_and_the_table_has_none(tmp_path):
    infographicsvqa.write_authors(tmp_path)
    release = replace(RELEASES["infographicsvqa"], parts=(ReleaseSplit("val", {"": 3}),))
    assert Check(release, tmp_path).run().faults == []
    release = replace(release, parts=(ReleaseSplit("val", {"": 4}),))
    assert Check(release, tmp_path).run().faults == ["expected 4 good questions"]


def test_gold_that_does_not_grade_1_is_found(tmp_path):
    infographicsvqa.write_authors(tmp_path)
    path = tmp_path / infographicsvqa.FILES["val"]
    whole = json.loads(path.read_text("utf-8"))
    whole["data"][1]["answers"] = [" "]
    path.write_text(json.dumps(whole), "utf-8")
    faults = Check(RELEASES["infographicsvqa"], tmp_path).run().faults
    assert any("withQT.json row 2" in fault and "grades" in fault for fault in faults)


def test_quick_check_opens_headers_only(tmp_path):
    folder = tallyqa.write_authors(tmp_path)
    picture = folder / tallyqa.QUESTIONS[4][0]
    picture.write_bytes(picture.read_bytes()[:60])
    assert Check(RELEASES["tallyqa"], folder, is_quick=True).run().faults == []
    (fault,) = Check(RELEASES["tallyqa"], folder).run().faults
    assert "test.json row 5" in fault


def test_pictures_of_later_messages_are_looked_at(tmp_path):
    folder = pixel_reasoner.write_sft(tmp_path)
    (folder / "images" / "0_1.jpg").unlink()
    (fault,) = Check(RELEASES["pixel-reasoner-sft"], folder).run().faults
    assert "release.json row 1: there is no file 'images/0_1.jpg'" in fault


def test_file_that_cannot_be_read_is_a_fault(tmp_path):
    (tmp_path / "hr_bench_4k.parquet").write_bytes(b"no parquet")
    (fault,) = Check(RELEASES["hrbench"], tmp_path).run().faults
    assert "can't be read as parquet" in fault


@pytest.mark.parametrize("release", RELEASES.values(), ids=lambda release: release.name)
def test_release_names_a_task_set_and_a_twin_that_are_registered(release):
    assert release.task in TASKS
    assert release.twin.startswith("Synthetic")
    assert release.parts
    assert all(release.files.values())
    known = {part.split for part in release.parts}
    assert set(release.files) - {""} <= known


def test_unknown_task_set_has_no_release():
    with pytest.raises(ConfigError, match="Did you mean 'TallyQA'"):
        releases_of("TalyQA")
