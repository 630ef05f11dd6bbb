"""A factor of a flat action counts only for the kinds that use it."""

import math

import pytest
import torch

from pixel_env.agents.sb3.flat_policy import USED, FlatDistribution

SIZES = [3, 4, 2, 5, 8]


@pytest.fixture
def distribution():
    made = FlatDistribution(SIZES)
    return made.proba_distribution(torch.zeros(1, sum(SIZES)))


@pytest.mark.parametrize(
    ("kind", "shares"),
    [(0, [1 / 3, 1 / 8]), (1, [1 / 3, 1 / 4, 1 / 2, 1 / 5]), (2, [1 / 3, 1 / 5])],
)
def test_log_probabilities_are_of_what_is_done(distribution, kind, shares):
    expected = math.log(math.prod(shares))
    for unused in (0, 1):
        row = torch.tensor([[kind, unused, unused, unused, unused]])
        assert distribution.log_prob(row).item() == pytest.approx(expected)


def test_entropy_is_that_of_what_is_done(distribution):
    """Of the joint distribution over distinguishable actions: H = -sum p log p, by listing them."""
    actions = []
    for used in USED:
        n_ways = math.prod(size for size, flag in list(zip(SIZES, used, strict=True))[1:] if flag)
        actions += [1 / 3 / n_ways] * n_ways
    assert sum(actions) == pytest.approx(1)
    expected = -sum(share * math.log(share) for share in actions)
    assert distribution.entropy().item() == pytest.approx(expected, rel=1e-6)


def test_pictures_have_no_third_kind():
    made = FlatDistribution([2, 4, 2, 1, 8]).proba_distribution(torch.zeros(2, 17))
    rows = torch.tensor([[0, 3, 1, 0, 7], [1, 3, 1, 0, 7]])
    assert made.log_prob(rows).tolist() == pytest.approx([math.log(1 / 16), math.log(1 / 16)])
