"""Scripts are carried out whatever is written: operations, turns and rewards of a group differ."""

import numpy as np
import pytest

from pixel_env.agents.bench.scripted_lanes import ScriptedLanes
from pixel_env.errors import ConfigError
from pixel_env.vector import PixelReasoningVectorEnv
from pixel_env.wrappers import GroupCuriosity, TextAction

NOISE = ["noise"] * 4


def scripted(dialect="pixel-reasoner", most_zooms=2):
    lanes = PixelReasoningVectorEnv.from_id(
        "PixelReason-SyntheticSearch-v0",
        4,
        wrappers=[lambda env: TextAction(env, dialect)],
        autoreset_mode="Disabled",
    )
    return ScriptedLanes(GroupCuriosity(lanes, 4), group_size=4, most_zooms=most_zooms)


@pytest.mark.parametrize("dialect", ["pixel-reasoner", "qwen3-vl", "deepeyes"])
def test_a_group_looks_and_answers_by_its_script(dialect):
    envs = scripted(dialect)
    envs.reset(options={"index": [7] * 4})
    *_, ended, _, infos = envs.step(NOISE)
    assert ended.tolist() == [False] * 4
    assert infos["operation"].tolist() == ["zoom_in"] * 4
    *_, ended, _, infos = envs.step(NOISE)
    assert ended.tolist() == [True, False, True, False], "the first and third zoom once"
    *_, ended, _, infos = envs.step([None, "noise", None, "noise"])
    assert ended.tolist() == [False, True, False, True]
    assert infos["rapr"].tolist() == [1.0] * 4


def test_the_first_half_of_a_group_is_right_and_the_second_wrong():
    envs = scripted(most_zooms=1)
    envs.reset(options={"index": [3] * 4})
    envs.step(NOISE)
    *_, infos = envs.step(NOISE)
    assert infos["reward_terms"]["score"].tolist() == [1.0, 1.0, 0.0, 0.0]


def test_a_masked_reset_begins_the_scripts_of_its_lanes_alone():
    envs = scripted(most_zooms=1)
    envs.reset(options={"index": [3] * 4})
    for _ in range(2):
        envs.step(NOISE)
    envs.reset(options={"index": [4] * 4, "reset_mask": np.ones(4, np.bool_)})
    *_, ended, _, infos = envs.step(NOISE)
    assert not ended.any()
    assert infos["operation"].tolist() == ["zoom_in"] * 4


@pytest.mark.parametrize(("group_size", "most_zooms"), [(1, 2), (4, 0)])
def test_numbers_that_are_too_small_are_refused(group_size, most_zooms):
    with pytest.raises(ConfigError, match="group_size >= 2 and most_zooms >= 1"):
        ScriptedLanes(scripted().env, group_size, most_zooms)
