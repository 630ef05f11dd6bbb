"""Random, direct and demonstration on V* and on tasks of pictures and clips."""

from __future__ import annotations

import pytest
from vstar_folder import write_vstar

from pixel_env import Evidence, PixelReasoningEnv, Sample
from pixel_env.agents.policies.base import Privileged
from pixel_env.agents.policies.by_name import make_policy
from pixel_env.agents.policies.demonstration import DemonstrationPolicy, plan_operations
from pixel_env.agents.policies.direct import DirectPolicy
from pixel_env.agents.policies.random import RandomPolicy
from pixel_env.errors import ConfigError


def episode(policy, env, index, seed=0, lane=0):
    """Runs one episode; returns its actions and infos."""
    policy.reset(lane, seed)
    observation, info = env.reset(options={"index": index})
    actions, infos, ended = [], [info], False
    while not ended:
        (action,) = policy.act([observation], [lane])
        observation, _, terminated, truncated, info = env.step(action)
        actions.append(action)
        infos.append(info)
        ended = terminated or truncated
    return actions, infos


def as_tuple(action):
    return (
        action["operation"],
        action["text"],
        tuple(action["bbox"]),
        action["target_image"],
        tuple(action["frames"]),
    )


def test_direct_answers_first_option_without_looking(picture_task):
    actions, infos = episode(DirectPolicy(), PixelReasoningEnv(picture_task), 0)
    assert [action["text"] for action in actions] == ["A"]
    assert infos[-1]["n_calls"] == 0


def test_direct_answers_nothing_where_there_are_no_options(clip_task):
    actions, infos = episode(DirectPolicy(), PixelReasoningEnv(clip_task), 0)
    assert actions[-1]["text"] == ""
    assert infos[-1]["grade"]["score"] == 0


@pytest.mark.parametrize("kind", ["picture_task", "clip_task"])
def test_random_makes_valid_operations_only_and_always_answers(kind, request):
    env = PixelReasoningEnv(request.getfixturevalue(kind), max_turns=4, overview_px=(784, 7840))
    policy = RandomPolicy(look=0.8)
    operations = set()
    for seed in range(12):
        actions, infos = episode(policy, env, seed % 3, seed)
        assert infos[-1]["n_operation_errors"] == 0
        assert "answer" in infos[-1]
        operations |= {action["operation"] for action in actions}
    assert operations == ({0, 1} if kind == "picture_task" else {0, 1, 2})


def test_random_repeats_by_seed_whatever_runs_beside_it(picture_task):
    env = PixelReasoningEnv(picture_task)
    alone, _ = episode(RandomPolicy(), env, 1, seed=7)
    policy = RandomPolicy()
    episode(policy, env, 0, seed=1, lane=0)
    beside, _ = episode(policy, env, 1, seed=7, lane=3)
    other, _ = episode(policy, env, 1, seed=8, lane=3)
    assert [as_tuple(a) for a in beside] == [as_tuple(a) for a in alone]
    assert [as_tuple(a) for a in other] != [as_tuple(a) for a in alone]


@pytest.mark.parametrize(("look", "calls"), [(0.0, 0), (1.0, 4)])
def test_look_is_the_probability_of_one_more_call(picture_task, look, calls):
    _, infos = episode(RandomPolicy(look), PixelReasoningEnv(picture_task, max_turns=5), 0)
    assert infos[-1]["n_calls"] == calls


def test_random_answers_are_spread_over_the_options(picture_task):
    env = PixelReasoningEnv(picture_task, overview_px=(784, 7840))
    answers = [episode(RandomPolicy(0.0), env, 0, seed)[0][-1]["text"] for seed in range(60)]
    assert {*answers} == set("ABCD")


def test_demonstration_shows_all_evidence_and_answers_right(tmp_path):
    from pixel_env.tasks.vstar import VStar

    env = PixelReasoningEnv(VStar(write_vstar(tmp_path / "v", 4, 3)))
    policy = DemonstrationPolicy()
    policy.watch(0, env)
    for index in range(7):
        actions, infos = episode(policy, env, index)
        assert [action["operation"] for action in actions] == [1, 0]
        assert infos[-1]["grade"]["score"] == 1
        x1, y1, x2, y2 = infos[1]["executed_box"]
        for evidence in env.sample.evidence:
            assert x1 <= evidence.box[0] < evidence.box[2] <= x2
            assert y1 <= evidence.box[1] < evidence.box[3] <= y2


def test_demonstration_answers_at_once_on_last_turn_or_without_evidence(picture_task, clip_task):
    policy = DemonstrationPolicy()
    for env in (PixelReasoningEnv(picture_task, max_turns=1), PixelReasoningEnv(clip_task)):
        policy.watch(0, env)
        actions, infos = episode(policy, env, 2)
        assert [action["operation"] for action in actions] == [0]
        assert infos[-1]["grade"]["score"] == 1


def test_looks_at_a_clip_selects_a_whole_frame_and_zooms_on_a_part(clip_task):
    env = PixelReasoningEnv(clip_task)
    env.reset(options={"index": 0})
    frames = [view.source for view in env.views]
    whole = Evidence((0.0, 0.0, 1.0, 1.0), image=frames[4])
    part = Evidence((0.2, 0.2, 0.4, 0.4), image=frames[9])
    sample = Sample("s", "?", env.sample.media, ("very",), evidence=(whole, part))
    select, zoom = plan_operations(sample, env.views)
    assert select["frames"].tolist().index(1) == 4
    assert (zoom["operation"], zoom["target_image"]) == (1, 10)


def test_frames_that_one_view_stands_for_take_one_call(clip_task):
    """40 frames, 16 views: three frames of evidence in a row are nearest to two views."""
    env = PixelReasoningEnv(clip_task)
    env.reset(options={"index": 0})
    number = 6
    frame = env.views[number - 1].source
    boxes = ((0.2, 0.2, 0.4, 0.4), (0.2, 0.3, 0.4, 0.5), (0.3, 0.2, 0.5, 0.4))
    evidence = [
        Evidence(box, image=frame + step) for step, box in zip((0, 1, 2), boxes, strict=True)
    ]
    near = {min(range(16), key=lambda n: abs(env.views[n].source - e.image)) + 1 for e in evidence}
    sample = Sample("s", "?", env.sample.media, ("very",), evidence=tuple(evidence))
    plan = plan_operations(sample, env.views, margin=0.0)
    assert near == {number, number + 1}
    assert [action["target_image"] for action in plan] == sorted(near)
    assert tuple(plan[0]["bbox"]) == pytest.approx((0.2, 0.2, 0.4, 0.5))


def test_demonstration_wants_its_environment(picture_task):
    policy = DemonstrationPolicy()
    observation, _ = PixelReasoningEnv(picture_task).reset(seed=0)
    with pytest.raises(ConfigError, match=r"lane 2: call watch\(lane, env\)"):
        policy.act([observation], [2])


def test_only_the_oracle_is_privileged():
    assert isinstance(make_policy("demonstration"), Privileged)
    assert not isinstance(make_policy("random"), Privileged)
    assert not isinstance(make_policy("direct"), Privileged)


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("randon", {}, "Did you mean 'random'"),
        ("direct", {"look": 1}, "policy direct doesn't take"),
        ("random", {"look": 1.5}, r"expected look in \[0, 1\], got 1.5"),
        ("demonstration", {"margin": -1}, "expected margin >= 0"),
        ("vlm:none", {"temperatur": 1}, "Did you mean 'temperature'"),
    ],
)
def test_unknown_policy_or_setting_is_refused(name, settings, message):
    with pytest.raises(ConfigError, match=message):
        make_policy(name, **settings)
