"""Every dialect: one region gives the same pixels, news come in its terms, nothing raises."""

import time

import numpy as np
import pytest
from dialect_calls import WITH_FRAMES, ZOOMS
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tiny_tasks import ClipTask, PictureTask

from pixel_env import PixelReasoningEnv, select_frames, zoom_in
from pixel_env.dialects import DIALECTS, get_dialect
from pixel_env.wrappers import TextAction

every = pytest.mark.parametrize("name", DIALECTS)
EVEN = {
    "side_multiple": 64,
    "overview_px": (320 * 256, 320 * 256),
    "crop_px": (128 * 128, 256 * 256),
    "frame_px": (64 * 64, 128 * 128),
}
"""Views whose sides are multiples of 64, so that eighths of eighths are whole pixels."""


def make(name, task=None, **changes):
    env = PixelReasoningEnv(task or PictureTask(), **(EVEN | changes))
    return env if name is None else TextAction(env, name)


@pytest.fixture(scope="module")
def envs():
    return {name: make(name) for name in [None, *DIALECTS]}


eighths = st.tuples(st.integers(0, 7), st.integers(0, 7)).map(
    lambda pair: (min(pair) / 8, (max(pair) + 1) / 8)
)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(index=st.integers(0, 4), x=eighths, y=eighths, further=st.tuples(eighths, eighths))
def test_the_same_region_gives_the_same_pixels(envs, index, x, y, further):
    (x3, x4), (y3, y4) = further
    zooms = [zoom_in([x[0], y[0], x[1], y[1]]), zoom_in([x3, y3, x4, y4], target_image=2)]
    plain = envs[None]
    plain.reset(options={"index": index})
    expected = [plain.step(zoom) for zoom in zooms]
    for name in DIALECTS:
        env = envs[name]
        env.reset(options={"index": index})
        for zoom, (observation, *_, info) in zip(zooms, expected, strict=True):
            zoomed, *_, read = env.step(env.dialect.render(zoom, env.shown))
            assert np.array_equal(zoomed["images"][0], observation["images"][0]), name
            for key in ("executed_box", "requested_box", "views_added"):
                assert read[key] == info[key], name


@pytest.mark.parametrize("name", WITH_FRAMES)
def test_the_same_frames_give_the_same_pixels(name):
    small = {"overview_px": (64 * 64, 64 * 64)}
    plain, env = (make(each, ClipTask(), **small) for each in (None, name))
    for each in (plain, env):
        each.reset(options={"index": 0})
    expected = plain.step(select_frames([3, 7]))[0]
    selected, *_, info = env.step(env.dialect.render(select_frames([3, 7]), env.shown))
    assert len(selected["images"]) == 2
    for one, other in zip(selected["images"], expected["images"], strict=True):
        assert np.array_equal(one, other)
    assert info["frames"] == (3, 7)
    first = "Images 16 and 17 are frames 2 and 6."
    later = "Images 17 and 18 are frames 3 and 7."
    assert selected["feedback"] == (first if name.startswith("qwen") else later)
    assert [place.source for place in env.shown.places[-2:]] == [3, 7]


NEWS = {  # [0.25, 0.5, 0.75, 1] of a 320 x 256 view, then [0, 0, 0.5, 0.5] of what that gave
    "pixel-reasoner": """Image 2 is the region [0.25, 0.5, 0.75, 1] of image 1.
Image 3 is the region [0, 0, 0.5, 0.5] of image 2.""",
    "pixel-reasoner-pixels": """Image 2 is the region [80, 128, 240, 256] of image 1.
Image 3 is the region [0, 0, 128, 128] of image 2.""",
    "deepeyes": """This is the region [80, 128, 240, 256] of the original image.
This is the region [80, 128, 160, 192] of the original image.""",
    "mini-o3": """observation_1 is the region [0.25, 0.5, 0.75, 1] of original_image.
observation_2 is the region [0, 0, 0.5, 0.5] of observation_1.""",
    "qwen3-vl": """Image 1 is the region [250, 500, 750, 1000] of image 0.
Image 2 is the region [0, 0, 500, 500] of image 1.""",
}
NEWS |= {"qwen-xml": NEWS["qwen3-vl"], "openai": NEWS["pixel-reasoner"]}


@every
def test_news_come_in_the_dialects_terms(name):
    env = make(name, crop_px=(256 * 256, 256 * 256))
    env.reset(options={"index": 0})
    zooms = (zoom_in([0.25, 0.5, 0.75, 1]), zoom_in([0, 0, 0.5, 0.5], 2))
    feedback = [env.step(env.dialect.render(zoom, env.shown))[0]["feedback"] for zoom in zooms]
    assert feedback == NEWS[name].splitlines()


@every
def test_padding_and_the_end_of_turns_are_in_feedback_too(name):
    env = make(name, max_turns=1, padding=0.25)
    env.reset(options={"index": 0})
    feedback = env.step(env.dialect.render(zoom_in([0.5, 0.5, 0.75, 0.75]), env.shown))[0][
        "feedback"
    ]
    box = {"fractions": "[0.25, 0.25, 1, 1]", "thousandths": "[250, 250, 1000, 1000]"}
    assert box.get(env.dialect.coordinate_frame, "[80, 64, 320, 256]") in feedback
    assert feedback.endswith(". No turns are left.")


WRITTEN = {  # a zoom that reaches just over the right edge of the 320 x 256 overview
    "pixel-reasoner": ("fractions", (0.5, 0.5, 1.001, 1.0)),
    "openai": ("fractions", (0.5, 0.5, 1.001, 1.0)),
    "mini-o3": ("fractions", (0.5, 0.5, 1.001, 1.0)),
    "pixel-reasoner-pixels": ("pixels", (160, 128, 321, 256)),
    "deepeyes": ("pixels", (160, 128, 321, 256)),
    "qwen3-vl": ("thousandths", (500, 500, 1001, 1000)),
    "qwen-xml": ("thousandths", (500, 500, 1001, 1000)),
}


@every
def test_infos_hold_frame_written_box_executed_box_and_clamping(name):
    frame, written = WRITTEN[name]
    env = make(name)
    env.reset(options={"index": 0})
    exact = env.dialect.render(zoom_in([0.5, 0.5, 1, 1]), env.shown)
    *_, info = env.step(exact)
    assert (info["coordinate_frame"], info["clamped"]) == (frame, False)
    ends = {"fractions": ("1, 1]", "1.001, 1]"), "thousandths": ("1000, 1000]", "1001, 1000]")}
    old, new = ends.get(frame, ("320, 256]", "321, 256]"))
    observation, *_, info = env.step(exact.replace(old, new))
    assert info["coordinate_frame"] == frame
    assert info["written_box"] == written
    assert info["clamped"]
    assert info["executed_box"] == info["requested_box"] == (0.5, 0.5, 1, 1)
    assert observation["feedback"].endswith(", clamped to it.")
    assert "written_box" not in env.step("hm <tool_call>")[-1]


@every
def test_a_region_too_small_is_refused_without_pixels_of_another_picture(name):
    env = make(name, min_crop_side_px=200)
    env.reset(options={"index": 0})
    observation, *_, info = env.step(env.dialect.render(zoom_in([0, 0, 0.125, 0.125]), env.shown))
    assert info["operation_error"] == "too_small"
    if name == "pixel-reasoner":
        assert "125 x 100 pixels" in observation["feedback"]
    else:
        assert observation["feedback"].startswith("The region is too small to be shown")


@every
def test_a_selection_without_a_clip_is_refused_in_one_sentence(name):
    if name not in WITH_FRAMES:
        return
    env = make(name)
    env.reset(options={"index": 0})
    observation, *_, info = env.step(env.dialect.render(select_frames([1]), env.shown))
    assert info["operation_error"] == "bad_frames"
    assert observation["feedback"].startswith("There is no clip")


@pytest.fixture(scope="module")
def talks():
    small = {"overview_px": (64 * 64, 64 * 64), "crop_px": (64 * 64, 64 * 64)}
    talks = [make(name, max_turns=1000, max_views=1000, **small) for name in DIALECTS]
    for talk in talks:
        talk.reset(seed=0)
    return talks


def check_step(env, message):
    observation, _, terminated, truncated, info = env.step(message)
    assert env.observation_space.contains(observation)
    assert "\n" not in observation["feedback"]
    assert len(observation["feedback"]) < 300
    observation["feedback"].encode("utf-8")
    info.get("answer", "").encode("utf-8")
    if terminated or truncated:
        env.reset()
    return info


words = st.text(max_size=30) | st.text(
    alphabet=st.sampled_from('<>/{}[]":,\\ 019.eN-functiopaermwxb_2d=')
)


@settings(max_examples=40, deadline=None)
@given(text=words, start=st.integers(0, 250), raw=st.binary(max_size=20))
def test_noise_and_half_calls_are_a_step(talks, text, start, raw):
    for env in talks:
        call = ZOOMS[env.dialect.name]
        tag = "grounding" if "<grounding>" in call else "tool_call"
        wrapped = f"<{tag}>{text}</{tag}>"
        xml = f"<tool_call><function={text}></function></tool_call>"
        parameter = f"<tool_call><function=zoom_in><parameter={text}</function></tool_call>"
        for message in (text, raw, wrapped, xml, parameter, '{"tool_calls": ' + text):
            check_step(env, message)
        for message in (
            call[start:] + text,
            call[:start] + text,
            call[:start] + text + call[start:],
        ):
            check_step(env, message)


numbers = (
    st.floats() | st.integers(-(10**30), 10**30) | st.sampled_from(["9" * 400, "1e999", "NaN"])
)


@settings(max_examples=40, deadline=None)
@given(box=st.lists(numbers, max_size=6), image=numbers)
def test_any_numbers_are_a_step(talks, box, image):
    listed = "[" + ", ".join(map(str, box)) + "]"
    for env in talks:
        call = ZOOMS[env.dialect.name]
        start = call.index("[", call.index("bbox_2d"))
        call = call[:start] + listed + call[call.index("]", start) + 1 :]
        check_step(env, call)
        for old in (": 2}", ": 1}", "img_idx>1<", '"observation_1"'):
            check_step(env, call.replace(old, old[0] + f" {image}" + old[-1]))


@every
@pytest.mark.parametrize(
    "piece",
    ["<tool_call>", "a", "{" * 10, "[", "<grounding>", "<function=a>", "\ud800", '{"tool_calls": '],
)
def test_ten_megabytes_are_refused_in_a_moment(talks, name, piece):
    env = next(talk for talk in talks if talk.dialect.name == name)
    started = time.process_time()
    assert check_step(env, piece * (10_000_000 // len(piece)))["operation_error"] == "malformed"
    assert time.process_time() - started < 3


@every
@pytest.mark.parametrize(
    "body",
    [
        "[" * 900_000,
        '{"tool_calls":' * 60_000,
        "<parameter=a>" * 700,
        " " * 999_000,
        "</think>" * 9_000,
    ],
)
def test_long_nesting_is_refused_in_a_moment(talks, name, body):
    env = next(talk for talk in talks if talk.dialect.name == name)
    started = time.process_time()
    for message in (
        body,
        f"<tool_call>{body}</tool_call>",
        f"<grounding>{body}</grounding>",
        f"<tool_call><function=zoom_in>{body}</function></tool_call>",
        '{"content": null, "tool_calls": ' + body,
        '{"tool_calls": [{"function": {"name": "zoom_in", "arguments": "' + body + '"}}]}',
    ):
        check_step(env, message)
    assert time.process_time() - started < 3


def test_every_dialect_is_stateless():
    for name in DIALECTS:
        assert vars(get_dialect(name)).keys() <= {"frame"}
