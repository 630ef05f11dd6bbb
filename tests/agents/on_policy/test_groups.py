"""Groups run on samples that seed and iteration fix, and are refilled where they are equal."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from bandit import Bandit, parts

from pixel_env.agents.generation.config import GenerationConfig
from pixel_env.agents.model.scoring import score
from pixel_env.agents.on_policy.config import OnPolicyConfig
from pixel_env.agents.on_policy.lanes import TrainingLanes
from pixel_env.agents.on_policy.trainer import OnPolicyTrainer

SMALL = OnPolicyConfig(
    iterations=4,
    group_size=4,
    groups_per_iteration=4,
    learning_rate=0.01,
    warmup_share=0.0,
    generation=GenerationConfig(max_new_tokens=2),
    tokens_per_micro_batch=120,
)
N_SAMPLES = 7


@pytest.fixture(autouse=True)
def _one_thread():
    torch.set_num_threads(1)


def trainer(folder, config=SMALL, env=None) -> OnPolicyTrainer:
    model, encoder = parts()
    lanes = TrainingLanes(env or Bandit(config.n_rollouts), N_SAMPLES)
    return OnPolicyTrainer(model, encoder, lanes, config, folder)


@pytest.mark.parametrize("n_lanes", [4, 12, 32])
def test_how_many_lanes_there_are_changes_no_rollout(tmp_path, n_lanes):
    expected = trainer(tmp_path / "a", env=Bandit(16))._groups.run(2).rollouts
    got = trainer(tmp_path / "b", env=Bandit(n_lanes))._groups.run(2).rollouts
    assert [(t.sample_id, t.group) for t in got] == [(t.sample_id, t.group) for t in expected]
    assert [t.ids.tolist() for t in got] == [t.ids.tolist() for t in expected]


def test_one_collection_serves_several_steps_and_the_next_one_is_of_the_policy_as_it_is_then(
    tmp_path,
):
    run = trainer(tmp_path, replace(SMALL, epochs=1, minibatches=2, learning_rate=0.05))

    def drift(rollouts):
        with torch.no_grad():
            now = score(run.model, rollouts, parts()[1]).logprobs.numpy()
        pairs = zip(now, rollouts, strict=True)
        return max(np.abs(row[: len(t)] - t.logprobs).max() for row, t in pairs)

    before = run._groups.run(1).rollouts
    assert drift(before) < 1e-4
    metrics = run.iterate(1)
    assert metrics["update/steps"] == 2
    assert metrics["update/approx_kl"] > 1e-4  # of the second step: the policy has moved
    assert drift(before) > 1e-2
    assert drift(run._groups.run(2).rollouts) < 1e-4


def teaching_groups(run, iteration):
    judged = run._groups.run(iteration)
    return judged, len(judged.advantages) - judged.n_equal


def test_groups_of_equal_rewards_are_counted_and_refilled_up_to_a_bound(tmp_path):
    config = replace(SMALL, group_size=2, groups_per_iteration=8, refill_rounds=0)
    plain, n_teaching = teaching_groups(trainer(tmp_path / "0", config), 1)
    assert 0 < n_teaching < 8
    assert plain.n_refilled == 0
    for rounds in (1, 2, 20):
        run = trainer(tmp_path / str(rounds), replace(config, refill_rounds=rounds))
        refilled, more = teaching_groups(run, 1)
        assert refilled.n_refilled == len(refilled.advantages) - 8 > 0
        assert n_teaching < more <= 8
        n_teaching = more
        firsts = [t.ids.tolist() for t in refilled.rollouts[:16]]
        assert firsts == [t.ids.tolist() for t in plain.rollouts]
    assert more == 8


def test_refilled_groups_are_learnt_from_and_reported(tmp_path):
    config = replace(SMALL, group_size=2, groups_per_iteration=8, minibatches=1, epochs=1)
    run = trainer(tmp_path, replace(config, refill_rounds=20))
    metrics = run.iterate(1)
    assert metrics["groups/refilled"] == metrics["groups/equal"] > 0
    assert metrics["update/rollouts"] == config.n_rollouts
    assert metrics["replay/share"] == 0


def test_refilling_stops_where_nothing_teaches(tmp_path):
    env = Bandit(16, faulty=tuple(range(16)))
    metrics = trainer(tmp_path, replace(SMALL, refill_rounds=3), env=env).iterate(1)
    assert metrics["groups/refilled"] == 3 * SMALL.groups_per_iteration
    assert len(env.seen) == 4
    assert env.seen[1] != env.seen[0]


def test_lanes_that_are_left_over_in_a_later_wave_are_not_reset(tmp_path):
    masks = []

    class Watched(Bandit):
        def reset(self, *, seed=None, options=None):
            masks.append(options.get("reset_mask"))
            return super().reset(seed=seed, options=options)

    trainer(tmp_path, env=Watched(12))._groups.run(1)
    assert masks[0] is None
    assert masks[1].tolist() == [True] * 4 + [False] * 8
