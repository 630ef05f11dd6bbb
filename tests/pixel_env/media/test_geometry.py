"""Boxes and sizes: what is refused, and how fractions become pixels."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixel_env.errors import OperationError
from pixel_env.media.geometry import (
    FULL,
    box_to_pixels,
    check_box,
    fit,
    nest_box,
    pad_box,
    pixels_to_box,
    settled,
)

fractions = st.floats(0, 1, allow_nan=False)


@st.composite
def boxes(draw):
    x1, x2 = sorted(draw(st.tuples(fractions, fractions).filter(lambda p: abs(p[0] - p[1]) > 1e-3)))
    y1, y2 = sorted(draw(st.tuples(fractions, fractions).filter(lambda p: abs(p[0] - p[1]) > 1e-3)))
    return (x1, y1, x2, y2)


@pytest.mark.parametrize(
    "values",
    [
        [0, 0, 1],
        [0, 0, 1, 1, 1],
        [],
        ["0", "0", "1", "1"],
        "0, 0, 1, 1",
        None,
        7,
        {"x1": 0},
        [True, False, True, True],
        [0, 0, float("nan"), 1],
        [0, 0, float("inf"), 1],
        [-float("inf"), 0, 1, 1],
        [0.5, 0, 0.2, 1],
        [0, 0.5, 1, 0.2],
        [0.5, 0.5, 0.5, 0.5],
        [0, 0, 1, 0],
        [0, 0, 1.5, 1],
        [-0.2, 0, 1, 1],
        [100, 200, 300, 400],
        [0, 0, 10**400, 1],
        [[0, 0, 1, 1]],
        np.zeros((4, 4)),
        np.array(0.5),
        np.zeros(100_000),
        np.array([0, 0, 1, 1], dtype=complex),
        np.array(["a", "b", "c", "d"]),
    ],
    ids=lambda values: repr(values)[:40],
)
def test_what_is_no_box_is_refused_in_one_sentence(values):
    with pytest.raises(OperationError) as refusal:
        check_box(values)
    sentence = str(refusal.value)
    assert refusal.value.kind == "bad_box"
    assert sentence.startswith("bbox must ")
    assert ", got " in sentence
    assert sentence.endswith(".")
    assert len(sentence) < 200
    assert "\n" not in sentence


@pytest.mark.parametrize("make", [list, tuple, np.array, lambda v: np.array(v, np.float32)])
def test_edges_0_and_1_are_a_box(make):
    assert check_box(make([0, 0, 1, 1])) == (FULL, False)


def test_an_overshoot_by_rounding_is_clamped_and_reported():
    assert check_box([-0.0005, 0, 1.0009, 1]) == (FULL, True)


def test_a_larger_overshoot_is_refused():
    with pytest.raises(OperationError):
        check_box([0, 0, 1.002, 1])


def test_a_box_beyond_the_edge_is_not_clamped_into_a_zero_area():
    with pytest.raises(OperationError, match="x1 < x2"):
        check_box([1.0, 0, 1.0005, 1])


@given(boxes(), boxes())
def test_a_nested_box_lies_in_its_outer_box(outer, inner):
    x1, y1, x2, y2 = nest_box(outer, inner)
    assert outer[0] - 1e-12 <= x1 < x2 <= outer[2] + 1e-12
    assert outer[1] - 1e-12 <= y1 < y2 <= outer[3] + 1e-12


@given(boxes())
def test_nesting_in_the_whole_picture_changes_nothing(box):
    assert nest_box(FULL, box) == pytest.approx(box)
    assert nest_box(box, FULL) == box


@given(boxes(), st.floats(0, 1))
def test_padding_stays_inside_and_contains_the_box(box, padding):
    x1, y1, x2, y2 = pad_box(box, padding)
    assert 0 <= x1 <= box[0]
    assert 0 <= y1 <= box[1]
    assert box[2] <= x2 <= 1
    assert box[3] <= y2 <= 1


@given(boxes(), st.integers(1, 5000), st.integers(1, 5000))
def test_pixels_cover_the_box_and_lie_in_the_picture(box, width, height):
    left, top, right, bottom = box_to_pixels(box, width, height)
    assert 0 <= left < right <= width
    assert 0 <= top < bottom <= height
    assert left <= box[0] * width + 1e-5
    assert right >= box[2] * width - 1e-5
    assert left >= box[0] * width - 1
    assert right <= max(box[2] * width, left) + 1


@given(st.integers(1, 300), st.integers(1, 300), st.data())
def test_whole_pixels_survive_the_way_through_fractions(width, height, data):
    left = data.draw(st.integers(0, width - 1))
    top = data.draw(st.integers(0, height - 1))
    right = data.draw(st.integers(left + 1, width))
    bottom = data.draw(st.integers(top + 1, height))
    pixels = (left, top, right, bottom)
    assert box_to_pixels(pixels_to_box(pixels, width, height), width, height) == pixels


@pytest.mark.parametrize(
    ("box", "size"),
    [
        ((0.2, 0.2, 0.4, 0.4), (400, 320)),
        ((0.1, 0.25, 0.3, 0.5), (400, 360)),  # pixels [100, 200, 300, 400] of 1000 x 800
        ((0.5, 0.5, 0.5, 0.5), (200, 160)),
        ((0, 0, 0.999, 0.999), (1000, 800)),
    ],
)
def test_released_crop_sizes_with_a_tenth_of_padding(box, size):
    left, top, right, bottom = box_to_pixels(pad_box(box, 0.1), 1000, 800)
    assert (right - left, bottom - top) == size


@pytest.mark.parametrize(
    ("size", "low", "high", "expected"),
    [
        ((1000, 800), 256, 8000, (1008, 812)),
        ((400, 320), 256, 5120, (504, 420)),
        ((28, 28), 4, 400, (56, 56)),
        ((4000, 3000), 4, 1000, (1008, 756)),
        ((640, 480), 16, 16, (112, 112)),
        ((10, 10), 1, 4, (28, 28)),
    ],
)
def test_golden_sizes_of_the_smart_resize_rule(size, low, high, expected):
    assert fit(*size, low * 784, high * 784) == expected


@given(
    st.integers(1, 20_000),
    st.integers(1, 20_000),
    st.integers(1, 300),
    st.integers(1, 40),
    st.sampled_from([1, 14, 28, 32]),
)
def test_sides_are_multiples_and_pixels_in_range(width, height, low, factor, multiple):
    unit = multiple * multiple
    shown = fit(width, height, low * unit, low * factor * unit, multiple)
    assert all(side >= multiple and side % multiple == 0 for side in shown)
    assert low * unit <= shown[0] * shown[1] <= low * factor * unit


@given(st.integers(100, 4000), st.integers(100, 4000))
def test_the_ratio_is_kept_where_the_range_is_wide(width, height):
    if max(width, height) / min(width, height) < 4:
        shown = fit(width, height, 256 * 784, 1280 * 784)
        assert abs(math.log(shown[0] / shown[1] * height / width)) < 0.2


def test_a_range_without_any_product_takes_the_nearest_below():
    assert fit(100, 100, 785, 2 * 784 - 1, 28) == (28, 28)


@pytest.mark.parametrize("size", [(100_000, 1), (1, 100_000)])
def test_extreme_ratios_stay_in_range(size):
    shown = fit(*size, 4 * 784, 100 * 784)
    assert 4 * 784 <= shown[0] * shown[1] <= 100 * 784
    assert min(shown) == 28


@pytest.mark.parametrize(
    ("low", "high", "side"),
    [(1e-8, 0.10000001, 100), (1e-8, 0.75000001, 100), (0.1, 0.7, 1000), (0.2999999, 0.9, 10)],
)
def test_settled_edges_fall_on_the_same_pixels_and_keep_their_distance_when_shifted(
    low, high, side
):
    asked = box_to_pixels((low, 0.0, high, 1.0), side, 1)
    start, end = settled(low, high, side)
    assert box_to_pixels((start, 0.0, end, 1.0), side, 1) == asked
    for shift in range(int((1 - high) * side)):
        box = (start + shift / side, 0.0, end + shift / side, 1.0)
        left, _, right, _ = box_to_pixels(box, side, 1)
        assert (left, right) == (asked[0] + shift, asked[2] + shift)
