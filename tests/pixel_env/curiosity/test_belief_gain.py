"""The belief is asked at the end: before the first operation and after the last."""

import math

import gymnasium as gym
import numpy as np
import pytest

from pixel_env import ConfigError, answer, zoom_in
from pixel_env.evidence import coverage_of
from pixel_env.vector import PixelReasoningVectorEnv
from pixel_env.wrappers import AdaptiveCuriosity, BeliefGain, CuriosityReward, GroupCuriosity

ID = "PixelReason-SyntheticSearch-v0"
ZOOM, REFUSED, END = zoom_in([0, 0, 0.5, 0.5]), zoom_in([5, 5, 6, 6]), answer("")


class Table:
    """Believes what a table has for (lane, observations given), and notes what it was asked."""

    def __init__(self, table):
        self.table = table
        self.calls = []

    def __call__(self, moments):
        self.calls.append([(each.lane, each.n_told) for each in moments])
        return [math.log(self.table[each.lane, each.n_told]) for each in moments]


def lanes(n, **settings):
    return PixelReasoningVectorEnv.from_id(ID, n, autoreset_mode="Disabled", **settings)


def run(envs, *steps, index=7):
    """Plays one episode in every lane and returns the infos of all steps."""
    envs.reset(options={"index": [index] * envs.num_envs})
    return [envs.step(list(step))[-1] for step in steps]


def test_the_gain_is_what_the_belief_rose_by_from_before_the_first_operation_to_after_the_last():
    belief = Table({(0, 1): 0.2, (0, 3): 0.5, (1, 1): 0.25, (1, 2): 0.125})
    steps = [(ZOOM, ZOOM), (ZOOM, END), (END, None)]
    first, second, third = run(BeliefGain(lanes(2), belief), *steps)
    assert not first["_belief_gain"].any()
    assert not first["belief_gain"].any()
    assert second["_belief_gain"].tolist() == [False, True]
    assert second["belief_gain"].tolist() == pytest.approx([0.0, -math.log(2)])
    assert third["_belief_gain"].tolist() == third["_belief_raised"].tolist() == [True, False]
    assert third["belief_gain"].tolist() == pytest.approx([math.log(2.5), 0.0])
    assert third["belief_raised"].tolist() == [1, 0]
    assert belief.calls == [[(1, 1), (1, 2)], [(0, 1), (0, 3)]]


def test_lanes_that_end_together_are_asked_about_at_once_in_order():
    belief = Table({(lane, n): 0.1 * n for lane in range(3) for n in (1, 2)})
    run(BeliefGain(lanes(3), belief), (ZOOM, END, ZOOM), (END, None, END))
    assert belief.calls == [[(0, 1), (0, 2), (2, 1), (2, 2)]]


def test_only_operations_that_were_executed_and_another_turn_followed_are_asked_about():
    belief = Table({(0, 2): 0.1, (0, 3): 0.4})
    envs = BeliefGain(lanes(4, max_turns=4), belief)
    steps = [
        (REFUSED, REFUSED, {}, {}),
        (ZOOM, END, {}, {}),
        (REFUSED, None, {}, {}),
        (END, None, ZOOM, END),
    ]
    *_, last = run(envs, *steps)
    assert belief.calls == [[(0, 2), (0, 3)]]  # not the refused call, nor its result
    assert last["belief_gain"].tolist() == pytest.approx([math.log(4), 0, 0, 0])
    assert last["n_operations"].tolist() == [1, 0, 1, 0]  # lane 2 zoomed with its last turn
    assert last["belief_raised"].tolist() == [1, 0, 0, 0]


def sight(envs):
    """A belief that grows with the pixels that show the evidence, up to four times."""

    def belief(moments):
        found = []
        for each in moments:
            views = envs.envs[each.lane].unwrapped.views[: each.n_told]
            share = coverage_of(each.sample.evidence, views).magnification
            found.append(math.log(0.2 * min(max(share, 1.0), 4.0)))
        return found

    return belief


def test_a_zoom_on_the_whole_picture_gains_nothing_and_one_on_the_evidence_is_paid():
    inner = lanes(8)
    envs = GroupCuriosity(BeliefGain(inner, sight(inner)), 8, counts="belief")
    envs.reset(options={"index": [5] * 8})
    target = inner.envs[0].unwrapped.sample.evidence[0].box
    envs.step([zoom_in(target), zoom_in([0, 0, 1, 1]), *[END] * 6])
    *_, infos = envs.step([END, END, *[None] * 6])
    assert infos["belief_gain"][:2].tolist() == pytest.approx([math.log(4), 0.0], abs=0.05)
    assert infos["rapr"].tolist() == [1 / 8] * 8
    assert infos["curiosity_bonus"] == pytest.approx([0.0875, *[0.0] * 7])


@pytest.mark.parametrize(("least_gain", "raised"), [(0.5, 1), (0.7, 0)])
def test_the_least_gain_decides_what_counts(least_gain, raised):
    belief = Table({(0, 1): 0.3, (0, 2): 0.5})  # ln(5 / 3) = 0.511
    *_, infos = run(BeliefGain(lanes(1), belief, least_gain), (ZOOM,), (END,))
    assert infos["belief_raised"].tolist() == [raised]


def test_a_doubled_probability_counts_by_default_and_one_over_a_half_can_not():
    belief = Table({(0, 1): 0.25, (0, 2): 0.51, (1, 1): 0.51, (1, 2): 1.0})
    *_, infos = run(BeliefGain(lanes(2), belief), (ZOOM, ZOOM), (END, END))
    assert infos["belief_raised"].tolist() == [1, 0]


def test_a_lane_that_begins_again_forgets_its_operations():
    belief = Table({(0, 1): 0.1, (0, 2): 0.2})
    envs = BeliefGain(lanes(2), belief)
    run(envs, (ZOOM, ZOOM))
    envs.reset(options={"index": [7, 7], "reset_mask": np.array([False, True])})
    *_, infos = envs.step([END, END])
    assert belief.calls == [[(0, 1), (0, 2)]]
    assert infos["_belief_gain"].tolist() == [True, True]


def test_a_threshold_from_history_takes_it_too():
    belief = Table({(0, 1): 0.1, (0, 2): 0.9})
    envs = AdaptiveCuriosity(BeliefGain(lanes(2), belief), 2, counts="belief", threshold=1.0)
    *_, infos = run(envs, (ZOOM, END), (END, None))
    assert infos["curiosity_bonus"].tolist() == pytest.approx([0.25, 0.0])


def test_what_does_not_fit_is_refused():
    with pytest.raises(ConfigError, match="PixelReasoningVectorEnv, got GroupCuriosity"):
        BeliefGain(GroupCuriosity(lanes(1), 1), Table({}))
    for wrong in (0, -1, math.nan):
        with pytest.raises(ConfigError, match="least_gain"):
            BeliefGain(lanes(1), Table({}), wrong)
    with pytest.raises(ConfigError, match="lanes"):
        CuriosityReward(gym.make(ID), counts="belief")
