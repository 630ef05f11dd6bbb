"""The example of docs/new_operation.md: registered by one line, it is everywhere; then nowhere."""

from __future__ import annotations

import copy
import json
import re
import sys
import types
import warnings
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from stable_baselines3.common.env_checker import check_env as check_sb3
from tiny_tasks import ClipTask, PictureTask, quadrants

import pixel_env
from pixel_env import ConfigError, OperationError, PixelReasoningEnv, act, answer, zoom_in
from pixel_env.controls.controls import add_controls
from pixel_env.dialects import DIALECTS, Place, Shown, get_dialect
from pixel_env.drawing.picture import written_action
from pixel_env.operations import operations
from pixel_env.recordings.wrapper import RecordTrajectories
from pixel_env.vector import PixelReasoningVectorEnv
from pixel_env.wrappers import FlatPixelEnv, TextAction

DOCUMENT = Path(__file__).parents[3] / "docs" / "new_operation.md"
SEARCH = "PixelReason-SyntheticSearch-v0"
EXACT = {"overview_px": (1, 10**7), "crop_px": (1, 10**7), "side_multiple": 1}
TWO = Shown(sizes=((400, 200), (100, 80)))
CALLS = {
    "pixel-reasoner": '"name": "rotate", "arguments": {"degrees": 90, "target_image": 2}',
    "pixel-reasoner-pixels": '"name": "rotate", "arguments": {"degrees": 90, "target_image": 2}',
    "deepeyes": '"name": "rotate", "arguments": {"degrees": 90}',
    "mini-o3": '"operation": "rotate", "degrees": 90, "source": "observation_1"',
    "qwen3-vl": '"name": "rotate", "arguments": {"degrees": 90, "img_idx": 1}',
    "qwen-xml": "<function=rotate>\n<parameter=degrees>\n90\n</parameter>\n<parameter=img_idx>\n1",
    "openai": r'"name": "rotate", "arguments": "{\"degrees\": 90, \"target_image\": 2}"',
}
"""A quarter turn of image 2, or of the only one that can be named."""
FEEDBACK = {
    "deepeyes": "This is the original image, turned by 90 degrees.",
    "mini-o3": "observation_1 is original_image, turned by 90 degrees.",
    "qwen3-vl": "Image 1 is image 0, turned by 90 degrees.",
    "qwen-xml": "Image 1 is image 0, turned by 90 degrees.",
}

every = pytest.mark.parametrize("name", DIALECTS)


@pytest.fixture(scope="module")
def rotate():
    """The operation that the document shows."""
    (source,) = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text("utf-8"), re.DOTALL)
    module = types.ModuleType("rotate")
    sys.modules["rotate"] = module
    exec(compile(source, str(DOCUMENT), "exec"), module.__dict__)
    yield module.Rotate()
    del sys.modules["rotate"]


@pytest.fixture
def registered(rotate):
    """The one line."""
    with pixel_env.register_operation(rotate) as operation:
        yield operation


@pytest.fixture
def env(registered):
    env = PixelReasoningEnv(PictureTask(width=120, height=80), **EXACT, max_turns=10)
    env.reset(options={"index": 0})
    return env


def seen(quarters=1):
    return np.rot90(quadrants(120, 80), quarters)


def talk(name, **settings):
    task = PictureTask(width=120, height=80)
    env = TextAction(PixelReasoningEnv(task, **EXACT, max_turns=10, **settings), name)
    env.reset(options={"index": 0})
    return env


def test_example_is_short(rotate):
    (source,) = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text("utf-8"), re.DOTALL)
    assert len([line for line in source.splitlines() if line.strip()]) <= 35


def test_it_is_an_action(env):
    action = act("rotate", target_image=1, degrees=90)
    assert action["operation"] == 3
    assert set(action) == set(env.action_space.spaces)
    for built in (action, zoom_in([0, 0, 1, 1]), answer("B"), act("rotate")):
        assert built in env.action_space
    env.action_space.seed(1)
    drawn = [env.action_space.sample() for _ in range(60)]
    assert {sample["degrees"] for sample in drawn} == {90, 180, 270}
    assert {sample["operation"] for sample in drawn} == {0, 1, 2, 3}
    with pytest.raises(ConfigError, match="Did you mean 'degrees'"):
        act("rotate", degree=90)
    with pytest.raises(ConfigError, match="Did you mean 'rotate'"):
        act("rotat")


def test_it_is_executed_described_and_counted(env):
    observation, reward, terminated, truncated, info = env.step(act("rotate", degrees=90))
    assert np.array_equal(observation["images"][0], seen())
    assert observation["feedback"] == "Image 2 is image 1, turned by 90 degrees."
    assert (reward, terminated, truncated) == (0.0, False, False)
    assert (info["operation"], info["degrees"], info["target_image"]) == ("rotate", 90, 1)
    assert info["views_added"] == (2,)
    assert (info["n_calls"], info["n_operations"], info["n_operation_errors"]) == (1, 1, 0)
    assert (env.views[1].origin, env.views[1].parent) == ("rotate", 1)


def test_a_zoom_into_what_it_made_reads_those_pixels(env):
    env.step(act("rotate", degrees=90))
    observation, *_, info = env.step(zoom_in([0, 0.5, 1, 1], target_image=2))
    assert np.array_equal(observation["images"][0], seen()[60:])
    assert info["executed_box"] == (0, 0.5, 1, 1)
    observation, *_ = env.step(act("rotate", target_image=3, degrees=270))
    assert np.array_equal(observation["images"][0], np.rot90(seen()[60:], 3))
    observation, *_ = env.step(zoom_in([0, 0, 0.5, 1], target_image=1))
    assert np.array_equal(observation["images"][0], quadrants(120, 80)[:, :60])
    assert [view.source for view in env.views] == [1, 2, 2, 3, 1]


def test_a_copy_goes_on_from_what_was_made(env):
    env.step(act("rotate", degrees=90))
    twin = copy.deepcopy(env)
    for each in (env, twin):
        observation, *_ = each.step(zoom_in([0, 0, 1, 0.5], target_image=2))
        assert np.array_equal(observation["images"][0], seen()[:60])


def test_it_reads_the_resolution_that_a_zoom_reads(registered):
    small = {**EXACT, "overview_px": (1, 60 * 40)}
    for zoom_source, shape in (("original", (120, 80)), ("view", (60, 40))):
        env = PixelReasoningEnv(PictureTask(width=120, height=80), **small, zoom_source=zoom_source)
        env.reset(seed=0)
        assert env.step(act("rotate", degrees=90))[0]["images"][0].shape[:2] == shape


@pytest.mark.parametrize(
    ("arguments", "kind", "sentence"),
    [
        ({"degrees": 45}, "bad_arguments", "degrees must be 90, 180 or 270, got 45."),
        ({"degrees": "90"}, "bad_arguments", "degrees must be 90, 180 or 270, got a value of type"),
        ({"degrees": None}, "bad_arguments", "degrees must be 90, 180 or 270, got None."),
        ({"degrees": 10**400}, "bad_arguments", "degrees must be 90, 180 or 270, got a value"),
        ({"degrees": True}, "bad_arguments", "degrees must be 90, 180 or 270, got True."),
        ({"target_image": 2}, "bad_image", "target_image must be 1, got 2."),
        ({"target_image": "x"}, "bad_image", "target_image must be a whole number, got a value"),
    ],
)
def test_a_wrong_value_is_refused_in_one_sentence(env, arguments, kind, sentence):
    observation, *_, info = env.step(act("rotate", **arguments))
    assert observation["feedback"].startswith(sentence)
    assert (info["operation_error"], info["operation"]) == (kind, "rotate")
    assert (info["n_calls"], info["n_operations"], info["n_operation_errors"]) == (1, 0, 1)
    assert observation["images"] == ()


def test_a_missing_field_and_a_full_history_are_refused(registered):
    env = PixelReasoningEnv(PictureTask(), **EXACT, max_views=1)
    env.reset(seed=0)
    action = act("rotate", degrees=90)
    assert env.step(action)[-1]["operation_error"] == "too_many_views"
    del action["degrees"]
    observation, *_ = env.step(action)
    assert observation["feedback"] == "The action lacks its field 'degrees'."


@every
def test_every_dialect_describes_it(registered, name):
    dialect = get_dialect(name)
    schema = dialect.tool_schemas()[-1]["function"]
    assert (schema["name"], schema["description"]) == ("rotate", registered.description)
    parameters = schema["parameters"]
    degrees = {"type": "integer", "enum": [90, 180, 270], "description": "how far it is turned"}
    assert parameters["properties"]["degrees"] == degrees
    assert parameters["required"] == ["degrees"]
    view = {"deepeyes": set(), "mini-o3": {"source"}, "qwen3-vl": {"img_idx"}}
    view |= {"qwen-xml": {"img_idx"}}
    assert set(parameters["properties"]) == {"degrees"} | view.get(name, {"target_image"})
    full = dialect.system_prompt()
    assert (json.dumps(dialect.tool_schemas()[-1]) in full) == (name != "openai")
    assert "rotate" in dialect.system_prompt(brief=True)
    assert ('<grounding>{"operation": "rotate", ...}</grounding>' in full) == (name == "mini-o3")


@every
def test_every_dialect_writes_and_reads_it(registered, name):
    dialect = get_dialect(name)
    action = act("rotate", target_image=1 if name == "deepeyes" else 2, degrees=90)
    text = dialect.render(action, TWO)
    assert CALLS[name] in text
    message = dialect.compose("It stands on its head.", action, TWO)
    for written in (text, message):
        read = dialect.read(written, TWO)
        assert all(np.array_equal(read.action[key], action[key]) for key in action)
        assert (read.written_box, read.clamped) == (None, False)
    if name != "deepeyes":  # the first view where none is named
        first = dialect.render(act("rotate", target_image=1, degrees=180), TWO)
        assert dialect.parse(first, TWO)["target_image"] == 1


@every
def test_every_dialect_refuses_what_is_wrong(registered, name):
    dialect = get_dialect(name)
    text = dialect.render(act("rotate", degrees=90), TWO)

    def refusal(old, new):
        assert old in text
        with pytest.raises(OperationError) as caught:
            dialect.parse(text.replace(old, new), TWO)
        return caught.value.kind, str(caught.value)

    sentence = "degrees must be 90, 180 or 270, got 45."
    assert refusal("90", "45") == ("bad_arguments", sentence)
    key = r"\"degrees\": 90, " if name == "openai" else '"degrees": 90, '
    if name == "deepeyes":
        key = '"degrees": 90'
    if name == "qwen-xml":
        key = "<parameter=degrees>\n90\n</parameter>\n"
    missing = "degrees must be 90, 180 or 270, got nothing."
    assert refusal(key, "") == ("bad_arguments", missing)
    kind, sentence = refusal("degrees", "angle")
    assert kind == "bad_arguments"
    assert sentence.startswith('"rotate" takes degrees')
    kind, sentence = refusal("rotate", "turn_round")
    assert kind == "unknown_operation"
    assert sentence.endswith("or rotate.")


def test_a_view_is_refused_in_the_dialects_names(registered):
    text = get_dialect("qwen3-vl").render(act("rotate", target_image=2, degrees=90), TWO)
    with pytest.raises(OperationError, match=r"^img_idx must be from 0 to 1, got 7\.$"):
        get_dialect("qwen3-vl").parse(text.replace('"img_idx": 1', '"img_idx": 7'), TWO)
    with pytest.raises(ConfigError, match="the only one that this dialect can"):
        get_dialect("deepeyes").render(act("rotate", target_image=2, degrees=90), TWO)
    crop = Shown(TWO.sizes, places=(Place(1), Place(1, (0, 0, 0.5, 1))))
    with pytest.raises(ConfigError, match="expected the first picture"):
        get_dialect("deepeyes").render(act("rotate", target_image=2, degrees=90), crop)


@every
def test_every_dialect_tells_it_in_its_own_names(registered, name):
    env = talk(name)
    message = env.dialect.render(act("rotate", degrees=90), env.shown)
    observation, *_, info = env.step(message)
    plain = "Image 2 is image 1, turned by 90 degrees."
    assert observation["feedback"] == FEEDBACK.get(name, plain)
    assert np.array_equal(observation["images"][0], seen())
    assert (info["operation"], info["message"]) == ("rotate", message)
    assert env.shown.sizes == ((120, 80), (80, 120))
    if name == "deepeyes":  # it is no part of the original, by whose boxes this dialect zooms
        with pytest.raises(ConfigError, match="expected a region of the first picture"):
            env.dialect.render(zoom_in([0, 0, 1, 1], 2), env.shown)
        return
    observation, *_ = env.step(env.dialect.render(zoom_in([0, 0, 0.5, 1], 2), env.shown))
    assert np.array_equal(observation["images"][0], seen()[:, :40])
    observation, *_, info = env.step(message.replace("90", "45"))
    assert observation["feedback"] == "degrees must be 90, 180 or 270, got 45."
    assert (info["n_calls"], info["n_operations"], info["n_operation_errors"]) == (3, 2, 1)


def test_it_is_recorded(registered, tmp_path):
    env = RecordTrajectories(talk("qwen3-vl"), tmp_path)
    env.reset(options={"index": 0})
    message = env.get_wrapper_attr("dialect").render(act("rotate", degrees=270), TWO)
    env.step(message)
    env.step("<answer>D</answer>")
    (line,) = (tmp_path / "trajectories.jsonl").read_text("utf-8").splitlines()
    turn = json.loads(line)["turns"][0]
    assert (turn["message"], turn["operation"], turn["degrees"]) == (message, "rotate", 270)
    assert (turn["target_image"], turn["views_added"], len(turn["images"])) == (1, [2], 1)
    assert "degrees" not in json.loads(line)["turns"][1]
    assert json.loads(line)["n_operations"] == 1


def test_it_is_drawn_beside_the_overview(registered):
    task = PictureTask(width=120, height=80)
    env = PixelReasoningEnv(task, **EXACT, render_mode="rgb_array")
    env.reset(options={"index": 0})
    env.step(act("rotate", degrees=180))
    drawn = env.render()
    turned = quadrants(120, 80)[::-1, ::-1]
    newest = drawn[268:428, 492:732]  # under the conversation, each pixel a square of two
    assert np.array_equal(newest[::2, ::2][20:, 20:], turned[20:, 20:])  # beside its number
    assert np.array_equal(newest[1::2, 1::2][20:, 20:], turned[20:, 20:])
    assert written_action(act("rotate", degrees=180)) == "rotate 1 180"


@pytest.mark.parametrize("make", [PictureTask, ClipTask])
def test_gymnasium_finds_nothing_wrong(registered, make):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(PixelReasoningEnv(make(), **EXACT), skip_render_check=True)


def test_a_frame_of_a_clip_is_turned(registered):
    env = PixelReasoningEnv(ClipTask(), **EXACT)
    env.reset(options={"index": 0})
    observation, *_ = env.step(act("rotate", target_image=3, degrees=90))
    assert observation["images"][0].shape == (320, 240, 3)
    assert (observation["images"][0] == env.views[2].image[0, 0, 0]).all()
    env.step(zoom_in([0, 0, 0.5, 0.5], target_image=17))
    assert env.views[17].source == env.views[16].source == 41


def flat_env(task, **settings):
    env = PixelReasoningEnv(task, **EXACT, option_order="as_given")
    return FlatPixelEnv(env, view_px=60, **settings)


def test_a_flat_action_reaches_it(registered):
    env = flat_env(PictureTask(width=120, height=80))
    assert env.action_space.nvec.tolist() == [3, len(env.config.boxes), 4, 1, 4, 3]
    assert env.config.uses == ((1, 0, 0, 0, 1, 0), (1, 1, 1, 1, 0, 0), (1, 0, 1, 1, 0, 1))
    env.reset(options={"index": 0})
    observation, *_, info = env.step([2, 99, 0, 0, 99, 1])  # the second of three: 180 degrees
    assert (info["operation"], info["degrees"], info["target_image"]) == ("rotate", 180, 1)
    first, second = observation["views"][:, :, :3], observation["views"][:, :, 3:6]
    assert np.abs(first.astype(int) - second[::-1, ::-1]).max() <= 1
    assert observation["boxes"][6:12].tolist() == [1, 1, 0, 0, 1, 1]
    *_, info = env.step([2, 0, 1, 0, 0, 0])  # of the newest view
    assert (info["degrees"], info["target_image"]) == (90, 2)
    *_, info = env.step([2, 0, 1, 0, 0, 3])
    assert info["operation_error"] == "bad_arguments"
    assert info["feedback"] == "degrees must be 0 to 2, got 3."
    *_, info = env.step([2, 0, 1, 0, 0])
    assert info["feedback"].startswith("A flat action is 6 whole numbers")


def test_flat_actions_of_clips_have_it_after_the_selection(registered):
    env = flat_env(ClipTask(), vocabulary=("very", "hardly"))
    env.reset(options={"index": 0})
    assert env.step([2, 0, 0, 4, 0, 0])[-1]["frames"] == (5,)
    *_, info = env.step([3, 0, 0, 4, 0, 2])
    assert (info["operation"], info["target_image"], info["degrees"]) == ("rotate", 5, 270)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_sb3(env)


def test_lanes_take_it(registered):
    vectors = [PixelReasoningVectorEnv.from_id(SEARCH, 2)]
    vectors += [gym.make_vec(SEARCH, 2, vectorization_mode="sync")]
    for envs in vectors:
        envs.reset(seed=0)
        batch = envs.action_space.sample()
        assert batch in envs.action_space
        envs.step(batch)
        envs.reset(seed=0)
        actions = [act("rotate", degrees=90), zoom_in([0, 0, 0.5, 0.5])]
        given = actions if isinstance(envs, PixelReasoningVectorEnv) else tuple(actions)
        if not isinstance(envs, PixelReasoningVectorEnv):
            given = gym.vector.utils.concatenate(
                envs.single_action_space,
                actions,
                gym.vector.utils.create_empty_array(envs.single_action_space, 2),
            )
        *_, infos = envs.step(given)
        assert list(infos["operation"]) == ["rotate", "zoom_in"]
        envs.close()


def test_controls_let_it_through_or_refuse_it(registered):
    def step(names):
        env = PixelReasoningEnv(PictureTask(width=120, height=80), **EXACT)
        env = add_controls(env, names)
        env.reset(options={"index": 0})
        return env.step(act("rotate", degrees=90))

    assert step(["no-operations"])[-1]["control"] == {"no-operations": {"refused": "rotate"}}
    assert (step(["blank-views"])[0]["images"][0] == 128).all()
    for name in ("random-crop", "demonstration-crop", "aimed-crop"):
        observation, *_, info = step([name])
        assert np.array_equal(observation["images"][0], seen())
        assert "control" not in info


def test_unregistered_everything_is_as_before(rotate):
    def faces():
        known = [get_dialect(name) for name in DIALECTS]
        return [
            *([each.system_prompt(), each.tool_schemas()] for each in known),
            PixelReasoningEnv(PictureTask()).action_space,
            flat_env(PictureTask()).action_space,
            list(zoom_in([0, 0, 1, 1])),
            [each.name for each in operations()],
        ]

    kept = get_dialect("qwen3-vl")
    before = faces()
    registration = pixel_env.register_operation(rotate)
    made = PixelReasoningEnv(PictureTask(), **EXACT)
    action = act("rotate", degrees=90)
    text = kept.render(action, TWO)
    assert all(one != other for one, other in zip(before, faces(), strict=True))
    registration.unregister()
    assert faces() == before
    with pytest.raises(OperationError, match="There is no operation"):
        kept.parse(text, TWO)
    fresh = PixelReasoningEnv(PictureTask())
    fresh.reset(seed=0)
    assert fresh.step(action)[-1]["operation_error"] == "unknown_operation"
    made.reset(seed=0)  # made while it was registered
    assert made.step(action)[-1]["operation"] == "rotate"


def test_what_does_not_fit_cannot_be_registered(rotate, registered):
    for wrong in (rotate, object(), operations().named("answer")):
        with pytest.raises(ConfigError, match="expected"):
            pixel_env.register_operation(wrong)
    other = type("Other", (type(rotate),), {"name": "spin it"})
    with pytest.raises(ConfigError, match="identifier"):
        pixel_env.register_operation(other())
    argument = type(rotate.arguments[1])("degrees", values=(1, 2))
    clash = type("Clash", (type(rotate),), {"name": "spin", "arguments": (argument,)})
    with pytest.raises(ConfigError, match="'degrees' of spin"):
        pixel_env.register_operation(clash())
    assert len(operations()) == 4
