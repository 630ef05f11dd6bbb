"""Right answers and evidence lie beside the trajectories, once a sample, and nowhere in them."""

import json
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image
from tiny_tasks import ClipTask, PictureTask

from pixel_env import ClipSource, DataError, EnvConfig, Evidence, PixelReasoningEnv, Sample
from pixel_env.history import History
from pixel_env.recordings.gold import GoldFile, gold_of, read_gold
from pixel_env.recordings.trajectory import TrajectoryFolder

SMALL = {"overview_px": (784, 9000), "crop_px": (784, 9000)}


def history_of(task, index=0):
    env = PixelReasoningEnv(task, **SMALL)
    env.reset(options={"index": index})
    return env.history


def test_a_line_holds_what_a_sample_is_graded_by():
    found = gold_of(history_of(PictureTask(), 2))
    assert found["sample_id"] == "picture-2"
    assert found["answers"] == ["secret-2"]
    assert found["choices"][found["right_choice"]] == "secret-2"
    assert found["evidence"] == [{"box": (0.7, 0.7, 0.8, 0.8), "image": 1}]
    assert found["sources"] == [1]


def test_the_overviews_of_a_clip_name_their_frames():
    assert gold_of(history_of(ClipTask()))["sources"] == list(
        ClipTask()[0].media[0].sample_numbers(16)
    )


def test_a_sample_is_written_once_whoever_shows_it_and_in_order_at_the_end(tmp_path):
    gold = GoldFile(TrajectoryFolder(tmp_path))
    shown = [(index, history_of(PictureTask(), index)) for index in (4, 1, 0, 1, 4, 4)]
    with ThreadPoolExecutor(6) as threads:
        list(threads.map(lambda each: gold.note(*each), shown))
    again = GoldFile(TrajectoryFolder(tmp_path))
    again.note(1, shown[1][1])
    again.note(3, history_of(PictureTask(), 3))
    again.finish()
    lines = [json.loads(line) for line in (tmp_path / "gold.jsonl").read_text().splitlines()]
    assert [line["index"] for line in lines] == [0, 1, 3, 4]
    assert list(read_gold(tmp_path)) == [0, 1, 3, 4]


@pytest.mark.parametrize(("frames", "stored"), [([2, 3, 4], 3), ([20, 30], None)])
def test_a_frame_with_evidence_that_no_overview_shows_is_stored(tmp_path, frames, stored):
    pixels = [np.full((60, 80, 3), 5 * i, np.uint8) for i in range(1, 41)]
    evidence = tuple(Evidence((0.1, 0.1, 0.5, 0.5), frame) for frame in frames)
    sample = Sample("c", "?", (ClipSource(pixels),), ("x",), evidence=evidence)
    history = History(sample, EnvConfig(n_frames=2, overview_px=(784, 9000)))
    assert history.frame_numbers == (10, 30)
    GoldFile(TrajectoryFolder(tmp_path)).note(0, history)
    line = read_gold(tmp_path)[0]
    assert line.get("picture_source") == stored
    if stored:
        with Image.open(tmp_path / line["picture"]) as picture:
            assert picture.getpixel((0, 0)) == (15, 15, 15)


@pytest.mark.parametrize("line", ["[]", '{"index": "a"}', '{"index": true}', "x"])
def test_a_line_that_is_none_is_named(tmp_path, line):
    (tmp_path / "gold.jsonl").write_text(f"{line}\n")
    with pytest.raises(DataError, match=r"gold\.jsonl line 1"):
        read_gold(tmp_path)
