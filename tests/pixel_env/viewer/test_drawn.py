"""A recorded episode as a picture: boxes, evidence and the newest view, each in its place."""

import json

import numpy as np
import pytest
from PIL import Image
from recorded_pictures import record

from pixel_env.viewer import read_site
from pixel_env.viewer.drawn import BOX, EVIDENCE, SIDE_PX, draw_recorded


@pytest.fixture
def folder(tmp_path):
    """Episodes of one picture: a zoom, two zooms, a refused one, none; evidence is known."""
    folder = record(tmp_path / "episodes")
    gold = {"index": 0, "sources": [1], "evidence": [{"image": 1, "box": [0.3, 0.4, 0.4, 0.6]}]}
    (folder / "gold.jsonl").write_text(json.dumps(gold) + "\n")
    return folder


def drawn_size(picture):
    """A small picture grows by a whole factor, up to the frame."""
    factor = SIDE_PX // max(picture["w"], picture["h"])
    assert factor >= 2
    return factor * picture["w"], factor * picture["h"]


def edges(pixels, colour):
    rows, columns = np.nonzero((pixels == colour).all(axis=2))
    return np.array([columns.min(), rows.min(), columns.max(), rows.max()])


def test_boxes_and_evidence_lie_on_the_source_and_the_newest_view_stands_beside_it(folder):
    site = read_site(folder)
    drawn = draw_recorded(site, 0)
    assert drawn.dtype == np.uint8
    views = site.details[0]["views"]
    width, height = drawn_size(views[0]["picture"])
    source = drawn[:, :width]
    newest = drawn[: drawn_size(views[1]["picture"])[1], width + 8 :]
    box = np.array(views[1]["box"])
    sides = [width - 1, height - 1] * 2
    assert np.abs(edges(source, BOX) - box * sides).max() <= 2
    assert np.abs(edges(source, EVIDENCE) - np.array([0.3, 0.4, 0.4, 0.6]) * sides).max() <= 2
    # the zoom shows 1/4 to 1/2 of the width and 1/4 to 3/4 of the height, more or less
    left, top, right, bottom = edges(newest, EVIDENCE) / (np.array(newest.shape[1::-1] * 2) - 1)
    zoom = views[1]["box"]
    assert left == pytest.approx((0.3 - zoom[0]) / (zoom[2] - zoom[0]), abs=0.02)
    assert right == pytest.approx((0.4 - zoom[0]) / (zoom[2] - zoom[0]), abs=0.02)
    assert top == pytest.approx((0.4 - zoom[1]) / (zoom[3] - zoom[1]), abs=0.02)
    assert bottom == pytest.approx((0.6 - zoom[1]) / (zoom[3] - zoom[1]), abs=0.02)


def test_an_episode_without_an_operation_is_one_picture(folder):
    site = read_site(folder)
    width, height = drawn_size(site.details[3]["views"][0]["picture"])
    assert draw_recorded(site, 3).shape == (height, width, 3)


def test_every_pixel_of_a_small_picture_is_a_square(tmp_path):
    folder = record(tmp_path / "episodes")
    line = json.loads((folder / "trajectories.jsonl").read_text().splitlines()[3])
    small = np.random.default_rng(0).integers(0, 200, (20, 16, 3), np.uint8)
    Image.fromarray(small).save(folder / line["first"]["images"][0])
    (folder / "trajectories.jsonl").write_text(json.dumps(line) + "\n")
    drawn = draw_recorded(read_site(folder), 0)
    assert drawn.shape == (320, 256, 3)
    assert np.array_equal(drawn[::16, ::16], small)
