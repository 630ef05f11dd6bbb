"""Boxes around evidence, by hand."""

import pytest

from pixel_env import Evidence
from pixel_env.evidence import evidence_by_picture, widened
from pixel_env.media.geometry import box_to_pixels


def test_evidence_of_one_picture_is_joined_and_pictures_stay_apart():
    boxes = evidence_by_picture(
        [
            Evidence((0.5, 0.5, 0.6, 0.7), image=2),
            Evidence((0.1, 0.1, 0.2, 0.2)),
            Evidence((0.55, 0.3, 0.9, 0.6), image=2),
        ]
    )
    assert boxes == {2: (0.5, 0.3, 0.9, 0.7), 1: (0.1, 0.1, 0.2, 0.2)}
    assert evidence_by_picture(()) == {}


def test_margin_is_a_fraction_of_the_evidence_and_tiny_boxes_are_made_larger():
    assert widened((0.4, 0.4, 0.6, 0.5), 0.0) == pytest.approx((0.4, 0.4, 0.6, 0.5))
    assert widened((0.4, 0.4, 0.6, 0.5), 1.0) == pytest.approx((0.2, 0.3, 0.8, 0.6))
    x1, y1, x2, y2 = widened((0.0, 0.999, 0.001, 1.0), 0.5)
    assert (x1, x2 - x1, y2 - y1, y2) == pytest.approx((0.0, 0.05, 0.05, 1.0))
    assert box_to_pixels((x1, y1, x2, y2), 1000, 1000) == (0, 950, 50, 1000)


def test_shortest_side_can_be_set():
    box = widened((0.4, 0.4, 0.41, 0.41), 0.0, shortest=0.3)
    assert box == pytest.approx((0.255, 0.255, 0.555, 0.555))
