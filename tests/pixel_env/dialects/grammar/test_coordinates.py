"""Boxes are read in the frame of the dialect, and feedback on a box outside it has its units."""

import pytest
from dialect_calls import TWO, ZOOMS

from pixel_env import OperationError
from pixel_env.dialects import DIALECTS, get_dialect


def outside(name):
    """Returns calls just over the slack outside the frame, and what the sentence allows."""
    if name in ("pixel-reasoner", "openai"):
        return [("0.75", "1.0011"), ("0.25", "-0.0011"), ("0.75", "100")], "from 0 to 1,"
    if name == "pixel-reasoner-pixels":
        allowed = "in pixels of the picture as shown, which is 100 x 80,"
        return [("75,", "102,"), ("80]", "82]"), ("25,", "-2,")], allowed
    return [("750", "1002"), ("250", "-2")], "from 0 to 1000,"


CLAMPING = ("deepeyes", "mini-o3")
"""Their publishers cut a box at the picture's edges."""


@pytest.mark.parametrize("name", [n for n in DIALECTS if n not in ("pixel-reasoner", *CLAMPING)])
def test_feedback_on_numbers_outside_the_frame_has_its_units(name):
    changes, allowed = outside(name)
    for old, new in changes:
        with pytest.raises(OperationError) as caught:
            get_dialect(name).parse(ZOOMS[name].replace(old, new), TWO)
        assert caught.value.kind == "bad_box"
        assert str(caught.value).startswith(f"bbox_2d must be 4 numbers {allowed} got [")
        assert new.strip(",[]") in str(caught.value)


CLAMPED = {
    "deepeyes": ("300, 200]", "401, 201]", (100, 100, 401, 201)),
    "pixel-reasoner-pixels": ("75, 80]", "101, 81]", (25, 40, 101, 81)),
    "mini-o3": ("0.75, 1.0]", "1.001, 1.0005]", (0.25, 0.5, 1.001, 1.0005)),
    "openai": ("0.75, 1]", "1.001, 1.0005]", (0.25, 0.5, 1.001, 1.0005)),
    "qwen3-vl": ("750, 1000]", "1001, 1000.5]", (250, 500, 1001, 1000.5)),
    "qwen-xml": ("750, 1000]", "1001, 1000.5]", (250, 500, 1001, 1000.5)),
}


FAR_OUT = {
    "deepeyes": ([-50, 100, 900, 2000], [400, 100, 500, 150], "400 x 200"),
    "mini-o3": ([-0.5, 0.5, 7, 1000], [1, 0.5, 1.5, 0.9], "from 0 to 1"),
}


@pytest.mark.parametrize("name", CLAMPING)
def test_a_box_that_overlaps_the_picture_is_cut_where_the_publisher_cuts_it(name):
    overlapping, outside, allowed = FAR_OUT[name]
    start = ZOOMS[name].index("[")
    end = ZOOMS[name].index("]") + 1
    text = ZOOMS[name][:start] + str(overlapping) + ZOOMS[name][end:]
    reading = get_dialect(name).read(text, TWO)
    assert reading.action["bbox"].tolist() == [0, 0.5, 1, 1]
    assert (reading.written_box, reading.clamped) == (tuple(overlapping), True)
    with pytest.raises(OperationError, match=allowed) as caught:
        get_dialect(name).read(ZOOMS[name][:start] + str(outside) + ZOOMS[name][end:], TWO)
    assert caught.value.kind == "bad_box"


@pytest.mark.parametrize("name", CLAMPED)
def test_one_unit_outside_the_frame_is_a_rounding_of_its_edge(name):
    old, new, written = CLAMPED[name]
    reading = get_dialect(name).read(ZOOMS[name].replace(old, new), TWO)
    assert reading.action["bbox"].tolist() == [0.25, 0.5, 1, 1]
    assert (reading.written_box, reading.clamped) == (written, True)
    exact = get_dialect(name).read(ZOOMS[name], TWO)
    assert not exact.clamped


@pytest.mark.parametrize("name", [name for name in DIALECTS if name != "pixel-reasoner"])
@pytest.mark.parametrize(
    "box", ["[1, 1, 1, 1]", "[1, 0, 0, 1]", "[0, 1, 1, 0]", "[1, 0, 1.0005, 1]"]
)
def test_a_box_without_area_is_refused(name, box):
    start = ZOOMS[name].index("[", ZOOMS[name].index("bbox_2d"))
    text = ZOOMS[name][:start] + box + ZOOMS[name][ZOOMS[name].index("]", start) + 1 :]
    if box == "[1, 0, 1.0005, 1]" and get_dialect(name).coordinate_frame != "fractions":
        return  # there it has an area
    with pytest.raises(OperationError, match=r"bbox_2d must have x1 < x2 and y1 < y2, got \["):
        get_dialect(name).parse(text, TWO)
