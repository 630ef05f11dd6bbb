"""Nothing that a policy gets before the end leads to the answer."""

import gc
import types

import gymnasium as gym
import numpy as np
import pytest

from pixel_env import PixelReasoningEnv, Sample, Task, View, answer, zoom_in
from pixel_env.types import Evidence
from pixel_env.vector import PixelReasoningVectorEnv
from pixel_env.wrappers import BeliefGain

SKIPPED = (type, types.ModuleType, types.FunctionType, types.BuiltinFunctionType)
"""What every object leads to, and through it to the whole program."""


def reachable(*roots):
    """Yields every object that the roots lead to."""
    seen, waiting = set(), list(roots)
    while waiting:
        value = waiting.pop()
        if id(value) in seen or isinstance(value, SKIPPED):
            continue
        seen.add(id(value))
        yield value
        waiting += gc.get_referents(value)
        waiting += list(getattr(value, "__dict__", {}).values())


def check_nothing_leaks(returned, sample):
    objects = list(reachable(returned))
    assert len(objects) > 10
    for value in objects:
        assert not isinstance(value, Sample | Task | View | Evidence)
        if isinstance(value, str):
            assert value in sample.choices or not any(gold in value for gold in sample.answers)
        if isinstance(value, tuple):
            assert repr(value) != repr(sample.evidence[0].box)


def play(env):
    """Yields everything that an episode returns before its end."""
    yield env.reset(seed=3)
    yield env.step(zoom_in([0.1, 0.1, 0.5, 0.5]))
    yield env.step(zoom_in([5, 5, 5, 5]))
    yield env.step(None)


def test_the_environment_leaks_nothing(picture_task):
    env = PixelReasoningEnv(picture_task)
    returned = list(play(env))
    check_nothing_leaks(returned, env.sample)
    for *_, info in returned:
        assert not {"answer", "grade"} & set(info)


def test_the_wrappers_of_make_leak_nothing(register):
    env = gym.make(register("Leaks", "tiny_tasks:PictureTask"))
    returned = list(play(env))
    check_nothing_leaks(returned, env.unwrapped.sample)
    env.close()


def test_lanes_whose_belief_is_asked_leak_nothing(picture_task):
    lanes = PixelReasoningVectorEnv(
        [lambda: PixelReasoningEnv(picture_task)] * 2, autoreset_mode="Disabled"
    )
    envs = BeliefGain(lanes, lambda moments: [0.0 for _ in moments])
    zoom, wrong = zoom_in([0.1, 0.1, 0.5, 0.5]), zoom_in([5, 5, 5, 5])
    returned = [envs.reset(seed=[3, 3]), envs.step([zoom, zoom]), envs.step([wrong, None])]
    check_nothing_leaks(plain(returned), lanes.envs[0].unwrapped.sample)
    for *_, infos in returned[1:]:
        assert not infos["_belief_gain"].any()
        assert not infos["belief_gain"].any()


def plain(values):
    """Replaces arrays of objects, which the walk doesn't enter, by lists."""
    if isinstance(values, dict):
        return {name: plain(each) for name, each in values.items()}
    if isinstance(values, list | tuple):
        return [plain(each) for each in values]
    return values.tolist() if isinstance(values, np.ndarray) and values.dtype == object else values


def test_the_walk_finds_a_leak(picture_task):
    sample = picture_task[0]
    observation, info = PixelReasoningEnv(picture_task).reset(options={"index": 0})
    for leak in (sample, [{"deep": sample.evidence}], f"it is {sample.answers[0]}"):
        with pytest.raises(AssertionError):
            check_nothing_leaks((observation, {**info, "extra": leak}), sample)


@pytest.mark.parametrize("order", ["seeded", "as_given"])
def test_the_end_tells_the_answer_given_and_its_grade(picture_task, order):
    env = PixelReasoningEnv(picture_task, option_order=order)
    env.reset(seed=0)
    *_, info = env.step(answer("A"))
    assert info["answer"] == "A"
    assert set(info["grade"]) == {"score", "correct", "parsed", "error"}
