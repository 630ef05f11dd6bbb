"""The example of docs/new_task.md, whole: it is as short as promised, and works."""

from __future__ import annotations

import json
import re
import sys
import types
from pathlib import Path

import gymnasium as gym
import pytest
from dataset_folders.files import write_picture
from gymnasium.utils.env_checker import check_env

import pixel_env
from pixel_env.errors import ConfigError, DataError
from pixel_env.tasks.grading.gold_check import check_golds

DOCUMENT = Path(__file__).parents[2] / "docs" / "new_task.md"


@pytest.fixture
def plates(monkeypatch):
    """The module that the document shows."""
    (source,) = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text("utf-8"), re.DOTALL)
    module = types.ModuleType("plates")
    monkeypatch.setitem(sys.modules, "plates", module)
    exec(compile(source, str(DOCUMENT), "exec"), module.__dict__)
    return module


@pytest.fixture
def folder(tmp_path):
    rows = [
        {"id": 1, "photo": "photos/1.png", "plate": "B XY 12", "is_day": True},
        {"id": 2, "photo": "photos/2.png", "plate": "C AB 34", "is_day": False},
        {"id": 3, "photo": "photos/3.png", "plate": "", "is_day": False},
    ]
    for row in rows:
        write_picture(tmp_path / row["photo"], row["id"])
    (tmp_path / "plates.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    return tmp_path


def test_example_is_about_forty_lines(plates):
    (source,) = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text("utf-8"), re.DOTALL)
    lines = [line for line in source.splitlines() if line.strip()]
    assert len(lines) <= 45


def test_example_is_a_task_set(plates, folder, register):
    env = gym.make(register("Plates", plates.Plates), data_dir=folder, category="day")
    check_env(env.unwrapped, skip_render_check=True)
    env.reset(seed=0)
    assert env.step(pixel_env.answer("b xy 12"))[1] == 1.0
    task = plates.Plates(str(folder))
    assert check_golds(task, [0, 1]) == []
    assert [task[index].category for index in (0, 1)] == ["day", "night"]
    assert task.index_of("2") == 1
    with pytest.raises(DataError, match=r"^plates\.jsonl row 3: .*it is blank"):
        _ = task[2]


def test_example_refuses_what_is_missing_or_unknown(plates, folder, tmp_path):
    with pytest.raises(ConfigError, match="looked for"):
        plates.Plates(tmp_path / "none")
    with pytest.raises(ConfigError, match="expected split to be one of test"):
        plates.Plates(folder, split="train")
    with pytest.raises(ConfigError, match="Did you mean 'night'"):
        plates.Plates(folder, category="nigth")
