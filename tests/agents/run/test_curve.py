"""The course of a training as an SVG: points where the numbers are, gaps where there are none."""

import re
from xml.etree import ElementTree

from pixel_env.agents.run.curve import HEIGHT, WIDTH, draw_curves

SVG = "{http://www.w3.org/2000/svg}"


def polylines(text):
    found = ElementTree.fromstring(text).iter(f"{SVG}polyline")
    return [[tuple(map(float, p.split(","))) for p in each.get("points").split()] for each in found]


def test_points_rise_with_the_numbers_and_a_gap_is_a_gap():
    text = draw_curves([1, 2, 3, 4, 5], {"rapr": [0.0, 1.0, None, 0.5, 2.0]})
    first, second = polylines(text)
    assert first[0][1] > second[0][1] > first[1][1] == second[1][1]  # 2 is drawn at the edge
    xs = [x for x, _ in first + second]
    assert xs == sorted(xs)
    assert all(0 < x < WIDTH and 0 < y < HEIGHT for x, y in first + second)


def test_one_number_alone_is_a_dot_and_none_at_all_is_an_empty_drawing():
    assert "<circle" in draw_curves([7], {"rapr": [0.5]})
    assert polylines(draw_curves([], {})) == []


def test_names_are_text():
    text = draw_curves([1, 2], {'<script>"&': [0.0, 1.0]})
    ElementTree.fromstring(text)
    assert re.search("<script", text) is None
