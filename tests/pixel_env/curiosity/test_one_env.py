"""The bonus from the rate of earlier rollouts, on one environment."""

import pickle
from concurrent.futures import ThreadPoolExecutor

import pytest

from pixel_env import ConfigError, DataError, answer, zoom_in
from pixel_env.errors import OperationError
from pixel_env.wrappers import CuriosityReward, RateTracker, TextAction

BOX = [0.25, 0.25, 0.75, 0.75]
GOOD, BAD = zoom_in(BOX), zoom_in([2, 2, 3, 3])


def play(env, *calls, index=0, text="B"):
    """Plays an episode of calls and an answer; returns the last reward and info."""
    env.reset(options={"index": index})
    for call in calls:
        _, reward, _, _, info = env.step(call)
        assert reward == 0
        assert info["reward_terms"] == {"score": 0.0, "curiosity": 0.0, "operations": 0.0}
    _, reward, _, _, info = env.step(answer(text))
    assert reward == pytest.approx(sum(info["reward_terms"].values()))
    return reward, info


def test_after_seven_without_a_call_the_eighth_is_paid_as_in_a_group_of_eight(make_env):
    env = CuriosityReward(make_env())
    for _ in range(7):
        assert play(env)[0] == 1.0
    reward, info = play(env, GOOD)
    assert reward == pytest.approx(1.0875)
    assert info["rapr"] == 1 / 8
    assert info["curiosity_bonus"] == pytest.approx(0.0875)
    assert info["reward_terms"]["curiosity"] == info["curiosity_bonus"]


def test_the_first_rollout_of_a_sample_earns_nothing_for_a_call(make_env):
    env = CuriosityReward(make_env())
    reward, info = play(env, GOOD)
    assert (reward, info["rapr"], info["curiosity_bonus"]) == (1.0, 1.0, 0.0)


def test_the_window_slides(make_env):
    env = CuriosityReward(make_env(), RateTracker(window=4))
    rates = [play(env, *calls)[1]["rapr"] for calls in ([GOOD], [], [], [], [], [GOOD])]
    assert rates == [1.0, 1 / 2, 1 / 3, 1 / 4, 0.0, 1 / 4]


def test_samples_have_rates_of_their_own_unless_set_otherwise(make_env):
    env = CuriosityReward(make_env())
    play(env, index=0)
    assert play(env, GOOD, index=1)[1]["rapr"] == 1.0
    env = CuriosityReward(make_env(), per="all")
    play(env, index=0)
    assert play(env, GOOD, index=1)[1]["rapr"] == 0.5


def test_a_tracker_is_shared(make_env):
    tracker = RateTracker()
    one, other = (CuriosityReward(make_env(), tracker) for _ in range(2))
    play(one)
    assert play(other, GOOD)[1]["rapr"] == 0.5


def test_each_operation_after_the_first_costs(make_env):
    env = CuriosityReward(make_env())
    reward, info = play(env, GOOD, GOOD, GOOD)
    assert reward == pytest.approx(0.9)
    assert info["operation_penalty"] == info["reward_terms"]["operations"] == pytest.approx(-0.1)


def test_a_failed_call_costs_but_does_not_count_where_only_executed_ones_do(make_env):
    env = CuriosityReward(make_env(), counts="executed")
    play(env)
    info = play(env, BAD, BAD)[1]
    assert (info["rapr"], info["curiosity_bonus"]) == (0.0, 0.0)
    assert info["operation_penalty"] == pytest.approx(-0.05)
    env = CuriosityReward(make_env(), threshold=1.0)
    play(env)
    info = play(env, BAD, BAD)[1]
    assert (info["rapr"], info["curiosity_bonus"]) == (0.5, 0.25)


def test_settings_and_presets_are_used(make_env):
    env = CuriosityReward(make_env(), preset="released")
    for _ in range(7):
        play(env)
    assert play(env, GOOD)[1]["curiosity_bonus"] == pytest.approx(0.175)
    for _ in range(7):
        play(env, index=4)
    assert play(env, GOOD, index=4)[1]["curiosity_bonus"] == pytest.approx(0.7 / 3)
    env = CuriosityReward(make_env(), beta=1.0, max_operations=0)
    assert play(env, GOOD)[1]["operation_penalty"] == -1.0


def test_an_episode_cut_short_by_turns_is_paid_too(make_env):
    env = CuriosityReward(make_env(max_turns=2), threshold=1.0)
    play(env)
    env.reset(options={"index": 0})
    env.step(GOOD)
    _, reward, _, truncated, info = env.step(GOOD)
    assert truncated
    assert info["reward_terms"]["curiosity"] == 0.25
    assert reward == pytest.approx(0.2)


def test_a_fault_of_the_data_pays_nothing_and_enters_no_rate(make_env, monkeypatch):
    env = CuriosityReward(make_env())
    env.reset(options={"index": 0})
    env.step(GOOD)

    def broken(*_):
        raise DataError("the file is cut off")

    with monkeypatch.context() as patched:
        patched.setattr("pixel_env.operations.zoom_in.ZoomIn.execute", broken)
        _, reward, _, truncated, info = env.step(GOOD)
    assert truncated
    assert "cut off" in info["env_error"]
    assert info["reward_terms"] == {"score": 0.0, "curiosity": 0.0, "operations": 0.0}
    assert (reward, len(env.tracker)) == (0.0, 0)


def test_messages_pass_on_both_sides_of_the_text_wrapper(make_env):
    message = '<tool_call>{"name": "zoom_in", "arguments": {"bbox_2d": [0, 0, 1, 1]}}</tool_call>'
    for env in (TextAction(CuriosityReward(make_env())), CuriosityReward(TextAction(make_env()))):
        env.reset(options={"index": 0})
        assert env.step(message)[-1]["n_operations"] == 1
        assert env.step(r"\boxed{B}")[-1]["rapr"] == 1.0
    env = CuriosityReward(make_env())
    env.reset(options={"index": 0})
    assert env.step(OperationError("malformed", "No."))[0]["feedback"] == "No."


@pytest.mark.parametrize(
    "wrong", [{"counts": "all"}, {"per": "task"}, {"preset": "mine"}, {"alfa": 1.0}, {"alpha": -1}]
)
def test_wrong_settings_are_refused(make_env, wrong):
    with pytest.raises(ConfigError):
        CuriosityReward(make_env(), **wrong)


@pytest.mark.parametrize("wrong", [{"window": 0}, {"max_samples": 0}])
def test_a_tracker_without_room_is_refused(wrong):
    with pytest.raises(ConfigError):
        RateTracker(**wrong)


def test_a_tracker_forgets_the_sample_unseen_for_longest():
    tracker = RateTracker(max_samples=2)
    for sample in ("a", "b", "a", "c"):
        tracker.update(sample, False)
    assert len(tracker) == 2
    assert tracker.update("a", True) == 1 / 3
    assert tracker.update("b", True) == 1.0


def test_a_tracker_survives_pickling():
    tracker = RateTracker(window=3)
    for used in (True, False, True, False):
        tracker.update("a", used)
    again = pickle.loads(pickle.dumps(tracker))
    assert (again.window, again.update("a", False)) == (3, tracker.update("a", False))


def test_threads_lose_no_rollout():
    tracker = RateTracker(window=10_000)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: tracker.update("a", False), range(2_000)))
    assert tracker.update("a", True) == 1 / 2_001
