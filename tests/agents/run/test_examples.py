"""A report's three episodes: a right zoom, a wrong one, an answer without one."""

import io
import json

import numpy as np
import pytest
from PIL import Image
from recorded_pictures import record

from pixel_env.agents.run.examples import find_examples


@pytest.fixture
def folder(tmp_path):
    return record(tmp_path / "episodes")


def test_the_first_episode_of_each_kind_is_found_and_drawn(folder):
    found = {example.name: example for example in find_examples(folder)}
    assert list(found) == ["right", "wrong", "text-only"]
    assert [each.row["n_calls"] for each in found.values()] == [1, 2, 0]
    assert "crop_image_normalized" in found["right"].messages[0]
    for example in found.values():
        with Image.open(io.BytesIO(example.picture)) as picture:
            assert np.asarray(picture).shape[1] > 200


def test_a_zoom_that_missed_the_evidence_is_no_right_one(folder):
    result = {"index": 0, "repeat": 0, "coverage": 0.1}
    (folder / "results.jsonl").write_text(json.dumps(result) + "\n")
    assert [example.name for example in find_examples(folder)] == ["wrong", "text-only"]


def test_nothing_is_found_where_there_are_no_trajectories(tmp_path):
    assert find_examples(tmp_path) == []
