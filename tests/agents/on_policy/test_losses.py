"""The loss against values and gradients worked out by hand."""

import math

import numpy as np
import pytest
import torch

from pixel_env import ConfigError
from pixel_env.agents.on_policy.losses import (
    LossConfig,
    LossSums,
    TokenBatch,
    loss_normaliser,
    policy_loss,
)


def batch(ratios, advantages, trainable=None, **rest) -> TokenBatch:
    """Tokens with the given ratios; their behaviour log-probabilities differ from each other."""
    ratios = torch.tensor(ratios, dtype=torch.float64)
    behaviour = -torch.arange(1.0, ratios.numel() + 1, dtype=torch.float64).view_as(ratios)
    return TokenBatch(
        (behaviour + ratios.log()).requires_grad_(),
        behaviour,
        torch.ones_like(ratios, dtype=torch.bool)
        if trainable is None
        else torch.tensor(trainable, dtype=torch.bool),
        torch.tensor(advantages, dtype=torch.float64),
        **rest,
    )


@pytest.mark.parametrize(
    ("ratio", "advantage", "value", "slope"),
    [
        (1.0, 2.0, -2.0, -2.0),  # d(-rA)/d(logprob) = -rA
        (1.2, 2.0, -2.4, -2.4),  # inside the upper clip
        (1.5, 2.0, -2.56, 0.0),  # over it: clipped to 1.28
        (0.5, 2.0, -1.0, -1.0),  # a fall is never clipped where the advantage is positive
        (0.9, -2.0, 1.8, 1.8),  # inside the lower clip
        (0.5, -2.0, 1.6, 0.0),  # under it: clipped to 0.8
        (1.5, -2.0, 3.0, 3.0),  # a rise is never clipped where the advantage is negative
    ],
)
def test_one_token(ratio, advantage, value, slope):
    tokens = batch([[ratio]], [advantage])
    loss, sums = policy_loss(tokens, LossConfig(), 1.0)
    loss.backward()
    assert loss.item() == pytest.approx(value)
    assert tokens.logprobs.grad.item() == pytest.approx(slope)
    assert sums.n_clipped == (slope == 0)


@pytest.mark.parametrize("reduction", ["token", "sequence"])
def test_importance_weighs_each_tokens_surrogate_and_no_other_term(reduction):
    config = LossConfig(reduction=reduction, entropy_coefficient=0.1)
    tokens = batch(
        [[1.2, 1.5, 9.0], [0.5, 0.9, 1.0]],
        [2.0, -2.0],
        [[True, True, False], [True, True, True]],
        importance=torch.tensor([[0.5, 2.0, 7.0], [2.0, 0.25, 1.0]], dtype=torch.float64),
        entropy=torch.ones(2, 3, dtype=torch.float64),
    )
    loss, sums = policy_loss(tokens, config, 1.0)
    # Surrogates: 1.2 * 2, clipped 1.28 * 2; clipped 0.8 * -2, 0.9 * -2, 1.0 * -2.
    first = [-2.4 * 0.5 - 0.1, -2.56 * 2.0 - 0.1]
    second = [1.6 * 2.0 - 0.1, 1.8 * 0.25 - 0.1, 2.0 - 0.1]
    total = sum(first + second) if reduction == "token" else sum(first) / 2 + sum(second) / 3
    assert loss.item() == pytest.approx(total)
    assert sums.n_clipped == 2
    loss.backward()
    share = 1.0 if reduction == "token" else 0.5
    assert tokens.logprobs.grad[0, 0].item() == pytest.approx(-2.4 * 0.5 * share)


def test_clips_are_those_of_the_config():
    config = LossConfig(clip_low=0.5, clip_high=1.0)
    loss, sums = policy_loss(batch([[3.0, 0.3]], [1.0]), config, 1.0)
    assert loss.item() == pytest.approx(-2.0 - 0.3)
    assert sums.n_clipped == 1
    loss, _ = policy_loss(batch([[3.0, 0.3]], [-1.0]), config, 1.0)
    assert loss.item() == pytest.approx(3.0 + 0.5)


TRAINABLE = [[True, True, True, True], [False, True, False, True]]


def test_token_reduction_counts_every_token_alike():
    tokens = batch([[1.0] * 4, [1.0] * 4], [1.0, -2.0], TRAINABLE)
    loss, sums = policy_loss(tokens, LossConfig(), loss_normaliser([4, 2], "token"))
    loss.backward()
    assert loss.item() == pytest.approx((4 * -1 + 2 * 2) / 6)
    assert sums.n_tokens == 6
    expected = [[-1 / 6] * 4, [0, 2 / 6, 0, 2 / 6]]
    torch.testing.assert_close(tokens.logprobs.grad, torch.tensor(expected, dtype=torch.float64))


def test_sequence_reduction_counts_every_sequence_alike():
    tokens = batch([[1.0] * 4, [1.0] * 4], [1.0, -2.0], TRAINABLE)
    config = LossConfig(reduction="sequence")
    loss, _ = policy_loss(tokens, config, loss_normaliser([4, 2], "sequence"))
    loss.backward()
    assert loss.item() == pytest.approx((-1 + 2) / 2)
    expected = [[-1 / 8] * 4, [0, 2 / 4, 0, 2 / 4]]
    torch.testing.assert_close(tokens.logprobs.grad, torch.tensor(expected, dtype=torch.float64))


def random_batch(rows=5, length=7, seed=0) -> TokenBatch:
    rng = np.random.default_rng(seed)
    values = [torch.tensor(rng.normal(-1, 0.4, (rows, length))) for _ in range(3)]
    trainable = torch.tensor(rng.random((rows, length)) < 0.6)
    trainable[:, 0] = True
    return TokenBatch(
        values[0].requires_grad_(),
        values[1],
        trainable,
        torch.tensor(rng.normal(size=rows)),
        values[2],
        torch.tensor(rng.random((rows, length))),
    )


def part(whole: TokenBatch, rows) -> TokenBatch:
    return TokenBatch(
        whole.logprobs[rows],
        whole.behaviour_logprobs[rows],
        whole.trainable[rows],
        whole.advantages[rows],
        whole.reference_logprobs[rows],
        whole.entropy[rows],
    )


GSPO = LossConfig(clip_low=3e-4, clip_high=4e-4, reduction="sequence", ratio_level="sequence")


@pytest.mark.parametrize(
    ("ratios", "advantage", "value", "slopes"),
    [
        # the geometric mean of 2 and 1/2 is 1: tokens that GRPO would clip are pushed here
        ([2.0, 0.5], 3.0, -3.0, [-1.5, -1.5]),
        ([1.0003, 1.0003], 3.0, -3.0009, [-1.50045, -1.50045]),  # inside the upper clip
        ([1.1, 1.0], 3.0, -3 * 1.0004, [0.0, 0.0]),  # over it, with every token of the sequence
        ([0.9998, 0.9998], -3.0, 2.9994, [1.4997, 1.4997]),  # inside the lower clip
        ([0.9, 1.0], -3.0, 3 * 0.9997, [0.0, 0.0]),  # under it
        ([4.0, 9.0], -3.0, 18.0, [9.0, 9.0]),  # a rise is never clipped where A is negative
    ],
)
def test_a_sequence_has_one_ratio_and_one_clip(ratios, advantage, value, slopes):
    tokens = batch([ratios], [advantage])
    loss, sums = policy_loss(tokens, GSPO, 1.0)
    loss.backward()
    assert loss.item() == pytest.approx(value)
    assert tokens.logprobs.grad[0].tolist() == pytest.approx(slopes)
    assert sums.n_clipped == (2 if slopes[0] == 0 else 0)
    assert sums.ratio_max == pytest.approx(math.sqrt(ratios[0] * ratios[1]))


def test_a_sequences_ratio_is_that_of_its_trainable_tokens_alone():
    masked = batch([[2.0, 50.0, 0.5, 0.01]], [3.0], [[True, False, True, False]])
    loss, sums = policy_loss(masked, GSPO, 1.0)
    loss.backward()
    assert loss.item() == pytest.approx(-3.0)
    assert masked.logprobs.grad[0].tolist() == pytest.approx([-1.5, 0, -1.5, 0])
    # k3 of KL(behaviour || policy) stays one of tokens: (2 - 1 - ln 2) + (0.5 - 1 + ln 2)
    assert (sums.n_tokens, sums.kl) == (2, pytest.approx(0.5))


def test_token_reduction_weighs_a_sequences_ratio_by_its_length():
    tokens = batch([[4.0, 4.0, 4.0, 1.0], [1.0, 9.0, 1.0, 1.0]], [-1.0, -1.0], TRAINABLE)
    config = LossConfig(ratio_level="sequence")
    loss, _ = policy_loss(tokens, config, loss_normaliser([4, 2], "token"))
    loss.backward()
    first, second = 4**0.75, 3.0
    assert loss.item() == pytest.approx((4 * first + 2 * second) / 6)
    # every token of a sequence of n moves its ratio by ratio / n, which stands n times in the sum
    expected = [[first / 6] * 4, [0, second / 6, 0, second / 6]]
    torch.testing.assert_close(tokens.logprobs.grad, torch.tensor(expected, dtype=torch.float64))


@pytest.mark.parametrize("reduction", ["token", "sequence"])
def test_gspo_token_is_the_same_where_a_rollouts_tokens_share_its_advantage(reduction):
    """GSPO-token (section 4.3): the value of the sequence's ratio, the slope of each token's."""
    whole = random_batch(seed=7)
    config = LossConfig(0.05, 0.1, reduction, ratio_level="sequence")
    normaliser = loss_normaliser(whole.trainable.sum(-1).tolist(), reduction)
    loss, sums = policy_loss(whole, config, normaliser)
    loss.backward()
    gradient = whole.logprobs.grad.clone()
    whole.logprobs.grad = None
    mask = whole.trainable.double()
    gap = (whole.logprobs - whole.behaviour_logprobs).detach()
    sequence = ((gap * mask).sum(-1) / mask.sum(-1)).exp()[:, None]
    ratio = sequence * (whole.logprobs - whole.logprobs.detach()).exp()
    advantages = whole.advantages[:, None]
    terms = mask * -torch.minimum(ratio * advantages, ratio.clamp(0.95, 1.1) * advantages)
    means = terms.sum(-1) / mask.sum(-1)
    total = (terms.sum() if reduction == "token" else means.sum()) / normaliser
    total.backward()
    assert 0 < sums.n_clipped < sums.n_tokens
    assert loss.item() == pytest.approx(total.item())
    torch.testing.assert_close(gradient, whole.logprobs.grad)


@pytest.mark.parametrize("level", ["token", "sequence"])
@pytest.mark.parametrize("reduction", ["token", "sequence"])
@pytest.mark.parametrize("cut", [[[0, 1, 2, 3, 4]], [[0], [1, 2], [3, 4]], [[4, 2], [0], [3], [1]]])
def test_micro_batches_add_up_to_the_same_loss_gradient_and_report(level, reduction, cut):
    config = LossConfig(0.05, 0.1, reduction, 0.3, 0.1, ratio_level=level)
    whole = random_batch()
    normaliser = loss_normaliser(whole.trainable.sum(-1).tolist(), reduction)
    loss, sums = policy_loss(whole, config, normaliser)
    loss.backward()
    gradient = whole.logprobs.grad.clone()
    whole.logprobs.grad = None
    total = LossSums()
    for rows in cut:
        loss, more = policy_loss(part(whole, rows), config, normaliser)
        loss.backward()
        total += more
    torch.testing.assert_close(whole.logprobs.grad, gradient)
    for name in ("loss", "n_tokens", "n_clipped", "kl", "reference_kl", "entropy", "ratio_max"):
        assert getattr(total, name) == pytest.approx(getattr(sums, name)), name


def test_reference_kl_is_k3_and_pulls_towards_the_reference():
    tokens = batch([[1.0, 1.0]], [0.0])
    reference = tokens.logprobs.detach() + torch.tensor([[math.log(2), math.log(0.5)]])
    tokens = batch([[1.0, 1.0]], [0.0], reference_logprobs=reference)
    loss, sums = policy_loss(tokens, LossConfig(kl_coefficient=0.1), 2.0)
    loss.backward()
    # k3 = 2 - ln 2 - 1 and 0.5 + ln 2 - 1; its slope in logprob is 1 - e^d
    assert sums.reference_kl == pytest.approx(0.5)
    assert loss.item() == pytest.approx(0.1 * 0.5 / 2)
    expected = torch.tensor([[0.05 * (1 - 2), 0.05 * (1 - 0.5)]], dtype=torch.float64)
    torch.testing.assert_close(tokens.logprobs.grad, expected)


def test_a_reference_without_a_coefficient_is_reported_only():
    tokens = batch([[1.0]], [1.0])
    with_reference = batch([[1.0]], [1.0], reference_logprobs=tokens.logprobs.detach() + 1)
    loss, sums = policy_loss(with_reference, LossConfig(), 1.0)
    assert loss.item() == pytest.approx(-1)
    assert sums.reference_kl == pytest.approx(math.e - 2)


def test_entropy_bonus_lowers_the_loss():
    entropy = torch.tensor([[2.0, 9.0]], dtype=torch.float64, requires_grad=True)
    tokens = batch([[1.0, 1.0]], [0.0], [[True, False]], entropy=entropy)
    loss, sums = policy_loss(tokens, LossConfig(entropy_coefficient=0.5), 1.0)
    loss.backward()
    assert loss.item() == pytest.approx(-1.0)
    assert entropy.grad.tolist() == [[-0.5, 0.0]]
    assert sums.entropy == pytest.approx(2.0)


def test_report():
    tokens = batch([[1.5, 0.5, 1.0, 100.0]], [1.0], [[True, True, True, False]])
    _, sums = policy_loss(tokens, LossConfig(), 3.0)
    assert (sums.n_tokens, sums.n_clipped) == (3, 1)
    assert sums.ratio_max == pytest.approx(1.5)
    # k3 of KL(behaviour || policy): r - 1 - ln r
    assert sums.kl == pytest.approx((0.5 - math.log(1.5)) + (-0.5 - math.log(0.5)))


@pytest.mark.parametrize("level", ["token", "sequence"])
def test_a_ratio_out_of_bounds_stays_finite(level):
    tokens = batch([[1.0]], [-1.0])
    far = TokenBatch(
        (tokens.logprobs.detach() + 2000).requires_grad_(), *[tokens.behaviour_logprobs],
        tokens.trainable, tokens.advantages,
    )  # fmt: skip
    loss, _ = policy_loss(far, LossConfig(ratio_level=level), 1.0)
    loss.backward()
    assert math.isfinite(loss.item())
    assert math.isfinite(far.logprobs.grad.item())


@pytest.mark.parametrize("reduction", ["token", "sequence"])
def test_trl_grpo_formulas(reduction):
    """The formulas of TRL's trainer (loss types "bnpo" and "grpo"), written out with loops."""
    whole = random_batch(seed=3)
    config = LossConfig(reduction=reduction, kl_coefficient=0.04)
    counts = whole.trainable.sum(-1).tolist()
    loss, sums = policy_loss(whole, config, loss_normaliser(counts, reduction))
    means, total, n_clipped = [], 0.0, 0
    for row in range(5):
        own = []
        for place in torch.nonzero(whole.trainable[row])[:, 0].tolist():
            new = whole.logprobs[row, place].item()
            coef_1 = math.exp(new - whole.behaviour_logprobs[row, place].item())
            coef_2 = min(max(coef_1, 1 - 0.2), 1 + 0.28)
            advantage = whole.advantages[row].item()
            gap = whole.reference_logprobs[row, place].item() - new
            own.append(-min(coef_1 * advantage, coef_2 * advantage)
                       + 0.04 * (math.exp(gap) - gap - 1))  # fmt: skip
            n_clipped += (coef_1 < 0.8 and advantage < 0) or (coef_1 > 1.28 and advantage > 0)
        means.append(sum(own) / len(own))
        total += sum(own)
    expected = total / sum(counts) if reduction == "token" else sum(means) / 5
    assert loss.item() == pytest.approx(expected)
    assert sums.n_clipped == n_clipped > 0


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"reduction": "sum"}, "expected reduction to be one of"),
        ({"ratio_level": "group"}, "expected ratio_level to be one of sequence, token"),
        ({"clip_low": 1.5}, "clip_low"),
        ({"clip_high": -0.1}, "clip_high"),
        ({"kl_coefficient": -1.0}, "kl_coefficient"),
        ({"entropy_coefficient": math.nan}, "entropy_coefficient"),
    ],
)
def test_settings_out_of_range_are_refused(settings, message):
    with pytest.raises(ConfigError, match=message):
        LossConfig(**settings)


@pytest.mark.parametrize("term", ["kl_coefficient", "entropy_coefficient"])
def test_a_weighted_term_without_its_input_is_refused(term):
    with pytest.raises(ConfigError, match=term):
        policy_loss(batch([[1.0]], [1.0]), LossConfig(**{term: 0.1}), 1.0)
