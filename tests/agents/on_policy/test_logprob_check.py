"""The gap between an engine's log-probabilities and the model's, and the weights that correct it.

The model's own numbers are replaced by given ones where gaps and weights are worked out by hand.
"""

import dataclasses
import logging
import math

import numpy as np
import pytest
import torch
from tiny_models import observation, picture, tiny_encoder, tiny_model

from pixel_env.agents.generation.config import GenerationConfig
from pixel_env.agents.generation.engine import Engine
from pixel_env.agents.generation.session import Session
from pixel_env.agents.on_policy.config import OnPolicyConfig
from pixel_env.agents.on_policy.logprob_check import GapSums, LogprobCheck
from pixel_env.agents.on_policy.loss_config import LossConfig
from pixel_env.agents.tokens.facts import RolloutFacts
from pixel_env.agents.tokens.trajectory import TokenTrajectory
from pixel_env.errors import ConfigError

ARCHITECTURE = "qwen2_5_vl"


def rollout(logprobs, **rest):
    """Two prompt tokens, then sampled ones with these log-probabilities."""
    recorded = np.array([0.0, 0.0, *logprobs], np.float32)
    return TokenTrajectory(
        ids=np.arange(len(recorded)), trainable=np.arange(len(recorded)) > 1, logprobs=recorded,
        **rest,
    )  # fmt: skip


class Given(LogprobCheck):
    """A check whose model computes given numbers."""

    def __init__(self, own, **config):
        super().__init__(None, None, OnPolicyConfig(**config))
        self.own = {id(each): np.array([0.0, 0.0, *row], np.float32) for each, row in own}

    def _scored(self, rollouts):
        self.asked = len(rollouts)
        return [self.own[id(each)] for each in rollouts]


def test_the_gap_is_the_mean_over_sampled_tokens():
    one, two = rollout([-1.0, -2.0]), rollout([-0.5])
    check = Given([(one, [-1.1, -1.7]), (two, [-0.5])])
    rollouts, metrics = check([one, two])
    assert rollouts == [one, two]  # the very same
    assert metrics["engine/logprob_gap"] == pytest.approx((0.1 + 0.3 + 0.0) / 3)
    assert metrics["engine/logprob_gap_max"] == pytest.approx(0.3)
    assert "engine/truncated_share" not in metrics


def test_weights_are_truncated_at_the_cap_and_ratios_refer_to_the_model():
    sampled = rollout([math.log(0.5), math.log(0.2), math.log(0.1)])
    own = [math.log(0.25), math.log(0.3), math.log(0.5)]
    check = Given([(sampled, own)], loss=LossConfig(importance_cap=2.0), compared_rollouts=0)
    (checked,), metrics = check([sampled])
    # p / q: 0.25 / 0.5, 0.3 / 0.2, and 0.5 / 0.1 = 5, which is cut to 2.
    np.testing.assert_allclose(checked.importance, [1, 1, 0.5, 1.5, 2.0], rtol=1e-6)
    np.testing.assert_allclose(checked.logprobs, [0, 0, *own], rtol=1e-6)
    assert metrics["engine/truncated_share"] == pytest.approx(1 / 3)
    assert sampled.importance is None  # it is not changed in place


def test_only_so_many_are_compared_and_none_that_teaches_nothing():
    kept = [rollout([-1.0]) for _ in range(6)]
    masked, elsewhere = rollout([-1.0], mask_reason="overlong"), RolloutFacts.of(rollout([-1.0]))
    check = Given([(each, [-1.0 - number]) for number, each in enumerate(kept)],
                  compared_rollouts=3)  # fmt: skip
    _, metrics = check([masked, elsewhere, *kept])
    assert check.asked == 3
    assert metrics["engine/logprob_gap"] == pytest.approx((0 + 2 + 4) / 3)
    check = Given([], compared_rollouts=0)
    assert math.isnan(check([masked, *kept])[1]["engine/logprob_gap"])


def test_a_gap_over_the_bound_warns_once_until_it_has_been_under(caplog):
    check = Given([], largest_gap=0.1)
    with caplog.at_level(logging.WARNING):
        given = [
            len(check.warnings({"engine/logprob_gap": gap}))
            for gap in (0.05, 0.2, 0.3, math.nan, 0.11)
        ]
    assert given == [0, 1, 0, 0, 1]
    assert "engine/logprob_gap is 0.2, over 0.1" in caplog.text


def test_sums_add_up_over_processes():
    assert GapSums(2, 0.5, 0.3, 1) + GapSums(3, 0.25, 0.2, 2) == GapSums(5, 0.75, 0.3, 3)


def test_our_own_engine_records_what_the_model_computes():
    torch.set_num_threads(1)
    encoder, model = tiny_encoder(ARCHITECTURE), tiny_model(ARCHITECTURE)
    config = GenerationConfig(max_new_tokens=6, temperature=0.8)
    session = Session(Engine(model, encoder, config))
    shown = observation("which", [picture(np.random.default_rng(0), ARCHITECTURE)])
    for lane in (0, 1):
        session.begin(lane, lane)
    session.hear([shown, shown], [0, 1])
    session.speak([0, 1])
    rollouts = [session.end(lane).build(sample_id="s") for lane in (0, 1)]
    check = LogprobCheck(model.train(), encoder, OnPolicyConfig(generation=config))
    assert check(rollouts)[1]["engine/logprob_gap_max"] < 1e-4
    assert model.training
    config = dataclasses.replace(config, temperature=1.0)  # not what they were sampled at
    wrong = LogprobCheck(model, encoder, OnPolicyConfig(generation=config))
    assert wrong(rollouts)[1]["engine/logprob_gap"] > 0.01


@pytest.mark.parametrize("cap", [0.5, -1, math.nan])
def test_a_cap_under_1_is_refused(cap):
    with pytest.raises(ConfigError, match="importance_cap"):
        LossConfig(importance_cap=cap)
