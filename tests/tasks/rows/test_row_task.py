"""What holds for task sets over files: broken rows, ids, and the cost of a reset."""

from __future__ import annotations

import json
import subprocess
import sys
import tracemalloc

import gymnasium as gym
import numpy as np
import pyarrow as pa
import pytest
from dataset_folders.files import HUB_PICTURE, hub_picture, write_parquet, write_picture
from dataset_folders.tallyqa import write_authors, write_copy

from pixel_env.agents.evaluation.evaluate import EvaluationConfig, evaluate
from pixel_env.agents.policies.direct import DirectPolicy
from pixel_env.errors import DataError
from pixel_env.tasks.records import Records
from pixel_env.tasks.rows.json_files import ListRows
from pixel_env.tasks.tallyqa import TallyQA
from pixel_env.tasks.vstar import VStar

BROKEN = {
    "missing picture": {"image": "VG_100K/none.jpg"},
    "path with ..": {"image": "../secret.png"},
    "absolute path": {"image": "/etc/hostname"},
    "link out": {"image": "link.png"},
    "folder": {"image": "VG_100K"},
    "truncated picture": {"image": "cut.png"},
    "no picture": {"image": None},
    "wrong type": {"question": {"text": "?"}},
    "no columns": None,
    "no object": [1, 2],
    "id of another row": {"question_id": 30_095_774},
}
"""Kinds of broken rows: the columns that break a good row, or what stands in its place."""


def write_broken(folder):
    """A good row, then each kind of broken row with a good one after it."""
    write_authors(folder)
    good = json.loads((folder / "test.json").read_text("utf-8"))[0]
    secret = folder.parent / "secret.png"
    write_picture(secret, 1)
    (folder / "link.png").symlink_to(secret)
    (folder / "cut.png").write_bytes(secret.read_bytes()[:60])
    rows = [good]
    for number, broken in enumerate(BROKEN.values()):
        bad = {**good, "question_id": 2 * number, **broken} if isinstance(broken, dict) else broken
        rows += [{} if bad is None else bad, {**good, "question_id": 2 * number + 1}]
    (folder / "test.json").write_text(json.dumps(rows), "utf-8")
    return folder


def test_evaluation_counts_broken_rows_apart_and_goes_on(tmp_path):
    folder = tmp_path / "tallyqa"
    folder.mkdir()
    write_broken(folder)
    config = EvaluationConfig(
        "PixelReason-TallyQA-v0", {"data_dir": str(folder), "overview_px": (784, 784)}, lanes=2
    )
    evaluation = evaluate(DirectPolicy(), config)
    n_kinds = len(BROKEN)
    is_broken = [bool(result.env_error) for result in evaluation.results]
    assert is_broken == [False, *[True, False] * n_kinds]
    for row, result in enumerate(evaluation.results, start=1):
        assert not result.env_error or f"test.json row {row}" in result.env_error
    assert (evaluation.overall.n, evaluation.overall.n_env_errors) == (n_kinds + 1, n_kinds)


def test_evaluation_over_a_parquet_counts_broken_rows_apart(tmp_path):
    picture, text = hub_picture(0), "What is it?\n(A) x\n(B) y"
    broken = {"bytes": picture["bytes"][:50], "path": None}
    nothing = {"bytes": None, "path": None}
    away = {"bytes": None, "path": "/etc/hostname"}
    rows = [
        {
            "image": image,
            "text": text,
            "label": "A",
            "question_id": str(number),
            "category": "direct_attributes",
        }
        for number, image in enumerate([picture, broken, nothing, away, None, picture])
    ]
    write_parquet(tmp_path / "test-0.parquet", rows, image=HUB_PICTURE)
    config = EvaluationConfig("PixelReason-VStar-v0", {"data_dir": str(tmp_path)})
    results = evaluate(DirectPolicy(), config).results
    assert [bool(r.env_error) for r in results] == [False, True, True, True, True, False]
    for number, result in enumerate(results):
        assert not result.env_error or f"test-0.parquet row {number + 1}" in result.env_error


@pytest.mark.parametrize(
    ("column", "values", "kind"),
    [
        ("image", [1, 2], pa.int64()),
        ("image", [[1.0], [2.0]], pa.list_(pa.float64())),
        ("text", [1, 2], pa.int64()),
        ("label", [[0], [1]], pa.list_(pa.int64())),
        ("question_id", [1.5, 2.5], pa.float64()),
        ("category", [True, False], pa.bool_()),
    ],
)
def test_column_of_the_wrong_type_is_a_fault_of_every_row(tmp_path, column, values, kind):
    rows = [
        {
            "image": hub_picture(number),
            "text": "What is it?\n(A) x\n(B) y",
            "label": "A",
            "question_id": str(number),
            "category": "direct_attributes",
            column: values[number],
        }
        for number in range(2)
    ]
    write_parquet(tmp_path / "test-0.parquet", rows, **{"image": HUB_PICTURE, column: kind})
    task = VStar(tmp_path)
    for index in range(2):
        with pytest.raises(DataError, match=rf"test-0\.parquet row {index + 1}.*{column}"):
            task[index].media[0].overview((28, 28))


def test_missing_column_is_told_with_those_there(tmp_path):
    write_parquet(tmp_path / "test-0.parquet", [{"image": hub_picture(0), "text": "?"}])
    with pytest.raises(DataError, match=r"row 1: column 'question_id' is missing|row 1: expected"):
        _ = VStar(tmp_path)[0]


def test_file_without_rows_is_refused(tmp_path):
    (tmp_path / "test.jsonl").write_text("\n\n")
    with pytest.raises(DataError, match=r"records \(test\) holds no row"):
        Records(tmp_path)


def write_questions(folder, n_rows):
    """TallyQA's file with many questions about one small picture."""
    folder.mkdir()
    write_picture(folder / "VG_100K" / "1.jpg", 1)
    rows = [
        {
            "answer": number % 16,
            "data_source": "amt" if number % 3 else "imported_vqa",
            "image": "VG_100K/1.jpg",
            "image_id": 1,
            "question": f"How many things of kind {number} are there?",
            "question_id": number,
            "issimple": number % 3 == 0,
        }
        for number in range(n_rows)
    ]
    (folder / "test.json").write_text(json.dumps(rows), "utf-8")
    return folder


def cost_of_resets(env, n):
    """Function calls of some resets, and the most memory that one of them takes, in bytes."""
    calls, peaks = 0, []

    def count(frame, event, argument):
        nonlocal calls
        calls += event in ("call", "c_call")

    for seed in range(n):
        tracemalloc.start()
        sys.setprofile(count)
        env.reset(seed=seed)
        sys.setprofile(None)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    return calls, max(peaks)


def test_seeded_resets_cost_the_same_however_many_rows_there_are(tmp_path):
    """Counted, not timed: 20 rows against 50,000, whose numbers alone fill 400 kB."""
    envs = [
        gym.make(
            "PixelReason-TallyQA-v0",
            data_dir=write_questions(tmp_path / str(n), n),
            overview_px=(784, 784),
        )
        for n in (20, 50_000)
    ]
    for env in envs:
        env.reset(seed=0)
    (few_calls, few_bytes), (many_calls, many_bytes) = (cost_of_resets(env, 20) for env in envs)
    assert many_calls < 5 * few_calls
    assert many_bytes < few_bytes + 100_000


def test_a_seeded_reset_reads_one_row(tmp_path, monkeypatch):
    folder = write_questions(tmp_path / "q", 500)
    env = gym.make("PixelReason-TallyQA-v0", data_dir=folder, overview_px=(784, 784))
    env.reset(seed=0)
    read = []
    one = ListRows.__getitem__
    monkeypatch.setattr(ListRows, "__getitem__", lambda self, i: read.append(i) or one(self, i))
    for seed in range(1, 6):
        env.reset(seed=seed)
    assert len(read) == 5


def test_opening_reads_no_picture(tmp_path):
    folder = write_questions(tmp_path / "q", 30)
    (folder / "VG_100K" / "1.jpg").unlink()
    assert len(TallyQA(folder, category="complex")) == 20


@pytest.mark.parametrize("write", [write_authors, write_copy])
def test_lanes_in_other_processes_give_the_same_episodes(tmp_path, write):
    arguments = {"data_dir": str(write(tmp_path)), "overview_px": (784, 784)}
    told = []
    for mode, options in (("sync", {}), ("async", {"shared_memory": False})):
        lanes = gym.make_vec(
            "PixelReason-TallyQA-v0",
            num_envs=2,
            vectorization_mode=mode,
            vector_kwargs=options,
            **arguments,
        )
        observations, infos = lanes.reset(seed=3)
        assert "env_error" not in infos
        pixels = [np.asarray(images[0]).tolist() for images in observations["images"]]
        told.append((observations["question"], infos["sample_id"].tolist(), pixels))
        lanes.close()
    assert told[0] == told[1]


def test_json_rows_need_neither_pyarrow_nor_a_video_reader(tmp_path):
    write_authors(tmp_path)
    code = (
        "import sys, gymnasium, pixel_env; "
        f"env = gymnasium.make('PixelReason-TallyQA-v0', data_dir={str(tmp_path)!r}); "
        "env.reset(seed=0); "
        "print(sorted({'pyarrow', 'av', 'decord', 'torch', 'rich'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
