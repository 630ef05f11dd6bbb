"""A zoom that gains something is reported at the end, from boxes no policy knows."""

import gymnasium as gym
import pytest

from pixel_env import ConfigError, answer, zoom_in
from pixel_env.vector import PixelReasoningVectorEnv
from pixel_env.wrappers import CuriosityReward, EvidenceSeen, GroupCuriosity

ID = "PixelReason-SyntheticSearch-v0"
WHOLE = (0.0, 0.0, 1.0, 1.0)


def play(env, *actions, index=0):
    """Plays an episode and returns the infos of all its steps."""
    env.reset(options={"index": index})
    box = env.unwrapped.sample.evidence[0].box
    given = [zoom_in(box) if each == "target" else each for each in (*actions, answer(""))]
    return [env.step(each)[-1] for each in given]


@pytest.fixture
def env():
    return EvidenceSeen(gym.make(ID))


def test_a_zoom_on_the_target_is_reported_at_the_end_and_not_before(env):
    first, last = play(env, "target")
    assert "evidence_seen" not in first
    assert last["evidence_seen"] == 1


@pytest.mark.parametrize("actions", [(), (zoom_in(WHOLE),), (zoom_in([0, 0, 9, 9]),)])
def test_no_zoom_the_whole_picture_and_a_refused_call_gain_nothing(env, actions):
    assert play(env, *actions)[-1]["evidence_seen"] == 0


def test_a_zoom_on_everything_counts_where_no_gain_is_asked_for():
    env = EvidenceSeen(gym.make(ID), least_gain=1.0)
    assert play(env, zoom_in(WHOLE))[-1]["evidence_seen"] == 1


def test_a_zoom_that_misses_gains_nothing(env):
    env.reset(options={"index": 0})
    x1, y1, *_ = env.unwrapped.sample.evidence[0].box
    away = (0.6, 0.6, 0.9, 0.9) if x1 < 0.5 and y1 < 0.5 else (0.0, 0.0, 0.2, 0.2)
    assert play(env, zoom_in(away))[-1]["evidence_seen"] == 0


def test_one_environment_is_paid_for_what_a_zoom_gained():
    env = CuriosityReward(EvidenceSeen(gym.make(ID)), counts="evidence", threshold=1.0)
    play(env)
    assert play(env, zoom_in(WHOLE))[-1]["curiosity_bonus"] == 0.0
    assert play(env, "target")[-1]["curiosity_bonus"] == pytest.approx(0.5 * (1 - 1 / 3))


def test_a_group_is_paid_for_zooms_that_gained_something():
    lanes = PixelReasoningVectorEnv.from_id(
        ID, 8, wrappers=[EvidenceSeen], autoreset_mode="Disabled"
    )
    envs = GroupCuriosity(lanes, 8, counts="evidence")
    envs.reset(options={"index": [5] * 8})
    target = lanes.envs[0].unwrapped.sample.evidence[0].box
    envs.step([zoom_in(target), zoom_in(WHOLE), *[answer("")] * 6])
    *_, infos = envs.step([answer(""), answer(""), *[None] * 6])
    assert infos["rapr"].tolist() == [1 / 8] * 8
    assert infos["curiosity_bonus"] == pytest.approx([0.0875, *[0.0] * 7])


def test_a_gain_below_nothing_is_refused(env):
    with pytest.raises(ConfigError, match="least_gain"):
        EvidenceSeen(env, least_gain=-1)
