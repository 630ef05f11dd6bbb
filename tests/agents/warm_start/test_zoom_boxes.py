"""Boxes hold their target, keep off it, and stand on the grid."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixel_env.agents.warm_start.zoom_boxes import (
    around,
    beside,
    centred,
    contains,
    overlap,
    within,
)
from pixel_env.media.geometry import nest_box

steps = st.sampled_from([0.01, 0.05, 0.1])
seeds = st.integers(0, 2**32 - 1)


@st.composite
def targets(draw, largest=0.3):
    width, height = draw(st.floats(0.001, largest)), draw(st.floats(0.001, largest))
    x, y = draw(st.floats(0, 1 - width)), draw(st.floats(0, 1 - height))
    return x, y, x + width, y + height


def is_on_grid(value, step):
    return abs(value / step - round(value / step)) < 1e-3 or value == 1.0


@given(targets(), st.floats(0, 2), st.floats(0, 1), steps, seeds)
def test_a_box_around_a_target_holds_it_on_the_grid(target, margin, jitter, step, seed):
    box = around(target, margin, jitter, step, np.random.default_rng(seed))
    assert contains(box, target)
    assert contains((0.0, 0.0, 1.0, 1.0), box)
    assert all(is_on_grid(edge, step) for edge in box)
    assert min(box[2] - box[0], box[3] - box[1]) >= 0.05 - 1e-6


def test_the_margin_is_a_share_of_the_target_without_jitter():
    box = around((0.4, 0.4, 0.6, 0.5), 0.5, 0.0, 0.01, np.random.default_rng(0))
    assert box == (0.3, 0.35, 0.7, 0.55)


@given(targets(largest=0.15), st.floats(0, 1), seeds)
def test_a_square_with_room_to_spare_holds_its_target(target, jitter, seed):
    box = centred(target, (0.2, 0.2), jitter, 0.05, np.random.default_rng(seed))
    assert contains(box, target)
    assert box[2] - box[0] == pytest.approx(0.2)
    assert box[3] - box[1] == pytest.approx(0.2)
    assert all(is_on_grid(edge, 0.05) for edge in box)


def test_a_square_stands_as_near_to_the_centre_as_the_grid_allows():
    box = centred((0.52, 0.0, 0.56, 0.04), (0.2, 0.2), 0.0, 0.05, np.random.default_rng(0))
    assert box == (0.45, 0.0, 0.65, 0.2)


def test_a_square_too_small_for_its_target_is_centred_on_it():
    box = centred((0.3, 0.3, 0.7, 0.7), (0.2, 0.2), 0.0, 0.05, np.random.default_rng(0))
    assert box == (0.4, 0.4, 0.6, 0.6)


@given(targets(), targets(), steps, seeds)
def test_a_box_beside_touches_nothing_that_it_avoids(one, other, step, seed):
    box = beside((0.2, 0.3), [one, other], step, np.random.default_rng(seed))
    if box is not None:
        assert not overlap(box, one)
        assert not overlap(box, other)
        assert contains((0.0, 0.0, 1.0, 1.0), box)


def test_boxes_beside_differ_from_earlier_ones():
    rng = np.random.default_rng(0)
    earlier = [(0.0, 0.0, 0.5, 0.5)]
    for _ in range(30):
        box = beside((0.5, 0.5), [], 0.05, rng, earlier)
        assert max(box[0], box[1]) >= 0.25


def test_there_may_be_no_room_beside():
    assert beside((0.5, 0.5), [(0.3, 0.3, 0.7, 0.7)], 0.05, np.random.default_rng(0)) is None


@given(targets(), targets())
def test_within_undoes_nesting(outer, inner):
    assert within(outer, nest_box(outer, inner)) == pytest.approx(inner, abs=1e-6)
