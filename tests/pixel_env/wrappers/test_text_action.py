"""Whatever a model writes, the environment goes on and tells it what was wrong."""

import time

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pixel_env import ConfigError, zoom_in
from pixel_env.dialects import PixelReasonerDialect
from pixel_env.wrappers import FullHistory, TextAction

fuzz = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


def call(name="zoom_in", **arguments):
    return PixelReasonerDialect().render(zoom_in(**arguments), None).replace("zoom_in", name)


ZOOM = call(bbox=[0.25, 0.25, 0.75, 0.75])
CROP = "crop_image_normalized"


@pytest.fixture
def env(make_env):
    env = TextAction(make_env(max_turns=1000))
    env.reset(seed=0)
    return env


def step_and_check(env, message):
    """Steps and checks what holds for every message; starts anew where the episode ended."""
    observation, reward, terminated, truncated, info = env.step(message)
    assert env.observation_space.contains(observation)
    assert isinstance(info["message"], str)
    info["message"].encode("utf-8")
    assert reward == sum(info["reward_terms"].values())
    if "operation_error" in info:
        assert observation["feedback"]
        assert "\n" not in observation["feedback"]
        observation["feedback"].encode("utf-8")
    if terminated or truncated:
        env.reset()
    return observation, info


@fuzz
@given(
    message=st.text() | st.binary() | st.text().map(lambda text: f"<tool_call>{text}</tool_call>")
)
def test_any_text_and_any_bytes_are_a_step(env, message):
    step_and_check(env, message)


@fuzz
@given(start=st.integers(0, len(ZOOM)), end=st.integers(0, len(ZOOM)), noise=st.text(max_size=5))
def test_half_calls_are_a_step(env, start, end, noise):
    step_and_check(env, ZOOM[start:] + noise)
    step_and_check(env, ZOOM[:end] + noise)
    step_and_check(env, ZOOM[:start] + noise + ZOOM[start:])


@fuzz
@given(
    box=st.lists(st.floats() | st.integers(-(10**30), 10**30), max_size=6),
    image=st.integers() | st.floats(),
)
def test_any_numbers_in_a_call_are_a_step(env, box, image):
    body = f'{{"name": "zoom_in", "arguments": {{"bbox_2d": {box}, "target_image": {image}}}}}'
    step_and_check(env, f"<tool_call>{body}</tool_call>")


@pytest.mark.parametrize("message", [None, 3, 2.5, ["a"], {"operation": 0}, object(), np.zeros(3)])
def test_what_is_no_text_is_refused_and_not_raised(env, message):
    observation, info = step_and_check(env, message)
    assert info["operation_error"] == "malformed"
    assert observation["feedback"] == "A message must be text."


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("<tool_call>" + "[" * 10_000 + "]" * 10_000 + "</tool_call>", "malformed"),
        ("<tool_call>" + '{"a":' * 1_900 + "1" + "}" * 1_900 + "</tool_call>", "malformed"),
        (ZOOM.replace("0.25", "1" + "0" * 4000), "bad_box"),
        (ZOOM.replace("0.25", "1e400"), "bad_box"),
        (ZOOM.replace("0.25", "NaN"), "bad_arguments"),
        (ZOOM.replace("0.25", "100"), "bad_box"),
        (ZOOM.replace("0.75", "0.25"), "bad_box"),
        (ZOOM + "\ud800", None),
        ("\udcff<tool_call>\ud800</tool_call>", "malformed"),
        ("\\boxed{\ud800}", None),
        (b"\xff\xfe<tool_call>", "malformed"),
    ],
)
def test_hostile_messages_are_answered_by_kind(env, message, kind):
    assert step_and_check(env, message)[1].get("operation_error") == kind


@pytest.mark.parametrize("piece", ["<tool_call>", "a", "\\boxed{", "<answer>", "{" * 10, "\ud800"])
def test_ten_megabytes_are_refused_in_a_moment(env, piece):
    message = piece * (10_000_000 // len(piece))
    started = time.process_time()
    assert step_and_check(env, message)[1]["operation_error"] == "malformed"
    assert time.process_time() - started < 3


def test_a_call_is_executed_and_an_answer_graded(make_env):
    env = TextAction(make_env())
    observation, _ = env.reset(options={"index": 0})
    assert env.shown.sizes == (
        (observation["images"][0].shape[1], observation["images"][0].shape[0]),
    )
    observation, _, _, _, info = env.step("I look.\n" + ZOOM + "\n")
    assert (info["operation"], info["n_operations"]) == ("zoom_in", 1)
    assert info["requested_box"] == (0.25, 0.25, 0.75, 0.75)
    assert len(env.shown.sizes) == 2
    assert info["message"] == "I look.\n" + ZOOM + "\n"
    _, reward, terminated, _, info = env.step(r"It is \boxed{B}")
    assert (reward, terminated, info["grade"]["correct"]) == (1.0, True, True)


def test_pixels_are_those_of_the_structured_action(make_env):
    text, plain = TextAction(make_env()), make_env()
    text.reset(options={"index": 1})
    plain.reset(options={"index": 1})
    zoomed = text.step(ZOOM)[0]["images"][0]
    shown = plain.step(zoom_in([0.25, 0.25, 0.75, 0.75]))[0]["images"][0]
    assert np.array_equal(zoomed, shown)


def test_a_refused_message_spends_its_turn(make_env):
    env = TextAction(make_env(max_turns=2))
    env.reset(seed=0)
    observation, _, terminated, truncated, info = env.step("hm")
    assert (observation["turns_left"], terminated, truncated) == (1, False, False)
    assert info["n_calls"] == 0
    _, _, terminated, truncated, info = env.step("<tool_call>")
    assert (terminated, truncated, info["n_calls"], info["n_operations"]) == (False, True, 1, 0)


def test_released_defect_what_earlier_turns_and_operations_wrote_is_graded(make_env):
    env = TextAction(make_env(max_turns=3))
    env.reset(options={"index": 0})
    observation = env.step(r"I would say \boxed{B} " + ZOOM)[0]
    assert "got both" in observation["feedback"]
    env.step(ZOOM)
    _, reward, terminated, truncated, info = env.step("So it is as I said.")
    assert (reward, terminated, truncated) == (0.0, False, True)
    assert "answer" not in info


def test_released_defect_a_bare_closing_tag_repeats_no_earlier_call(make_env):
    env = TextAction(make_env())
    env.reset(options={"index": 0})
    env.step(ZOOM)
    observation, *_, info = env.step("</tool_call>")
    assert info["operation_error"] == "malformed"
    assert (info["n_operations"], len(observation["images"])) == (1, 0)


def test_released_defect_target_image_zero_takes_no_picture(make_env):
    env = TextAction(make_env())
    env.reset(options={"index": 0})
    for number in (0, -1, 2, 10**14):
        message = ZOOM.replace('"target_image": 1', f'"target_image": {number}')
        assert env.step(message)[-1]["operation_error"] == "bad_image"


def test_a_clip_is_known_by_its_frames(make_env):
    env = TextAction(make_env())
    env.reset(options={"index": 4})
    assert (env.shown.n_frames, len(env.shown.sizes)) == (16, 16)
    select = '<tool_call>{"name": "select_frames", "arguments": {"target_frames": %s}}</tool_call>'
    observation, *_, info = env.step(select % [16, 1])
    assert info["views_added"] == (17, 18)
    assert len(observation["images"]) == 2
    assert env.step(select % [17])[-1]["operation_error"] == "bad_frames"
    env.reset(options={"index": 0})
    assert env.shown.n_frames == 0
    assert env.step(select % [1])[-1]["operation_error"] == "bad_frames"


def test_what_was_shown_is_counted_right_over_full_history(make_env):
    env = TextAction(FullHistory(make_env()))
    env.reset(options={"index": 0})
    for n_views in (2, 3):
        env.step(ZOOM)
        assert len(env.shown.sizes) == n_views


def test_an_unknown_dialect_is_refused_at_once(make_env):
    with pytest.raises(ConfigError, match="pixel-reasoner"):
        TextAction(make_env(), dialect="pixelreasoner")


def test_a_dialect_object_may_be_given(make_env):
    dialect = PixelReasonerDialect(n_decimals=2)
    assert TextAction(make_env(), dialect=dialect).dialect is dialect


@pytest.mark.filterwarnings("ignore:.*different from the unwrapped version")
@pytest.mark.filterwarnings("error")
def test_the_environment_checker_is_silent(make_env):
    check_env(TextAction(make_env()), skip_render_check=True)


def test_seeded_messages_give_the_same_episode_through_gym_make():
    episodes = []
    for _ in range(2):
        env = TextAction(gym.make("pixel_env:PixelReason-SyntheticSearch-v0"))
        first = env.reset(seed=3)[0]
        episodes.append((first["question"], first["images"][0], env.step(ZOOM)[0]["images"][0]))
    assert episodes[0][0] == episodes[1][0]
    for one, other in zip(episodes[0][1:], episodes[1][1:], strict=True):
        assert np.array_equal(one, other)
