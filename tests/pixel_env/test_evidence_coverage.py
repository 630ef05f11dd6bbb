"""Coverage of evidence by views, on boxes small enough to reckon by hand."""

import numpy as np
import pytest

from pixel_env import Evidence, View
from pixel_env.evidence import UNSEEN, Coverage, coverage_of

TARGET = (0.5, 0.5, 0.75, 0.75)  # an area of 1/16
OVERVIEW = (0.0, 0.0, 1.0, 1.0)


def view(box, origin="zoom_in", source=1, width=100, height=100):
    return View(np.zeros((height, width, 3), np.uint8), source, box, origin)


def overview(source=1, side=100):
    return view(OVERVIEW, "overview", source, side, side)


def test_a_view_of_exactly_the_target():
    found = coverage_of([Evidence(TARGET)], [overview(), view(TARGET)])
    # 100 x 100 pixels for what takes 25 x 25 of the overview
    assert found == Coverage(share=1.0, iou=1.0, magnification=16.0)


def test_a_view_of_a_quarter_of_the_target():
    zoom = view((0.625, 0.625, 0.875, 0.875))
    found = coverage_of([Evidence(TARGET)], [overview(), zoom])
    # intersection 1/64, union 1/16 + 1/16 - 1/64 = 7/64; the quarter fills a quarter of 10,000
    assert found.share == pytest.approx(1 / 4)
    assert found.iou == pytest.approx(1 / 7)
    assert found.magnification == pytest.approx(2500 / 625)


def test_a_view_around_the_target():
    zoom = view((0.5, 0.5, 1.0, 1.0), width=200, height=50)
    found = coverage_of([Evidence(TARGET)], [overview(), zoom])
    assert found == Coverage(1.0, pytest.approx(1 / 4), pytest.approx(2500 / 625))


def test_the_best_view_counts_and_larger_ones_break_ties():
    zooms = [view((0.0, 0.0, 0.5, 0.5)), view((0.5, 0.5, 1.0, 1.0)), view(TARGET, width=50)]
    found = coverage_of([Evidence(TARGET)], [overview(), *zooms])
    assert found == Coverage(1.0, 1.0, pytest.approx(5000 / 625))


def test_overviews_and_other_pictures_and_hidden_views_do_not_count():
    evidence = [Evidence(TARGET)]
    assert coverage_of(evidence, [overview()]) == UNSEEN
    assert coverage_of(evidence, [overview(1), overview(2), view(TARGET, source=2)]) == UNSEEN
    views = [overview(), view(TARGET), view((0.5, 0.5, 1.0, 1.0))]
    assert coverage_of(evidence, views, hidden={2}).iou == pytest.approx(1 / 4)
    assert coverage_of(evidence, views, hidden={2, 3}) == UNSEEN


def test_every_box_of_a_picture_must_be_seen():
    other = (0.0, 0.0, 0.25, 0.25)
    evidence = [Evidence(TARGET), Evidence(other)]
    assert coverage_of(evidence, [overview(), view(TARGET)]).share == 0
    both = coverage_of(evidence, [overview(), view(TARGET), view(other, width=50)])
    assert both == Coverage(1.0, 1.0, pytest.approx(8.0))


def test_every_picture_must_be_seen():
    evidence = [Evidence(TARGET, 1), Evidence(TARGET, 2)]
    views = [overview(1), overview(2), view(TARGET, source=1)]
    assert coverage_of(evidence, views).share == 0
    assert coverage_of(evidence, [*views, view(TARGET, source=2)]).share == 1


def test_one_frame_of_a_clip_is_enough():
    evidence = [Evidence(OVERVIEW, 5), Evidence(OVERVIEW, 9)]
    frames = [overview(4, side=40), overview(9, side=40)]
    chosen = view(OVERVIEW, "select_frames", 9, 80, 80)
    assert coverage_of(evidence, [*frames, chosen], is_clip=True) == Coverage(1.0, 1.0, 4.0)
    assert coverage_of(evidence, frames, is_clip=True) == UNSEEN


def test_there_is_no_coverage_without_evidence():
    assert coverage_of([], [overview(), view(TARGET)]) is None
    assert coverage_of([Evidence((0.5, 0.5, 0.5, 0.6))], [overview()]) is None
