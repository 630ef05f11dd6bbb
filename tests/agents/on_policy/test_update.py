"""One optimizer step has the gradient of its whole batch, however that is cut or spread."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from bandit import Bandit, parts
from torch.optim.optimizer import register_optimizer_step_pre_hook

from pixel_env.agents.generation.config import GenerationConfig
from pixel_env.agents.model.scoring import score
from pixel_env.agents.on_policy.config import OnPolicyConfig
from pixel_env.agents.on_policy.lanes import TrainingLanes
from pixel_env.agents.on_policy.loss_config import LossConfig
from pixel_env.agents.on_policy.replay_buffer import Experience
from pixel_env.agents.on_policy.trainer import OnPolicyTrainer
from pixel_env.agents.on_policy.update import PolicyUpdate
from pixel_env.agents.tokens.facts import RolloutFacts

CONFIG = OnPolicyConfig(
    group_size=4, groups_per_iteration=3, tokens_per_micro_batch=100_000,
    generation=GenerationConfig(max_new_tokens=6),
)  # fmt: skip
LOSSES = [
    LossConfig(0.01, 0.02, ratio_level=level, reduction=reduction)
    for level in ("token", "sequence")
    for reduction in ("token", "sequence")
]

CLOSE = {"atol": 1e-6, "rtol": 1e-4}
"""The model is in float64; rotary angles and advantages stay in float32."""


def policy(seed=0, drift=0.0):
    """A policy in float64, some way from the one that its seed gives."""
    torch.set_num_threads(1)
    model, encoder = parts(seed)
    model.double()
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for weight in model.parameters():
            noise = torch.randn(weight.shape, generator=generator, dtype=torch.float64)
            weight.add_(drift * noise)
    return model, encoder


@pytest.fixture(scope="module")
def batch(tmp_path_factory):
    """Rollouts of two policies, as replay mixes them, of lengths 2, 4 and 6; one each is masked."""
    rng = np.random.default_rng(3)
    found = []
    for seed, n_tokens in ((0, 6), (1, 2), (0, 4)):
        config = replace(CONFIG, generation=GenerationConfig(max_new_tokens=n_tokens))
        lanes = TrainingLanes(Bandit(CONFIG.n_rollouts, faulty=(1,)), 7)
        folder = tmp_path_factory.mktemp("rollouts")
        run = OnPolicyTrainer(*policy(seed), lanes, config, folder)
        found += run._groups.run(1).experiences()
    assert len(found) == 3 * (CONFIG.n_rollouts - 1)
    assert len({each.trajectory.n_trainable for each in found}) > 2
    return [Experience(each.trajectory, float(rng.normal())) for each in found]


def gradient_of(experiences, config):
    """The gradient before it is clipped to a norm, and what the step reports."""
    model, encoder = policy(drift=0.01)
    gradients = []

    def keep(optimizer, args, kwargs):
        weights = optimizer.param_groups[0]["params"]
        gradients.append(torch.cat([w.grad.flatten() for w in weights if w.grad is not None]))

    hook = register_optimizer_step_pre_hook(keep)
    report = PolicyUpdate(model, encoder, replace(config, max_grad_norm=1e9))(experiences, 1)
    hook.remove()
    (gradient,) = gradients
    return gradient, report


def ids(loss):
    return f"{loss.ratio_level}-{loss.reduction}"


@pytest.mark.parametrize("loss", LOSSES, ids=ids)
def test_the_gradient_is_that_of_rollouts_one_by_one(batch, loss):
    """The formula written out over whole rollouts, none beside another."""
    config = replace(CONFIG, loss=loss)
    got, report = gradient_of(batch, config)
    assert 0 < report.sums.n_clipped < report.sums.n_tokens
    model, encoder = policy(drift=0.01)
    n_tokens = sum(each.trajectory.n_trainable for each in batch)
    total = torch.zeros((), dtype=torch.float64)
    for each in batch:
        t = each.trajectory
        scores = score(model, [t], encoder)
        gaps = scores.logprobs[0][t.trainable] - torch.from_numpy(t.logprobs[t.trainable])
        if loss.ratio_level == "sequence":
            gaps = gaps.mean().expand(len(gaps))
        ratio = gaps.exp()
        terms = -torch.minimum(ratio * each.advantage, ratio.clamp(0.99, 1.02) * each.advantage)
        by_token = loss.reduction == "token"
        total = total + (terms.sum() / n_tokens if by_token else terms.mean() / len(batch))
    total.backward()
    expected = torch.cat([w.grad.flatten() for w in model.parameters() if w.grad is not None])
    assert report.sums.loss == pytest.approx(total.item())
    assert expected.abs().max() > 0.01
    torch.testing.assert_close(got, expected, **CLOSE)


@pytest.mark.parametrize("loss", LOSSES, ids=ids)
def test_micro_batches_change_neither_gradient_nor_report(batch, loss):
    config = replace(CONFIG, loss=loss)
    whole, report = gradient_of(batch, config)
    for tokens in (1, 120):
        got, parts_report = gradient_of(batch, replace(config, tokens_per_micro_batch=tokens))
        torch.testing.assert_close(got, whole, **CLOSE)
        for name, value in parts_report.metrics().items():
            assert value == pytest.approx(report.metrics()[name]), name


@pytest.mark.parametrize("loss", LOSSES, ids=ids)
def test_what_the_processes_hold_adds_up_to_the_gradient_of_the_whole(batch, loss):
    """Each process has some rollouts, and of the others the facts; their gradients are summed."""
    config = replace(CONFIG, loss=loss)
    whole, report = gradient_of(batch, config)
    shares = []
    for rank in range(3):
        seen = [
            each
            if place % 3 == rank
            else Experience(RolloutFacts.of(each.trajectory), each.advantage)
            for place, each in enumerate(batch)
        ]
        shares.append(gradient_of(seen, config))
    torch.testing.assert_close(sum(g for g, _ in shares), whole, **CLOSE)
    assert sum(r.sums.n_tokens for _, r in shares) == report.sums.n_tokens
    assert math.fsum(r.sums.loss for _, r in shares) == pytest.approx(report.sums.loss)
