"""An action by name, with its own fields alone, is the action that `act` builds."""

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import data_equivalence
from tiny_tasks import ClipTask, PictureTask

from pixel_env import PixelReasoningEnv, act
from pixel_env.controls.controls import add_controls
from pixel_env.recordings.wrapper import RecordTrajectories
from pixel_env.vector import PixelReasoningVectorEnv

SMALL = {"overview_px": (784, 4 * 784), "crop_px": (784, 4 * 784), "frame_px": (784, 4 * 784)}
BOX = [0.1, 0.2, 0.6, 0.7]
NAMED = {
    "zoom": {"operation": "zoom_in", "bbox": BOX},
    "zoom into a view": {"operation": "zoom_in", "bbox": tuple(BOX), "target_image": 1},
    "frames": {"operation": "select_frames", "frames": [2, 5]},
    "answer": {"operation": "answer", "text": "B"},
}


def made(task=PictureTask, **settings):
    env = PixelReasoningEnv(task(), **SMALL, **settings)
    env.reset(seed=0)
    return env


@pytest.mark.parametrize("task", [PictureTask, ClipTask])
@pytest.mark.parametrize("name", NAMED)
def test_a_named_action_is_the_built_one(name, task):
    named = NAMED[name]
    built = act(named["operation"], **{k: v for k, v in named.items() if k != "operation"})
    given = dict(named)
    steps = [made(task, render_mode="rgb_array") for _ in range(2)]
    one, other = (env.step(action) for env, action in zip(steps, (given, built), strict=True))
    assert data_equivalence(one, other, exact=True)
    assert np.array_equal(steps[0].render(), steps[1].render())
    assert given == named, "what a caller gave stays as it was"


@pytest.mark.parametrize("code", [1, np.int64(1)])
def test_a_code_needs_no_neutral_fields_either(code):
    *_, info = made().step({"operation": code, "bbox": np.array(BOX)})
    assert (info["operation"], info["target_image"]) == ("zoom_in", 1)


@pytest.mark.parametrize(
    ("action", "kind", "sentence"),
    [
        ({"operation": "zoom"}, "unknown_operation", 'must be one of 0 (answer), .* got "zoom"'),
        ({"operation": "zoom_in"}, "bad_arguments", "The action lacks its field 'bbox'"),
        ({"operation": "answer"}, "bad_arguments", "The action lacks its field 'text'"),
        ({"operation": "zoom_in", "bbox": [0, 0, 1]}, "bad_box", "bbox must be"),
        (
            {"operation": "zoom_in", "bbox": BOX, "target_imag": 2},
            "bad_arguments",
            'The fields of an action are operation, text, bbox, .*; got "target_imag"',
        ),
        ({"operation": "zoom_in", "bbox": BOX, "target_image": 9}, "bad_image", "must be 1, got 9"),
    ],
)
def test_a_wrong_one_spends_its_turn_and_says_why(action, kind, sentence):
    observation, *_, info = made().step(action)
    assert info["operation_error"] == kind
    assert observation["turn"] == 1
    assert sentence.partition(" .*")[0] in observation["feedback"]
    assert sentence.rpartition(".*")[2].strip() in observation["feedback"]


@pytest.mark.parametrize("frames", [5, [[1]], [1, 99], ["a"], None, {"a": 1}])
def test_frames_that_are_none_are_refused_in_words(frames):
    *_, info = made(ClipTask).step({"operation": "select_frames", "frames": frames})
    assert info["operation_error"] == "bad_frames"


def test_lanes_take_them():
    lanes = PixelReasoningVectorEnv([lambda: PixelReasoningEnv(PictureTask(), **SMALL)] * 2)
    lanes.reset(seed=0)
    *_, infos = lanes.step([NAMED["zoom"], NAMED["answer"]])
    assert infos["operation"].tolist() == ["zoom_in", "answer"]


@pytest.mark.parametrize("control", ["no-operations", "blank-views", "random-crop", "aimed-crop"])
def test_controls_see_the_same_action(control):
    steps = []
    for action in (NAMED["zoom"], act("zoom_in", bbox=BOX)):
        env = add_controls(PixelReasoningEnv(PictureTask(), **SMALL), [control])
        env.reset(seed=0)
        steps.append(env.step(dict(action)))
    assert data_equivalence(*steps, exact=True)
    assert "control" in steps[0][-1]


def test_make_and_recordings_take_them(tmp_path):
    env = RecordTrajectories(gym.make("PixelReason-SyntheticSearch-v0"), tmp_path)
    env.reset(seed=0)
    env.step({"operation": "zoom_in", "bbox": BOX})
    assert env.step({"operation": "answer", "text": "A"})[2]
    line = (tmp_path / "trajectories.jsonl").read_text(encoding="utf-8")
    assert '"bbox": [0.1, 0.2, 0.6, 0.7]' in line
