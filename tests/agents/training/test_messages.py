"""Messages between processes come back as they were, and nothing in them is run."""

import json
import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pixel_env import ConfigError, DataError
from pixel_env.agents.evaluation.results import EpisodeResult
from pixel_env.agents.on_policy.losses import LossSums
from pixel_env.agents.tokens.trajectory import EncodedImage, TokenTrajectory, Turn
from pixel_env.agents.training.messages import packed, unpacked


@pytest.mark.parametrize(
    "value",
    [
        None,
        [1, 2.5, float("inf"), "\ud800 text", True, None],
        {"a": (1, (2,)), 3: [{"b": {}}], "$": "tuple", (1, 2): "x"},
        {"path": Path("runs/mine")},
        LossSums(loss=0.1, n_tokens=3),
        [
            EpisodeResult(
                *(1, "a", "", None, None, 0.5, False, 1, 1, 0, 2, True, "broken"), error=-1.5
            )
        ],
    ],
)
def test_values_come_back_as_they_were(value):
    again = unpacked(packed(value))
    assert again == value
    assert type(again) is type(value)


def test_arrays_keep_dtype_and_shape_and_can_be_written_to():
    for array in (
        np.arange(6, dtype=np.int64).reshape(2, 3)[:, ::2],
        np.zeros((0, 3), np.float32),
        np.array(True),
        np.array([1, 2], ">i2"),
    ):
        again = unpacked(packed([array]))[0]
        np.testing.assert_array_equal(again, array)
        assert (again.dtype, again.shape) == (array.dtype, array.shape)
        again[...] = 0
    assert unpacked(packed(np.float32(0.5))) == 0.5


def test_a_picture_that_trajectories_share_is_shared_again():
    image = EncodedImage(np.ones((16, 400), np.float32), (1, 4, 4))
    ids = np.arange(5)
    one = TokenTrajectory(ids, ids > 2, ids * 0.5, (image,), (0,), (Turn("user", 0, 5),))
    made = [one, replace(one, info={"n": 1})]
    message = packed(dict(enumerate(made)))
    first, second = unpacked(message).values()
    assert first.images[0] is second.images[0]
    assert first.turns == made[0].turns
    np.testing.assert_array_equal(first.trainable, made[0].trainable)
    assert len(message) < 1.5 * len(packed(made[0]))


def test_what_is_no_value_of_ours_is_not_sent():
    for value in ({1, 2}, object(), np.array(["x"]), np.array([object()])):
        with pytest.raises(ConfigError, match="can't be sent"):
            packed([value])


def crafted(root, objects=(), arrays=()):
    text = json.dumps({"root": root, "objects": objects, "arrays": arrays}).encode()
    return len(text).to_bytes(8, "little") + text


@pytest.mark.parametrize(
    "message",
    [
        b"",
        pickle.dumps([1]),
        b"\xff" * 8 + b"[]",
        crafted({"$": "object", "of": 0}, [["os", "system", [["command", "true"]]]]),
        crafted({"$": "object", "of": 0}, [["pixel_env.errors", "DataError", []]]),
        crafted({"$": "object", "of": 0}, [["pixel_env.no_such_module", "X", []]]),
        crafted({"$": "object", "of": 7}),
        crafted({"$": "array", "of": 0}, (), [["|O", [1]]]),
        crafted({"$": "array", "of": 0}, (), [["<f8", [10**12]]]),
        crafted({"of": 0}),
    ],
)
def test_another_message_is_refused_and_runs_nothing(message):
    with pytest.raises(DataError, match="no readable message"):
        unpacked(message)
