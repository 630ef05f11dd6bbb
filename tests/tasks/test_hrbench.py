"""HR-Bench: options in the order of each row, cycles, and base64 pictures."""

from __future__ import annotations

import gymnasium as gym
import pytest
from dataset_folders.files import SIZE, base64_picture, write_parquet
from dataset_folders.hrbench import write_hrbench

import pixel_env
from pixel_env.errors import ConfigError, DataError
from pixel_env.tasks.hrbench import HRBench


def test_rows_become_samples_in_every_order_of_their_options(tmp_path):
    task = HRBench(write_hrbench(tmp_path))
    samples = [task[index] for index in range(8)]
    assert [sample.cycle for sample in samples] == ["0", "1", "2", "3"] * 2
    assert [sample.right_choice for sample in samples] == [0, 1, 2, 3] * 2
    assert {sample.answers for sample in samples} == {("red",)}
    assert samples[1].choices == ("white", "red", "green", "blue")
    assert [samples[i].category for i in (0, 4)] == ["single", "cross"]
    assert samples[5].id == "hrbench_4k/5"
    assert samples[5].media[0].size == SIZE


def test_options_stay_in_the_published_order(tmp_path):
    env = gym.make("PixelReason-HRBench-v0", data_dir=write_hrbench(tmp_path))
    for index in range(4):
        observation, _ = env.reset(options={"index": index})
        assert observation["choices"].index("red") == index
        *_, info = env.step(pixel_env.answer("ABCD"[index]))
        assert info["grade"]["correct"]


def test_the_two_splits_have_ids_of_their_own(tmp_path):
    write_hrbench(tmp_path, "hrbench_8k", 1)
    assert HRBench(tmp_path, split="hrbench_8k")[0].id == "hrbench_8k/0"
    with pytest.raises(ConfigError, match=r"looked for hr_bench_4k\.parquet"):
        HRBench(tmp_path)


def row(**columns):
    base = {
        "index": 7,
        "question": "What?",
        "answer": "A",
        "category": "single",
        "A": "x",
        "B": "y",
        "C": "z",
        "D": "w",
        "cycle_category": 0,
        "image": base64_picture(0),
    }
    return {**base, **columns}


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"image": "not base64!"}, "expected base64 in column 'image', got 'not base64!'"),
        ({"image": ""}, "expected a picture in column 'image'"),
        ({"image": None}, "expected a picture in column 'image', got None"),
        ({"image": "aGVsbG8="}, "'image' .hr_bench_4k.parquet row 1. can't be read"),
        ({"answer": "E"}, "expected an answer from A to D"),
        ({"answer": None}, "expected an answer from A to D"),
        ({"category": "double"}, "expected a category of single or cross, got 'double'"),
        ({"C": ""}, "a blank option"),
        ({"question": None}, "expected text in column 'question', got None"),
    ],
)
def test_bad_row_names_file_and_row_and_spares_the_others(tmp_path, columns, message):
    write_parquet(tmp_path / "hr_bench_4k.parquet", [row(**columns), row(index=8)])
    task = HRBench(tmp_path)
    with pytest.raises(DataError, match=message) as caught:
        task[0].media[0].overview((28, 28))
    assert "hr_bench_4k.parquet row 1" in str(caught.value)
    assert task[1].media[0].size == SIZE


def test_data_uri_is_base64_too(tmp_path):
    uri = "data:image/png;base64," + base64_picture(0)
    write_parquet(tmp_path / "hr_bench_4k.parquet", [row(image=uri)])
    assert HRBench(tmp_path)[0].media[0].size == SIZE
