"""What holds in every dialect: calls of published models are read, and what is written is read."""

import json

import numpy as np
import pytest
from dialect_calls import ANSWERS, CLIP, PLAIN, TWO, WITH_FRAMES, ZOOMS
from hypothesis import given, settings
from hypothesis import strategies as st

from pixel_env import ConfigError, OperationError, answer, select_frames, zoom_in
from pixel_env.dialects import DIALECTS, Shown, get_dialect

STEP = {"fractions": 1e-4, "thousandths": 1e-3}
"""How finely each frame is written; pixels depend on the view."""

every = pytest.mark.parametrize("name", DIALECTS)


def kind_of(name, text, shown=TWO):
    with pytest.raises(OperationError) as caught:
        get_dialect(name).parse(text, shown)
    assert str(caught.value).isascii()
    assert "\n" not in str(caught.value)
    return caught.value.kind


def zoom_name(name):
    """Returns what a dialect calls its zoom."""
    return get_dialect(name).signatures()[0].names[0]


def same(left, right):
    return all(np.array_equal(left[key], right[key]) for key in left.keys() | right.keys())


def test_the_table_names_every_dialect():
    assert set(ZOOMS) == set(ANSWERS) == set(DIALECTS)
    assert all(DIALECTS[name].name == name for name in DIALECTS)
    assert len(DIALECTS) == 7


@every
@pytest.mark.parametrize(
    "around", ["%s", "%s\n", "%s  ", "<think>Small.</think>\n%s", "I look. %s ok"]
)
def test_the_call_that_its_models_write_is_read(name, around):
    text = around % ZOOMS[name]
    if name == "openai":  # a message is the whole text; words go into its content
        text = json.dumps(json.loads(ZOOMS[name]) | {"content": around % ""})
    action = get_dialect(name).parse(text, TWO)
    assert action["operation"] == 1
    assert action["bbox"].tolist() == [0.25, 0.5, 0.75, 1]
    assert action["bbox"].dtype == np.float64
    assert action["target_image"] == (1 if name == "deepeyes" else 2)


@every
def test_the_answer_that_its_models_write_is_read_and_written(name):
    dialect = get_dialect(name)
    assert same(dialect.parse(ANSWERS[name], TWO), answer("B"))
    assert dialect.render(answer("B"), TWO) == ANSWERS[name]


@every
def test_a_declared_answer_is_read_in_either_form(name):
    dialect = get_dialect(name)
    assert dialect.parse(r"It is red: \boxed{B}", TWO)["text"] == "B"
    assert dialect.parse("It is red: <answer>B</answer>\n", TWO)["text"] == "B"
    assert dialect.parse("<think>A?</think> <answer>B</answer>", TWO)["text"] == "B"


@every
def test_prose_answers_only_where_models_answer_plainly(name):
    if name in PLAIN:
        text = "<think>Red, or \\boxed{A}? No.</think>\n The mug is red. \n"
        assert get_dialect(name).parse(text, TWO)["text"] == "The mug is red."
        assert get_dialect(name).parse("Hm.</think>red", TWO)["text"] == "red"
        assert kind_of(name, "<think>I am still thinking about") == "no_answer"
        answer = get_dialect(name).parse("The mug stands there. " * 1000 + "\n\nB", TWO)["text"]
        assert answer.endswith("there. \n\nB")
        assert 4000 < len(answer) <= 4096
        assert kind_of(name, f"<answer>{'a' * 2001}</answer>") == "no_answer"
    else:
        assert kind_of(name, "The mug is red.") == "no_answer"
    assert kind_of(name, "") == kind_of(name, " \n") == "no_answer"


FIRST_RUNS = ("deepeyes", "mini-o3")
"""Their publishers run the first call of a message."""


@every
def test_several_calls_are_refused_unless_the_publisher_runs_the_first(name):
    if name in FIRST_RUNS:
        second = ZOOMS[name].replace("0.5", "0").replace("300", "400")
        assert second != ZOOMS[name]
        both = get_dialect(name).parse(ZOOMS[name] + "\n" + second, TWO)
        assert same(both, get_dialect(name).parse(ZOOMS[name], TWO))
    elif name == "openai":
        message = json.loads(ZOOMS[name])
        message["tool_calls"] *= 2
        assert kind_of(name, json.dumps(message)) == "several_calls"
    else:
        assert kind_of(name, ZOOMS[name] + "\n" + ZOOMS[name]) == "several_calls"


@every
def test_a_call_beside_an_answer_does_what_the_publisher_does(name):
    text = ZOOMS[name] + "<answer>B</answer>"
    if name == "openai":
        text = json.dumps(json.loads(ZOOMS[name]) | {"content": "<answer>B</answer>"})
    if name.startswith("pixel-reasoner"):
        assert kind_of(name, text) == "several_calls"
        return
    expected = answer("B") if name == "deepeyes" else get_dialect(name).parse(ZOOMS[name], TWO)
    assert same(get_dialect(name).parse(text, TWO), expected)


@every
def test_feedback_on_an_unknown_operation_names_those_that_are_there(name):
    dialect = get_dialect(name)
    if name == "mini-o3":
        assert kind_of(name, ZOOMS[name].replace("source", "frames")) == "bad_arguments"
        return
    text = ZOOMS[name].replace(zoom_name(name), "look_harder")
    with pytest.raises(OperationError) as caught:
        dialect.parse(text, TWO)
    assert caught.value.kind == "unknown_operation"
    assert zoom_name(name) in str(caught.value)
    assert ("select_frames" in str(caught.value)) == (name in WITH_FRAMES)


@every
def test_zoom_in_is_an_alias_where_calls_have_names(name):
    dialect = get_dialect(name)
    if name == "mini-o3":
        assert "zoom_in" not in dialect.render(zoom_in([0, 0, 1, 1]), TWO)
        return
    text = ZOOMS[name].replace(zoom_name(name), "zoom_in")
    assert same(dialect.parse(text, TWO), dialect.parse(ZOOMS[name], TWO))


@every
def test_misspelt_arguments_are_refused(name):
    text = ZOOMS[name].replace("bbox_2d", "box")
    assert kind_of(name, text) == "bad_arguments"


sizes = st.lists(st.tuples(st.integers(28, 2000), st.integers(28, 2000)), min_size=1, max_size=5)
edges = st.tuples(st.floats(0, 1), st.floats(0, 1)).map(sorted)


@every
@settings(max_examples=60, deadline=None)
@given(sizes=sizes, x=edges, y=edges, data=st.data())
def test_a_zoom_is_read_back_up_to_the_frames_rounding(name, sizes, x, y, data):
    dialect, shown = get_dialect(name), Shown(sizes=tuple(sizes))
    target = 1 if name == "deepeyes" else data.draw(st.integers(1, len(sizes)))
    width, height = sizes[target - 1]
    step = STEP.get(dialect.coordinate_frame)
    steps = [step, step] if step else [1 / width, 1 / height]
    if x[1] - x[0] < 2 * steps[0] or y[1] - y[0] < 2 * steps[1]:
        return  # thinner than the frame can tell
    box = np.array([x[0], y[0], x[1], y[1]])
    read = dialect.parse(dialect.render(zoom_in(box, target), shown), shown)
    assert read["operation"] == 1
    assert read["target_image"] == target
    assert (np.abs(read["bbox"] - box) <= np.array(steps * 2) / 2 + 1e-9).all()


@every
@settings(max_examples=60, deadline=None)
@given(text=st.text(max_size=40).map(str.strip).filter(bool))
def test_an_answer_is_read_back_as_it_was(name, text):
    dialect = get_dialect(name)
    assert same(dialect.parse(dialect.render(answer(text), TWO), TWO), answer(text))


MARKUP = r"\boxed{A  </answer>  50% of {x} \y  {1, 2}  {}  <answer>A</answer>x  \text{a}  <<"
TAGS = r"<think>  a</think>b  <tool_call>  </tool_call>  </grounding> \  <function=f>  \{<think>"


@every
@pytest.mark.parametrize("text", [*MARKUP.split("  "), *TAGS.split("  ")])
def test_answers_that_look_like_markup_are_read_back(name, text):
    if name == "qwen-xml" and text == "{1, 2}":
        assert get_dialect(name).render(answer(text), TWO) == text
    dialect = get_dialect(name)
    assert dialect.parse(dialect.render(answer(text), TWO), TWO)["text"] == text


@pytest.mark.parametrize("name", WITH_FRAMES)
@pytest.mark.parametrize("frames", [[1], [16], [2, 3, 9]])
def test_a_selection_is_read_back(name, frames):
    dialect = get_dialect(name)
    action = select_frames(frames)
    text = dialect.render(action, CLIP)
    assert same(dialect.parse(text, CLIP), action)
    first = 0 if name.startswith("qwen") else 1
    assert str([frame - 1 + first for frame in frames]) in text


@pytest.mark.parametrize("name", WITH_FRAMES)
def test_feedback_on_missing_frames_has_the_dialects_numbers(name):
    dialect = get_dialect(name)
    text = dialect.render(select_frames([16]), CLIP)
    first = 0 if name.startswith("qwen") else 1
    for wrong in (first - 1, first + 16):
        with pytest.raises(OperationError) as caught:
            dialect.parse(text.replace(f"[{15 + first}]", f"[{wrong}]"), CLIP)
        assert caught.value.kind == "bad_frames"
        assert f"must be numbers from {first} to {first + 15}, got {wrong}." in str(caught.value)


@pytest.mark.parametrize("name", ["deepeyes", "mini-o3"])
def test_a_dialect_without_frames_cannot_write_a_selection(name):
    with pytest.raises(ConfigError, match=f"{name} can write .*, got select_frames"):
        get_dialect(name).render(select_frames([1]), CLIP)
    assert all(s["function"]["name"] != "select_frames" for s in get_dialect(name).tool_schemas())


def test_deepeyes_refuses_a_selection_in_one_sentence():
    text = '<tool_call>{"name": "select_frames", "arguments": {"target_frames": [1]}}</tool_call>'
    with pytest.raises(OperationError) as caught:
        get_dialect("deepeyes").parse(text, CLIP)
    assert str(caught.value) == 'There is no operation "select_frames": use image_zoom_in_tool.'


def test_deepeyes_takes_the_key_bbox_but_not_two_boxes():
    text = ZOOMS["deepeyes"].replace("bbox_2d", "bbox")
    assert get_dialect("deepeyes").parse(text, TWO)["bbox"].tolist() == [0.25, 0.5, 0.75, 1]
    both = text.replace('"bbox":', '"bbox_2d": [0, 0, 1, 1], "bbox":')
    assert kind_of("deepeyes", both) == "bad_arguments"


def test_a_name_that_means_another_frame_is_no_alias():
    text = ZOOMS["pixel-reasoner-pixels"].replace("crop_image", "crop_image_normalized")
    assert kind_of("pixel-reasoner-pixels", text) == "unknown_operation"
    assert kind_of("pixel-reasoner", ZOOMS["pixel-reasoner-pixels"]) == "unknown_operation"
