"""The exact bonus of a group, paid when its last episode ends."""

import gymnasium as gym
import numpy as np
import pytest

from pixel_env import ConfigError, DataError, answer, zoom_in
from pixel_env.wrappers import GroupCuriosity, TextAction

BOX = [0.25, 0.25, 0.75, 0.75]
GOOD, BAD, END = zoom_in(BOX), zoom_in([2, 2, 3, 3]), answer("B")


def start(envs, *indices):
    """Resets group g to sample `indices[g]`."""
    return envs.reset(options={"index": np.repeat(indices, envs.group_size)})


def check_terms(rewards, infos):
    terms = infos["reward_terms"]
    summed = sum(values for name, values in terms.items() if not name.startswith("_"))
    assert np.allclose(summed, rewards)


@pytest.mark.parametrize(
    ("group_size", "n_users", "bonus"),
    [(8, 0, 0.0), (8, 1, 0.0875), (8, 2, 0.025), (8, 3, 0.0), (16, 2, 0.0875), (4, 1, 0.025)],
)
def test_the_papers_table_holds_on_whole_episodes(make_vector, group_size, n_users, bonus):
    envs = GroupCuriosity(make_vector(group_size), group_size)
    start(envs, 0)
    zooms = [lane < n_users for lane in range(group_size)]
    _, rewards, terminated, _, infos = envs.step([GOOD if zoom else END for zoom in zooms])
    check_terms(rewards, infos)
    assert rewards.tolist() == [0.0 if zoom else 1.0 for zoom in zooms] or n_users == 0
    if n_users:
        assert terminated.tolist() == [not zoom for zoom in zooms]
        _, rewards, terminated, _, infos = envs.step([END if zoom else None for zoom in zooms])
        check_terms(rewards, infos)
    assert terminated.tolist() == [zoom or not n_users for zoom in zooms]
    expected = [bonus if zoom else 0.0 for zoom in zooms]
    assert infos["curiosity_bonus"] == pytest.approx(expected)
    assert infos["rapr"].tolist() == [n_users / group_size] * group_size


def test_lanes_that_ended_earlier_are_paid_with_the_last_one(make_vector):
    envs = GroupCuriosity(make_vector(4), 4, counts="executed", threshold=1.0)
    start(envs, 0)
    paid = []
    plans = [[GOOD, END], [END], [GOOD, GOOD, GOOD, END], [BAD, BAD, END]]
    for turn in range(4):
        actions = [plan[turn] if turn < len(plan) else None for plan in plans]
        _, rewards, _, _, infos = envs.step(actions)
        check_terms(rewards, infos)
        paid.append(rewards)
    total = np.sum(paid, axis=0)
    assert total == pytest.approx([1.25, 1.0, 1.25 - 0.1, 1.0 - 0.05])
    assert paid[3] == pytest.approx([0.25, 0.0, 1.15, -0.05])
    assert infos["operation_penalty"] == pytest.approx([0, 0, -0.1, -0.05])
    assert infos["_rapr"].all()


def test_a_group_is_paid_once(make_vector):
    envs = GroupCuriosity(make_vector(4), 2, threshold=1.0)
    start(envs, 0, 1)
    envs.step([GOOD, END, GOOD, GOOD])
    _, rewards, _, _, infos = envs.step([END, None, GOOD, GOOD])
    assert infos["_rapr"].tolist() == [True, True, False, False]
    assert rewards == pytest.approx([1.25, 0, 0, 0])
    _, rewards, _, _, infos = envs.step([None, None, END, END])
    assert infos["_rapr"].tolist() == [False, False, True, True]
    assert rewards == pytest.approx([0, 0, 0.95, 0.95])
    _, rewards, _, _, infos = envs.step([None] * 4)
    assert not infos["_rapr"].any()
    assert rewards.tolist() == [0] * 4
    check_terms(rewards, infos)


def test_groups_are_reset_and_paid_apart(make_vector):
    envs = GroupCuriosity(make_vector(4), 2, threshold=1.0)
    start(envs, 0, 1)
    envs.step([END, END, GOOD, END])
    envs.reset(options={"reset_mask": np.array([True, True, False, False]), "index": [2, 2, 0, 0]})
    _, rewards, _, _, infos = envs.step([GOOD, GOOD, END, None])
    assert infos["rapr"].tolist() == [0, 0, 0.5, 0.5]
    assert rewards == pytest.approx([0, 0, 1.25, 0])
    _, rewards, _, _, infos = envs.step([END, END, None, None])
    assert infos["rapr"].tolist() == [1, 1, 0, 0]
    assert rewards == pytest.approx([1, 1, 0, 0])


def test_refused_calls_count_only_where_set(make_vector):
    for counts, rate in (("executed", 0.0), ("calls", 0.5)):
        envs = GroupCuriosity(make_vector(2), 2, counts=counts)
        start(envs, 0)
        envs.step([BAD, END])
        assert envs.step([END, None])[-1]["rapr"].tolist() == [rate, rate]


def test_the_released_preset_knows_clips(make_vector):
    envs = GroupCuriosity(make_vector(16), 8, preset="released")
    start(envs, 0, 4)
    envs.step([GOOD] + [END] * 7 + [GOOD] + [END] * 7)
    bonus = envs.step([END, *[None] * 7] * 2)[-1]["curiosity_bonus"]
    assert (bonus[0], bonus[8]) == pytest.approx((0.175, 0.7 / 3))
    assert bonus.sum() == pytest.approx(0.175 + 0.7 / 3)


def test_a_rollout_with_a_fault_of_the_data_is_left_out(make_vector, monkeypatch):
    envs = GroupCuriosity(make_vector(4), 4, counts="executed", threshold=1.0)
    start(envs, 0)
    envs.step([GOOD, GOOD, END, END])
    with monkeypatch.context() as patched:

        def broken(*_):
            raise DataError("the file is cut off")

        patched.setattr("pixel_env.operations.zoom_in.ZoomIn.execute", broken)
        _, rewards, _, _, infos = envs.step([GOOD, END, None, None])
    assert infos["_env_error"].tolist() == [True, False, False, False]
    assert infos["rapr"] == pytest.approx([1 / 3] * 4)
    assert infos["curiosity_bonus"] == pytest.approx([0, 1 / 3, 0, 0])
    assert rewards[0] == 0
    start(envs, 0)
    envs.step([GOOD, END, END, END])
    assert envs.step([END, None, None, None])[-1]["rapr"].tolist() == [0.25] * 4


def test_a_group_of_faults_only_is_paid_nothing(make_vector, monkeypatch):
    envs = GroupCuriosity(make_vector(2), 2)
    start(envs, 0)

    def broken(*_):
        raise DataError("the file is cut off")

    monkeypatch.setattr("pixel_env.operations.zoom_in.ZoomIn.execute", broken)
    _, rewards, _, truncated, infos = envs.step([GOOD, GOOD])
    assert truncated.all()
    assert (rewards.tolist(), infos["rapr"].tolist()) == ([0, 0], [0, 0])


def test_lanes_of_one_group_on_two_samples_are_refused(make_vector):
    envs = GroupCuriosity(make_vector(4), 2)
    with pytest.raises(ConfigError, match=r"lanes 2 to 3.*tiny-1, tiny-2"):
        envs.reset(options={"index": [0, 0, 1, 2]})


def test_part_of_a_group_can_not_be_reset(make_vector):
    envs = GroupCuriosity(make_vector(4), 2)
    start(envs, 0, 1)
    with pytest.raises(ConfigError, match="whole groups"):
        envs.reset(options={"reset_mask": np.array([True, False, False, False]), "index": [0] * 4})


@pytest.mark.parametrize(
    "wrong",
    [{"group_size": 3}, {"group_size": 0}, {"counts": "some"}, {"preset": "x"}, {"threshold": 2.0}],
)
def test_wrong_settings_are_refused(make_vector, wrong):
    with pytest.raises(ConfigError):
        GroupCuriosity(make_vector(4), **({"group_size": 2} | wrong))


def test_an_environment_that_resets_itself_is_refused(make_env):
    with pytest.raises(ConfigError, match="lanes that reset themselves"):
        GroupCuriosity(gym.vector.SyncVectorEnv([make_env, make_env]), 2)


def test_lanes_may_take_text(make_vector):
    envs = GroupCuriosity(make_vector(2, wrapper=TextAction), 2, threshold=1.0)
    start(envs, 0)
    call = '<tool_call>{"name": "zoom_in", "arguments": {"bbox_2d": [0, 0, 1, 1]}}</tool_call>'
    _, _, _, _, infos = envs.step([call, r"\boxed{B}"])
    assert infos["message"][0] == call
    assert envs.step([r"\boxed{B}", None])[1] == pytest.approx([1.25, 0])
