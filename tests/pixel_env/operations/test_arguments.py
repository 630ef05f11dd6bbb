"""Every kind of argument: as a field, in every dialect's calls, in flat actions."""

from __future__ import annotations

import json

import numpy as np
import pytest
from dialect_calls import CLIP
from tiny_tasks import ClipTask, PictureTask

import pixel_env
from pixel_env import EnvConfig, OperationError, PixelReasoningEnv, act
from pixel_env.controls.controls import add_controls
from pixel_env.dialects import DIALECTS, Shown, get_dialect
from pixel_env.operations import (
    BoxArgument,
    ChoiceArgument,
    FramesArgument,
    NumberArgument,
    Operation,
    Outcome,
    TextArgument,
    ViewArgument,
    WholeArgument,
)
from pixel_env.operations.terms import PLAIN
from pixel_env.spaces import action_space
from pixel_env.types import View
from pixel_env.wrappers import FlatPixelEnv, TextAction

EXACT = {"overview_px": (1, 10**7), "crop_px": (1, 10**7), "side_multiple": 1}
TWO = Shown(sizes=((400, 200), (100, 80)))


class Compare(Operation):
    """Measures how much brighter a region is than another view; shows nothing."""

    name = "compare"
    description = "Compares a region with another picture."
    arguments = (
        BoxArgument("bbox", of="target_image"),
        ViewArgument("target_image"),
        ViewArgument("other_image"),
        WholeArgument("times", "how often", low=1, high=9, default=2),
        NumberArgument("gain", "factor", low=0.5, high=2.0),
        ChoiceArgument("channel", values=("red", "green")),
        TextArgument("note", max_chars=20, default=""),
    )

    def do(self, action, history):
        names = [each.name for each in self.arguments]
        return Outcome(facts={name: self.value(name, action, history) for name in names})

    def tell(self, facts, terms):
        box, _ = facts["bbox"]
        first, other = facts["target_image"], facts["other_image"]
        return f"{terms.box(box, first)} of {terms.view(first)} against {terms.view(other)}."


class Mark(Operation):
    """Shows a region of a view in grey, as a region of its source."""

    name = "mark"
    arguments = (BoxArgument("bbox"), ViewArgument())

    def do(self, action, history):
        target = self.value("target_image", action, history)
        box, clamped = self.value("bbox", action, history)
        view = history.view(target)
        facts = {"target_image": target, "requested_box": box, "executed_box": box}
        facts |= {"view_box": box, "clamped": clamped}
        grey = np.full_like(view.image, 128)
        return Outcome((View(grey, view.source, box, self.name, target),), facts=facts)

    def tell(self, facts, terms):
        return f"{terms.new_views(facts['views_added'])}: {terms.box(facts['view_box'], 1)}."


class Glance(Operation):
    """Shows frames of a clip."""

    name = "glance"
    arguments = (FramesArgument(),)
    needs_clip = True

    def do(self, action, history):
        numbers = self.value("frames", action, history)
        return Outcome(history.selected(numbers), facts={"frames": tuple(numbers)})

    def tell(self, facts, terms):
        return terms.new_views(facts["views_added"]) + "."


VALUES = {
    "bbox": [0.25, 0.5, 0.75, 1.0],
    "target_image": 1,
    "other_image": 2,
    "times": 3,
    "gain": 1.25,
    "channel": "green",
    "note": "7 or so",
}
every = pytest.mark.parametrize("name", DIALECTS)


@pytest.fixture(autouse=True)
def _registered():
    with (
        pixel_env.register_operation(Compare()),
        pixel_env.register_operation(Mark()),
        pixel_env.register_operation(Glance()),
    ):
        yield


@pytest.fixture
def env():
    env = PixelReasoningEnv(PictureTask(width=120, height=80), **EXACT, max_turns=50, max_views=50)
    env.reset(options={"index": 0})
    env.step(pixel_env.zoom_in([0, 0, 0.5, 0.5]))
    return env


def test_fields_hold_what_was_given(env):
    action = act("compare", **VALUES)
    assert action in env.action_space
    assert act("compare") in env.action_space
    *_, info = env.step(action)
    assert info["bbox"] == ((0.25, 0.5, 0.75, 1.0), False)
    assert [info[name] for name in ("times", "gain", "channel", "note")] == [
        *(3, 1.25, "green", "7 or so"),
    ]
    env.action_space.seed(0)
    for _ in range(20):
        sample = env.action_space.sample() | {"operation": 3, "bbox": np.array([0, 0, 1, 1.0])}
        *_, info = env.step(sample | {"target_image": 1, "other_image": 2})
        assert "operation_error" not in info
        assert 0.5 <= info["gain"] <= 2


def test_an_operation_may_show_nothing(env):
    observation, *_, info = env.step(act("compare", **VALUES))
    assert observation["feedback"] == "[0.25, 0.5, 0.75, 1] of image 1 against image 2."
    assert observation["images"] == ()
    assert "views_added" not in info
    assert (info["n_operations"], info["n_views"]) == (2, 2)


WRONG = [
    ({"times": 10}, "times must be a whole number from 1 to 9, got 10."),
    ({"times": 1.5}, "times must be a whole number from 1 to 9, got 1.5."),
    ({"gain": 2.5}, "gain must be a number from 0.5 to 2, got 2.5."),
    ({"gain": float("nan")}, "gain must be a number from 0.5 to 2, got nan."),
    ({"gain": 10**400}, "gain must be a number from 0.5 to 2, got inf."),
    ({"gain": True}, "gain must be a number from 0.5 to 2, got True."),
    ({"gain": np.zeros(3)}, "gain must be a number from 0.5 to 2, got an array of shape (3,)."),
    ({"channel": "blue"}, 'channel must be "red" or "green", got a value of type str.'),
    ({"channel": 1}, 'channel must be "red" or "green", got 1.'),
    ({"channel": ["red"]}, 'channel must be "red" or "green", got a value of type list.'),
    ({"note": "x" * 21}, "note must be text of at most 20 characters, got a value of type str."),
    ({"other_image": 3}, "other_image must be from 1 to 2, got 3."),
]


@pytest.mark.parametrize(("change", "sentence"), WRONG)
def test_a_wrong_value_is_refused_in_one_sentence(env, change, sentence):
    observation, *_, info = env.step(act("compare", **(VALUES | change)))
    assert observation["feedback"] == sentence
    assert info["operation_error"] == ("bad_image" if "other_image" in change else "bad_arguments")


@every
def test_every_dialect_writes_and_reads_all_kinds(name):
    dialect = get_dialect(name)
    values = VALUES | ({"other_image": 1} if name == "deepeyes" else {})
    action = act("compare", **values)
    text = dialect.render(action, TWO)
    read = dialect.read(text, TWO)
    assert read.action.keys() == action.keys()
    assert all(np.array_equal(read.action[key], action[key]) for key in action)
    assert read.action in action_space(EnvConfig())
    assert read.written_box is not None
    assert "other_image" in text or name == "deepeyes"


def test_optional_arguments_may_be_left_out():
    given = '{"bbox_2d": [0, 0, 1, 1], "gain": 1, "channel": "red"}'
    call = f'{{"name": "compare", "arguments": {given}}}'
    read = get_dialect("pixel-reasoner").parse(f"<tool_call>{call}</tool_call>", TWO)
    assert (read["note"], read["times"], read["other_image"], read["gain"]) == ("", 2, 1, 1.0)


@every
@pytest.mark.parametrize(
    ("argument", "value", "sentence"),
    [
        ("times", 10, "times must be a whole number from 1 to 9, got 10."),
        ("gain", 9.5, "gain must be a number from 0.5 to 2, got 9.5."),
        ("channel", "blue", 'channel must be "red" or "green", got "blue".'),
        ("note", "x" * 21, "note must be text of at most 20 characters, got"),
    ],
)
def test_every_dialect_refuses_a_value_in_one_sentence(name, argument, value, sentence):
    dialect = get_dialect(name)
    values = VALUES | ({"other_image": 1} if name == "deepeyes" else {})
    text = dialect.render(act("compare", **(values | {argument: value})), TWO)
    with pytest.raises(OperationError) as caught:
        dialect.parse(text, TWO)
    assert caught.value.kind == "bad_arguments"
    assert str(caught.value).startswith(sentence)


def test_schemas_say_what_is_allowed():
    (schema,) = [
        each["function"]["parameters"]
        for each in get_dialect("pixel-reasoner").tool_schemas()
        if each["function"]["name"] == "compare"
    ]
    assert schema["required"] == ["bbox_2d", "gain", "channel"]
    properties = schema["properties"]
    assert properties["times"] == {
        "type": "integer",
        "minimum": 1,
        "maximum": 9,
        "default": 2,
        "description": "how often",
    }
    assert properties["gain"]["maximum"] == 2.0
    assert properties["channel"]["enum"] == ["red", "green"]
    assert (properties["note"]["type"], properties["note"]["maxLength"]) == ("string", 20)
    assert json.loads(json.dumps(schema)) == schema


@every
def test_feedback_is_in_the_dialects_terms(name):
    env = PixelReasoningEnv(PictureTask(width=120, height=80), **EXACT)
    talk = TextAction(env, name)
    talk.reset(options={"index": 0})
    values = VALUES | {"other_image": 1}
    observation, *_ = talk.step(talk.dialect.render(act("compare", **values), talk.shown))
    expected = {
        "pixel-reasoner-pixels": "[30, 40, 90, 80] of image 1 against image 1.",
        "deepeyes": "[30, 40, 90, 80] of the original image against the original image.",
        "mini-o3": "[0.25, 0.5, 0.75, 1] of original_image against original_image.",
        "qwen3-vl": "[250, 500, 750, 1000] of image 0 against image 0.",
        "qwen-xml": "[250, 500, 750, 1000] of image 0 against image 0.",
    }
    plain = "[0.25, 0.5, 0.75, 1] of image 1 against image 1."
    assert observation["feedback"] == expected.get(name, plain)


def test_a_flat_action_chooses_every_value():
    flat = FlatPixelEnv(
        PixelReasoningEnv(PictureTask(width=120, height=80), **EXACT), view_px=60, scales=(0.5,)
    )
    flat.reset(options={"index": 0})
    assert list(flat.config.further_arguments) == ["times", "gain", "channel"]
    assert flat.action_space.nvec.tolist()[-3:] == [9, 5, 2]
    *_, info = flat.step([2, 0, 0, 0, 1, 8, 2, 1])
    assert (info["operation"], info["bbox"]) == ("compare", ((0.0, 0.0, 0.5, 0.5), False))
    assert (info["times"], info["gain"], info["channel"]) == (9, 1.25, "green")
    assert info["note"] == "B"  # as an answer is chosen
    assert flat.step([2, 0, 0, 0, 9, 0, 0, 0])[-1]["operation_error"] == "bad_arguments"
    observation, *_, info = flat.step([3, 8, 0, 0, 0, 0, 0, 0])
    assert info["operation"] == "mark"
    assert observation["boxes"][6:12].tolist() == [1, 1, 0.5, 0.5, 1, 1]


def test_controls_redirect_what_shows_a_region_or_frames():
    env = add_controls(PixelReasoningEnv(PictureTask(), **EXACT), ["demonstration-crop"])
    env.reset(options={"index": 0})
    observation, *_, info = env.step(act("mark", bbox=[0, 0, 0.25, 0.5]))
    assert observation["feedback"] == "Image 2: [0, 0, 0.25, 0.5]."
    assert info["executed_box"] == pytest.approx((0.65, 0.65, 0.85, 0.85))
    assert info["control"]["demonstration-crop"]["asked_box"] == (0, 0, 0.25, 0.5)
    env = add_controls(PixelReasoningEnv(ClipTask(), **EXACT), ["random-crop"])
    env.reset(options={"index": 0})
    *_, info = env.step(act("glance", frames=[1, 2]))
    assert info["control"]["random-crop"]["asked_frames"] == [1, 2]


def test_frames_are_counted_as_the_dialect_counts():
    text = get_dialect("qwen3-vl").render(act("glance", frames=[3, 7]), CLIP)
    assert '{"name": "glance", "arguments": {"frame_idx": [2, 6]}}' in text
    prompt = get_dialect("mini-o3").system_prompt()
    assert "glance works only on a clip." in prompt
    kinds = FlatPixelEnv(PixelReasoningEnv(PictureTask(), **EXACT), view_px=60).config.kinds
    assert "glance" not in [each.name for each in kinds]


def test_new_views_are_named_together():
    assert PLAIN.new_views([2, 3]) == "Images 2 and 3"
    for name, expected in {
        "qwen3-vl": "Images 1 and 2",
        "mini-o3": "observation_1 and observation_2",
        "deepeyes": "These",
    }.items():
        assert get_dialect(name).views.called_first([2, 3]) == expected
