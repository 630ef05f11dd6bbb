"""Whatever comes in as an action, `step` tells what was wrong and raises nothing."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from tiny_tasks import ClipTask, PictureTask

from pixel_env import OperationError, PixelReasoningEnv, answer, select_frames, zoom_in

junk = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.complex_numbers()
    | st.text(max_size=20)
    | st.binary(max_size=20)
    | hnp.arrays(
        hnp.scalar_dtypes(), hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=5)
    )
    | hnp.from_dtype(np.dtype("m8[s]"))
    | st.just(np.zeros(10**6))
    | st.just(10**400)
    | st.just(object()),
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)
number = st.floats(-0.5, 1.5) | st.sampled_from([0, 1, 0.25, 0.5, 0.75, -1e-4, 1.0005])
near = st.fixed_dictionaries(
    {},
    optional={
        "operation": st.integers(-1, 3)
        | st.sampled_from(["answer", "zoom_in", "select_frames", "zoom"])
        | junk,
        "text": st.text(max_size=5) | junk,
        "bbox": st.lists(number, min_size=4, max_size=4) | junk,
        "target_image": st.integers(-1, 6) | junk,
        "frames": st.lists(st.integers(0, 1), max_size=16) | st.sets(st.integers(-1, 18)) | junk,
    },
)


def check_step(env, action):
    observation, reward, terminated, truncated, info = env.step(action)
    assert observation in env.observation_space
    assert len(observation["feedback"]) < 300
    assert "\n" not in observation["feedback"]
    assert reward == sum(info["reward_terms"].values())
    assert terminated == ("answer" in info)
    assert info["n_calls"] == info["n_operations"] + info["n_operation_errors"]
    assert "env_error" not in info
    if "operation_error" in info:
        assert observation["images"] == ()
        assert not terminated
    if terminated or truncated:
        env.reset()


@pytest.fixture(scope="module")
def envs():
    tasks = (PictureTask(width=120, height=90), ClipTask(n_frames=5))
    small = {"overview_px": (784, 4 * 784), "crop_px": (784, 4 * 784), "frame_px": (784, 4 * 784)}
    envs = [
        PixelReasoningEnv(task, max_turns=50, render_mode="rgb_array", **small) for task in tasks
    ]
    for env in envs:
        env.reset(seed=0)
    return envs


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(action=junk | near)
def test_nothing_raises(envs, action):
    for env in envs:
        check_step(env, action)


@settings(max_examples=100, deadline=None)
@given(box=junk | st.lists(number, min_size=4, max_size=4), target=st.integers())
def test_a_built_zoom_never_raises(envs, box, target):
    for env in envs:
        check_step(env, zoom_in(box, target))


@settings(max_examples=100, deadline=None)
@given(frames=st.lists(st.integers(), max_size=20))
def test_a_built_selection_never_raises(envs, frames):
    for env in envs:
        check_step(env, select_frames(frames))


@settings(max_examples=100, deadline=None)
@given(text=st.text() | st.just("\ud800") | st.just("x" * 10**6))
def test_a_built_answer_never_raises(envs, text):
    for env in envs:
        check_step(env, answer(text))


@pytest.mark.parametrize("field", ["operation", "text", "bbox", "target_image", "frames"])
@pytest.mark.parametrize("operation", [0, 1, 2, "zoom_in", "select_frames"])
def test_a_number_too_long_to_be_written_is_refused(envs, field, operation):
    huge = 10**5000  # Python refuses to write it out
    for value in (huge, -huge, [huge], [huge] * 4, {huge}, np.array([huge] * 4)):
        for env in envs:
            check_step(env, {**zoom_in([0, 0, 1, 1]), "operation": operation, field: value})


@pytest.mark.parametrize(
    ("kind", "counts"), [("malformed", 1), ("several_calls", 1), ("bad_box", 1), ("no_answer", 0)]
)
def test_a_text_that_could_not_be_read_costs_its_turn(picture_task, kind, counts):
    env = PixelReasoningEnv(picture_task)
    env.reset(seed=0)
    observation, *_, info = env.step(OperationError(kind, "Write one call."))
    assert observation["feedback"] == "Write one call."
    assert observation["turn"] == 1
    assert info["operation_error"] == kind
    assert "operation" not in info
    assert (info["n_calls"], info["n_operations"], info["n_operation_errors"]) == (
        counts,
        0,
        counts,
    )
