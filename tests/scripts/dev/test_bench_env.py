"""The command prints how fast the twins are."""

import runpy
from pathlib import Path

import numpy as np
import pytest

from pixel_env.scripts.dev.photographs import (
    lanes_of,
    least_group,
    measured_filters,
    our_group,
    photograph,
    plain_group,
    zoomed_boxes,
)

SCRIPT = Path(__file__).parents[3] / "scripts" / "dev" / "bench_env.py"


def test_it_prints_a_table(capsys):
    main = runpy.run_path(str(SCRIPT))["main"]
    assert main(["--rounds", "1", "--twin", "SyntheticSearch"]) == 0
    shown = capsys.readouterr().out
    for word in ("resets/s", "zooms/s", "ratio", "Search"):
        assert word in shown
    assert "Counting" not in shown


def test_an_unknown_twin_is_refused(capsys):
    main = runpy.run_path(str(SCRIPT))["main"]
    with pytest.raises(SystemExit):
        main(["--twin", "VStar"])
    assert "SyntheticClip" in capsys.readouterr().err


def test_it_prints_what_groups_on_a_photograph_take(capsys):
    main = runpy.run_path(str(SCRIPT))["main"]
    assert main(["--photographs", "--size", "600x400", "--rounds", "1"]) == 0
    shown = capsys.readouterr().out
    for word in ("600 x 400", "floor, ms", "bicubic", "Pillow Lanczos", "mean difference"):
        assert word in shown
    with pytest.raises(SystemExit):
        main(["--photographs", "--size", "600"])
    assert "WIDTHxHEIGHT" in capsys.readouterr().err


def test_the_plain_way_and_ours_show_the_same_pixels(tmp_path):
    path = tmp_path / "photograph.jpg"
    photograph(700, 500).save(path)
    boxes = zoomed_boxes(3)
    plain = plain_group(path, boxes)
    ours = our_group(lanes_of(path, 3, "bicubic"), 0, boxes)
    least = least_group(path, boxes, "bicubic")
    assert [len(views) for views in ours] == [3, 3, 3]
    for views in zip(plain, ours, least, strict=True):
        for one, two, three in zip(*views, strict=True):
            assert np.array_equal(one, two)
            assert np.array_equal(one, three)


def test_filters_are_compared_with_the_exact_one():
    found = {each.name: each for each in measured_filters(photograph(300, 200), (120, 80), 1)}
    assert found["Pillow Lanczos"].max_levels == 0
    assert 0 < found["Pillow bicubic"].mean_levels < found["Pillow box"].mean_levels
