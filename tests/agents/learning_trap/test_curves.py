"""Curves come out as a picture."""

import numpy as np
from PIL import Image

from pixel_env.agents.learning_trap.curves import draw_curves, smoothed


def test_every_line_of_a_panel_is_drawn(tmp_path):
    rising, falling = np.linspace([0, 0.1], [0.9, 1], 30).T, np.linspace([1, 0.9], [0, 0], 30).T
    for name, lines in (("one", {"a": rising}), ("two", {"a": rising, "b": falling})):
        draw_curves({"RaPR": lines, "accuracy": lines}, tmp_path / f"{name}.png")
    pictures = [Image.open(tmp_path / f"{name}.png").convert("RGB") for name in ("one", "two")]
    colours = [len(set(picture.resize((300, 100)).getdata())) for picture in pictures]
    assert pictures[0].width > 2 * pictures[0].height * 0.9
    assert colours[1] > colours[0]  # the second line has a colour of its own


def test_four_panels_stand_in_two_rows(tmp_path):
    lines = {"a": np.ones((1, 3))}
    draw_curves({str(number): lines for number in range(4)}, tmp_path / "four.png")
    draw_curves({str(number): lines for number in range(2)}, tmp_path / "two.png")
    four, two = Image.open(tmp_path / "four.png"), Image.open(tmp_path / "two.png")
    assert four.width == two.width
    assert four.height > 1.5 * two.height


def test_what_was_never_measured_leaves_a_gap():
    assert np.isnan(smoothed(np.array([np.nan, np.nan]))).all()
    assert smoothed(np.array([np.nan, 2.0, 4.0]), 2).tolist()[1:] == [2.0, 3.0]
