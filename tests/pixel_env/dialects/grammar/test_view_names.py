"""Views are named in the dialect's way, also in feedback on one that was not shown."""

import pytest
from dialect_calls import TWO, ZOOMS

from pixel_env import ConfigError, OperationError, zoom_in
from pixel_env.dialects import DIALECTS, Place, Shown, get_dialect

every = pytest.mark.parametrize("name", DIALECTS)


def kind_of(name, text):
    with pytest.raises(OperationError) as caught:
        get_dialect(name).parse(text, TWO)
    return caught.value.kind


NUMBERS = "target_image must be from 1 to 2, got "
IMAGES = {
    "pixel-reasoner-pixels": (
        '"target_image": 2',
        ["0", "3", "-1"],
        "target_image must be from 1 to 2, got ",
    ),
    "openai": (r"\"target_image\": 2", ["0", "3", "-1"], "target_image must be from 1 to 2, got "),
    "qwen3-vl": ('"img_idx": 1', ["2", "-1"], "img_idx must be from 0 to 1, got "),
    "qwen-xml": ("img_idx>1", ["2", "-1"], "img_idx must be from 0 to 1, got "),
    "mini-o3": (
        '"observation_1"',
        ['"observation_2"', '"image"', "1", "null", '"observation_"', '"observation_-1"'],
        "source must be original_image or observation_1, got ",
    ),
}


@pytest.mark.parametrize("name", IMAGES)
def test_feedback_on_a_view_that_was_not_shown_has_the_dialects_names(name):
    old, values, sentence = IMAGES[name]
    for value in values:
        new = value if name == "mini-o3" else old[:-1] + value
        with pytest.raises(OperationError) as caught:
            get_dialect(name).parse(ZOOMS[name].replace(old, new), TWO)
        assert caught.value.kind == "bad_image"
        assert str(caught.value) == f"{sentence}{value}."


def test_mini_o3_counts_the_original_as_observation_0():
    for name, number in (("observation_0", 1), ("observation_1", 2), ("observation_01", 2)):
        text = ZOOMS["mini-o3"].replace("observation_1", name)
        assert get_dialect("mini-o3").parse(text, TWO)["target_image"] == number


@pytest.mark.parametrize("name", ["pixel-reasoner-pixels", "openai", "qwen3-vl", "qwen-xml"])
def test_the_number_of_a_view_is_a_number(name):
    old = IMAGES[name][0]
    text = ZOOMS[name].replace(old, old[:-1] + "1.5")
    assert kind_of(name, text) == "bad_image"


@every
def test_the_first_view_is_meant_where_none_is_named(name):
    dialect = get_dialect(name)
    text = dialect.render(zoom_in([0, 0, 0.5, 0.5]), TWO)
    for named in (
        ', "target_image": 1',
        r", \"target_image\": 1",
        ', "img_idx": 0',
        ', "source": "original_image"',
        "<parameter=img_idx>\n0\n</parameter>\n",
    ):
        text = text.replace(named, "")
    assert dialect.parse(text, TWO)["target_image"] == 1
    assert not {"target_image", "img_idx", "source"} & set(text.replace("\\", "").split('"'))


@pytest.mark.parametrize(("name", "number"), [("pixel-reasoner-pixels", 3), ("deepeyes", 1)])
def test_pixels_of_a_view_that_there_is_not_cannot_be_written(name, number):
    shown = Shown(sizes=()) if name == "deepeyes" else TWO
    with pytest.raises(ConfigError, match="expected a view from 1 to"):
        get_dialect(name).render(zoom_in([0, 0, 1, 1], number), shown)


def test_deepeyes_asks_for_a_part_of_a_view_by_its_place_in_the_original():
    shown = Shown(((400, 200), (50, 50)), places=(Place(1), Place(1, (0.5, 0.5, 1, 1))))
    text = get_dialect("deepeyes").render(zoom_in([0, 0, 0.5, 1], 2), shown)
    assert '"bbox_2d": [200, 100, 300, 200]' in text  # x: 0.5 to 0.75 of 400, y: 0.5 to 1 of 200
    action = get_dialect("deepeyes").parse(text, shown)
    assert (action["target_image"], action["bbox"].tolist()) == (1, [0.5, 0.5, 0.75, 1])


def test_deepeyes_cannot_ask_for_another_picture():
    with pytest.raises(ConfigError, match="expected a region of the first picture"):
        get_dialect("deepeyes").render(zoom_in([0, 0, 1, 1], 2), TWO)
