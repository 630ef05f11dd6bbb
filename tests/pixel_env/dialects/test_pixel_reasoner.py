"""The pixel-reasoner dialect: what a message is read as, and how an action is written."""

import contextlib
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixel_env.dialects import DIALECTS, PixelReasonerDialect, Shown, get_dialect
from pixel_env.errors import ConfigError, OperationError
from pixel_env.types import Action

PICTURE = Shown(sizes=((640, 480),))
CLIP = Shown(sizes=((100, 100),) * 16, n_frames=16)
dialect = PixelReasonerDialect()


def call(name, **arguments):
    return f"<tool_call>\n{json.dumps({'name': name, 'arguments': arguments})}\n</tool_call>"


def kind_of(text, shown=PICTURE):
    with pytest.raises(OperationError) as caught:
        dialect.parse(text, shown)
    return caught.value.kind


def same(left: Action, right: Action) -> bool:
    return all(np.array_equal(left[key], right[key]) for key in Action.__annotations__)


ZOOM = call("crop_image_normalized", bbox_2d=[0.1, 0.2, 0.3, 0.4], target_image=2)


@pytest.mark.parametrize(
    "text",
    [
        ZOOM,
        "I look closer.\n" + ZOOM,
        ZOOM.replace("crop_image_normalized", "zoom_in"),
        ZOOM.replace("\n", ""),
        ZOOM.replace('"target_image": 2', '"target_image": 2.0'),
        ZOOM.replace('"target_image": 2', '"target_image": "2"'),
        ZOOM.replace("0.3", '"0.3"'),
    ],
)
def test_a_zoom_is_read(text):
    action = dialect.parse(text, PICTURE)
    assert action["operation"] == 1
    assert action["bbox"].tolist() == [0.1, 0.2, 0.3, 0.4]
    assert action["bbox"].dtype == np.float64
    assert action["target_image"] == 2
    assert action["text"] == ""
    assert not action["frames"].any()


def test_the_target_image_is_the_first_where_left_out():
    action = dialect.parse(call("zoom_in", bbox_2d=[0, 0, 1, 1]), PICTURE)
    assert action["target_image"] == 1


def test_frames_are_numbered_from_one():
    action = dialect.parse(call("select_frames", target_frames=[16, 1]), CLIP)
    assert action["operation"] == 2
    assert action["frames"].dtype == np.int8
    assert np.flatnonzero(action["frames"]).tolist() == [0, 15]


def test_an_answer_is_what_is_declared():
    action = dialect.parse("<think>It is small.</think> \\boxed{red mug}", PICTURE)
    assert (action["operation"], action["text"]) == (0, "red mug")
    assert dialect.parse("<answer>C</answer>", PICTURE)["text"] == "C"


# The faults of the released code that concern the text.


@pytest.mark.parametrize("after", ["\n", " ", "\n\n", " I wait for the picture."])
def test_released_defect_text_after_the_closing_tag_hides_the_call(after):
    assert same(dialect.parse(ZOOM + after, PICTURE), dialect.parse(ZOOM, PICTURE))


def test_released_defect_the_last_of_several_calls_runs():
    assert kind_of(ZOOM + "\n" + ZOOM) == "several_calls"


@pytest.mark.parametrize("text", ["</tool_call>", "Again.\n</tool_call>\n"])
def test_released_defect_a_bare_closing_tag_runs_the_call_of_the_turn_before(text):
    dialect.parse(ZOOM, PICTURE)
    assert kind_of(text) == "malformed"


def test_released_defect_an_unknown_tool_shows_a_bare_key_error():
    with pytest.raises(OperationError) as caught:
        dialect.parse(call("look_harder", x=1), PICTURE)
    assert caught.value.kind == "unknown_operation"
    for word in ("look_harder", "crop_image_normalized", "select_frames"):
        assert word in str(caught.value)


@pytest.mark.parametrize("box", [[0.1, 0.2, 0.3], [0.1] * 5, [], "0.1,0.2,0.3,0.4", None, {}, 0.5])
def test_released_defect_three_or_five_numbers_raise_or_pass(box):
    assert kind_of(call("zoom_in", bbox_2d=box)) == "bad_box"


@pytest.mark.parametrize("value", ["three", "", None, True, [0.3], {}])
def test_released_defect_strings_in_a_box_raise(value):
    assert kind_of(call("zoom_in", bbox_2d=[0.1, 0.2, value, 0.4])) == "bad_box"


@pytest.mark.parametrize("value", ["NaN", "Infinity", "1e999", "9" * 400])
def test_released_defect_values_that_are_not_finite_are_accepted(value):
    text = ZOOM.replace("0.3", value)
    assert kind_of(text) in {"bad_box", "bad_arguments"}


@pytest.mark.parametrize(
    "text",
    [
        "The crop shows the option B.",
        "Based on the image, the answer is (C)",
        "After zooming in, I am sure. Answer: B",
        "<tool_response>B</tool_response>",
        "",
        "   \n",
    ],
)
def test_released_defect_words_that_declare_nothing_are_graded(text):
    assert kind_of(text) == "no_answer"


@pytest.mark.parametrize("frames", [[0], [-1], [17], [], [1, 99], [1.5], ["one"], [True], None, 3])
def test_released_defect_frames_out_of_range_wrap_around_or_raise(frames):
    assert kind_of(call("select_frames", target_frames=frames), CLIP) == "bad_frames"


@pytest.mark.parametrize("image", ["first", None, 1.5, True, [1], 1e300])
def test_a_target_image_that_is_no_number_is_refused(image):
    text = call("zoom_in", bbox_2d=[0, 0, 1, 1], target_image=image)
    assert kind_of(text) == "bad_image"


@pytest.mark.parametrize("image", [0, -1, 17])
def test_the_range_of_a_target_image_is_left_to_the_environment(image):
    text = call("zoom_in", bbox_2d=[0, 0, 1, 1], target_image=image)
    assert dialect.parse(text, PICTURE)["target_image"] == image


def test_values_over_one_stay_what_was_written():
    action = dialect.parse(call("zoom_in", bbox_2d=[0, 0, 100, 200]), PICTURE)
    assert action["bbox"].tolist() == [0, 0, 100, 200]


def test_a_call_and_an_answer_in_one_message_are_refused():
    assert kind_of(ZOOM + r" \boxed{A}") == "several_calls"
    assert kind_of(r"<answer>A</answer>" + ZOOM) == "several_calls"
    assert dialect.parse(ZOOM + r" Then I answer in \boxed{}.", PICTURE)["operation"] == 1


def test_an_unclosed_call_is_malformed_even_beside_an_answer():
    assert kind_of(r"\boxed{A} <tool_call>{") == "malformed"


def test_misspelt_and_foreign_arguments_are_refused():
    assert kind_of(call("zoom_in", bbox_2d=[0, 0, 1, 1], target_img=2)) == "bad_arguments"
    assert kind_of(call("select_frames", target_frames=[1], target_image=1)) == "bad_arguments"
    assert kind_of(call("zoom_in")) == "bad_box"


def test_a_frame_named_twice_is_refused():
    assert kind_of(call("select_frames", target_frames=[3, 3]), CLIP) == "bad_frames"


def test_a_short_clip_has_only_the_frames_it_has():
    short = Shown(sizes=((100, 100),) * 4, n_frames=4)
    assert kind_of(call("select_frames", target_frames=[5]), short) == "bad_frames"
    assert dialect.parse(call("select_frames", target_frames=[4]), short)["frames"][3] == 1


def test_a_long_clip_has_all_the_frames_it_has():
    long = Shown(sizes=((100, 100),) * 32, n_frames=32)
    action = dialect.parse(call("select_frames", target_frames=[32]), long)
    assert np.flatnonzero(action["frames"]).tolist() == [31]


def test_an_endless_answer_is_refused():
    assert kind_of(f"\\boxed{{{'a' * 2001}}}") == "no_answer"
    assert len(dialect.parse(f"\\boxed{{{'a' * 2000}}}", PICTURE)["text"]) == 2000


@given(st.text() | st.text(alphabet=st.sampled_from('<>/tool_call{}[]":, \n\\boxed01.eN')))
def test_any_text_is_an_action_or_an_operation_error(text):
    for message in (text, f"<tool_call>{text}</tool_call>", ZOOM[:40] + text, ZOOM + text):
        with contextlib.suppress(OperationError):
            assert dialect.parse(message, CLIP)["operation"] in {0, 1, 2}


fractions = st.floats(0, 1).map(lambda value: round(value, 4))


@given(
    st.tuples(fractions, fractions, fractions, fractions),
    st.integers(1, 40),
    st.sets(st.integers(0, 15), min_size=1),
    st.text(max_size=50).map(str.strip).filter(bool),
)
def test_what_is_written_is_read_back(box, image, frames, text):
    chosen = np.zeros(16, dtype=np.int8)
    chosen[list(frames)] = 1
    neutral = Action(
        operation=0,
        text="",
        bbox=np.array([0.0, 0.0, 1.0, 1.0]),
        target_image=1,
        frames=np.zeros(16, dtype=np.int8),
    )
    zoom = neutral | {"operation": 1, "bbox": np.array(box), "target_image": image}
    for action in (zoom, neutral | {"operation": 2, "frames": chosen}, neutral | {"text": text}):
        assert same(dialect.parse(dialect.render(action, CLIP), CLIP), action)


def test_numbers_are_written_short():
    action = dialect.parse(call("zoom_in", bbox_2d=[0, 0.123456, 0.5, 1]), PICTURE)
    assert '"bbox_2d": [0, 0.1235, 0.5, 1], "target_image": 1' in dialect.render(action, PICTURE)
    coarse = PixelReasonerDialect(n_decimals=2).render(action, PICTURE)
    assert "[0, 0.12, 0.5, 1]" in coarse
    assert "[0, 0, 0, 1]" in PixelReasonerDialect(n_decimals=0).render(action, PICTURE)


def test_dialects_are_found_by_name():
    assert get_dialect("pixel-reasoner").name == "pixel-reasoner"
    assert get_dialect(dialect) is dialect
    assert all(name == each.name for name, each in DIALECTS.items())
    with pytest.raises(ConfigError, match="Did you mean 'pixel-reasoner'"):
        get_dialect("pixel-reasonr")
