"""MVBench: tasks, clips and their bounds, and where the archives unpack to."""

from __future__ import annotations

import json
import shutil

import pytest
from dataset_folders.mvbench import BOUNDED, CANDIDATES, TASKS, write_mvbench, write_released

from pixel_env.errors import ConfigError, DataError
from pixel_env.media.clips import ClipSource
from pixel_env.tasks import mvbench
from pixel_env.tasks.mvbench import VIDEOS, MVBench


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    return write_mvbench(tmp_path_factory.mktemp("mvbench") / "published")


@pytest.fixture
def folder(published, tmp_path):
    return shutil.copytree(published, tmp_path / "mvbench")


@pytest.fixture
def clips(monkeypatch):
    """Notes what clips are made from."""
    made = []

    class NotedClip(ClipSource):
        def __init__(self, media, name="", backend="auto", **bounds):
            made.append((media, bounds))
            super().__init__(media, name)

    monkeypatch.setattr(mvbench, "ClipSource", NotedClip)
    return made


def edit(folder, task, number, **columns):
    path = folder / "json" / f"{task}.json"
    rows = json.loads(path.read_text("utf-8"))
    rows[number].update(columns)
    path.write_text(json.dumps(rows), "utf-8")


def test_rows_become_samples(published, clips):
    task = MVBench(published)
    assert len(task) == 40
    sample = task[task.index_of("action_count/2")]
    assert sample.question == "What happened in 1?"
    assert (sample.choices, sample.right_choice) == (CANDIDATES, 1)
    assert (sample.category, sample.origin) == ("Action Count", "action_count.json row 2")


def test_twenty_tasks_can_be_chosen(published, clips):
    assert len(VIDEOS) == 20
    for category in VIDEOS:
        task = MVBench(published, category=category)
        assert [task[index].category for index in range(len(task))] == [category] * 2
    with pytest.raises(ConfigError, match="Did you mean 'Action Count'"):
        MVBench(published, category="action count")


def test_bounds_and_frame_rate_are_passed_on(published, clips):
    task = MVBench(published)
    for name, below in TASKS.items():
        clips.clear()
        _ = task[task.index_of(f"{name}/2")]
        ((media, bounds),) = clips
        assert media.is_relative_to(published / "video" / below)
        in_bounds = name in BOUNDED
        assert bounds["start_s"] == (2.5 if in_bounds else None)
        assert bounds["end_s"] == (8.0 if in_bounds else None)
        assert bounds["fps"] == (3.0 if name == "episodic_reasoning" else None)
        assert bounds["reading"].constant_rate  # the published formula


def test_archives_may_be_unpacked_beside_the_folder_of_questions(folder, clips):
    for inner in (folder / "video").iterdir():
        inner.rename(folder / inner.name)
    _ = MVBench(folder, category="Action Count")[0]
    assert clips[0][0] == folder / "perception" / "videos" / "action_count_0.mp4"


def test_missing_file_of_a_task_is_told_and_the_others_can_be_chosen(folder, clips):
    (folder / "json" / "action_count.json").unlink()
    with pytest.raises(ConfigError, match=r"expected 20 files .* missing action_count\.json"):
        MVBench(folder)
    assert len(MVBench(folder, category="Moving Count")) == 2


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"video": "none.mp4"}, "there is no file 'video/perception/videos/none.mp4'"),
        ({"video": "../x.mp4"}, r"without '\.\.'"),
        ({"answer": "A fourth thing."}, "expected the text of one of"),
        ({"answer": 1}, "expected text in column 'answer', got 1"),
        ({"candidates": ["Sat down."]}, "expected a list of options"),
        ({"candidates": "Sat down."}, "expected a list of options"),
        ({"candidates": ["Sat down.", "Sat down."], "answer": "Sat down."}, "text of one of"),
        ({"start": 9, "end": 8}, "expected start < end, got 9.0 and 8.0"),
        ({"start": "x"}, "expected a number in column 'start'"),
    ],
)
def test_bad_row_names_file_and_row_and_spares_the_others(folder, clips, columns, message):
    edit(folder, "action_count", 0, **columns)
    task = MVBench(folder)
    with pytest.raises(DataError, match=rf"^action_count\.json row 1: .*{message}"):
        _ = task[task.index_of("action_count/1")]
    assert task[task.index_of("action_count/2")].right_choice == 1


def test_empty_answer_is_wrong(published, clips):
    task = MVBench(published)
    assert task.grade(task[0], "").correct is False


def test_released_clip_is_its_list_of_frames(tmp_path):
    task = MVBench(write_released(tmp_path))
    (clip,) = task[1].media
    assert clip.n_frames == 4
    assert (task[1].choices, task[1].right_choice) == (("a fall", "a jump"), 1)
    with pytest.raises(ConfigError, match="names no categories"):
        MVBench(tmp_path, category="Action Count")
