"""Answering: any text up to a length."""

import pytest

from pixel_env import PixelReasoningEnv, answer, select_frames, zoom_in
from pixel_env.operations import OPERATIONS, operations
from pixel_env.operations.answer import MAX_ANSWER_CHARS


@pytest.fixture
def env(picture_task):
    env = PixelReasoningEnv(picture_task)
    env.reset(seed=0)
    return env


@pytest.mark.parametrize("text", ["B", "", "猫 \n", "x" * MAX_ANSWER_CHARS])
def test_any_text_is_taken(env, text):
    *_, terminated, _, info = env.step(answer(text))
    assert terminated
    assert info["answer"] == text


@pytest.mark.parametrize("text", [None, 3, b"B", ["B"], "x" * (MAX_ANSWER_CHARS + 1)])
def test_anything_else_is_refused_and_is_no_call(env, text):
    observation, _, terminated, _, info = env.step(answer(text))
    assert not terminated
    assert info["operation_error"] == "bad_arguments"
    assert "got" in observation["feedback"]
    assert (info["n_calls"], info["n_operation_errors"]) == (0, 0)


def test_operations_stand_at_the_place_of_their_code():
    assert [operation.name for operation in OPERATIONS] == ["answer", "zoom_in", "select_frames"]
    built = (answer("B"), zoom_in([0, 0, 1, 1]), select_frames([1]))
    assert [action["operation"] for action in built] == [0, 1, 2]
    assert [operations().of(action) for action in built] == list(OPERATIONS)
