"""Rollouts of a group that run side by side are paid as a group, whatever happens to some."""

import asyncio

import pytest

from pixel_env.agents.verl.groups import Groups
from pixel_env.chat import EpisodeFacts
from pixel_env.curiosity.bonus import CuriosityConfig
from pixel_env.errors import ConfigError


def facts(score=0.0, n_calls=0, n_operations=None, video=False, fault=""):
    executed = n_calls if n_operations is None else n_operations
    return EpisodeFacts(score, n_calls, executed, video, fault)


async def rollout(groups, uid, how, pauses=1):
    with groups.joined(uid) as place:
        for _ in range(pauses):
            await asyncio.sleep(0)
        if isinstance(how, Exception):
            raise how
        return await place.pay(how)


def paid(groups, rollouts):
    """Runs (uid, facts, pauses) side by side."""

    async def run():
        return await asyncio.gather(
            *(rollout(groups, *each) for each in rollouts), return_exceptions=True
        )

    return asyncio.run(asyncio.wait_for(run(), 10))


def test_the_paper_s_formula_with_the_group_s_own_rate():
    ends = [facts(1.0, 3), *(facts() for _ in range(6)), facts(1.0)]
    pays = paid(Groups(), [("a", each, number) for number, each in enumerate(ends)])
    # one of eight uses: 0.5 (0.3 - 0.125) = 0.0875; two calls over the free one cost 0.1
    assert [pay.reward for pay in pays] == pytest.approx([0.9875, *[0.0] * 6, 1.0])
    assert (pays[0].bonus, pays[0].penalty) == pytest.approx((0.0875, -0.1))
    assert {pay.rapr for pay in pays} == {0.125}


def test_groups_beside_each_other_dont_mix():
    groups = Groups(CuriosityConfig.of("paper", threshold=1.0))
    ends = [("a", facts(n_calls=1), 5), ("b", facts(), 1), ("a", facts(), 1), ("b", facts(), 9)]
    assert [pay.rapr for pay in paid(groups, ends)] == [0.5, 0.0, 0.5, 0.0]
    # and a name that comes again is a group of its own
    assert [pay.rapr for pay in paid(groups, [("a", facts(), 1)])] == [0.0]


def test_faults_and_failures_are_left_out_and_nobody_waits_for_them():
    ends = [
        ("a", facts(1.0, 1, fault="no such file"), 1),
        ("a", ValueError("the server is gone"), 2),
        ("a", None, 1),
        ("a", facts(0.0, 1), 3),
        *(("a", facts(), 1) for _ in range(3)),
    ]
    left_out, failed, silent, user, *others = paid(Groups(), ends)
    assert isinstance(failed, ValueError)
    assert left_out.reward != left_out.reward  # NaN
    assert silent.reward != silent.reward
    assert user.rapr == 0.25
    assert user.reward == pytest.approx(0.5 * (0.3 - 0.25))
    assert [pay.reward for pay in others] == [0.0] * 3


def test_what_counts_and_what_a_clip_is_reach_the_formula():
    refused = facts(n_calls=1, n_operations=0)
    many = [("a", refused, 1), *(("a", facts(video=True), 1) for _ in range(9))]
    assert paid(Groups(), many)[0].rapr == 0.1
    assert paid(Groups(counts="executed"), many)[0].rapr == 0.0
    released = Groups(CuriosityConfig.of("released"))
    clip = [
        ("a", facts(n_calls=1, video=True), 1),
        *(("a", facts(video=True), 1) for _ in range(9)),
    ]
    # 0.25 (0.3 - 0.1) / 0.1 / 1.5
    assert paid(released, clip)[0].bonus == pytest.approx(0.25 * 2 / 1.5)
    with pytest.raises(ConfigError, match="counts"):
        Groups(counts="evidence")


def test_a_rollout_ends_once():
    async def twice():
        with Groups().joined("a") as place:
            await place.pay(facts())
            await place.pay(facts())

    with pytest.raises(ConfigError, match="once"):
        asyncio.run(twice())
