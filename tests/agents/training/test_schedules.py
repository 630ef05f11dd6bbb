"""The learning rate by step."""

import pytest

from pixel_env.agents.training.schedules import learning_rate_at


def test_it_warms_up_and_falls_to_zero():
    rates = [learning_rate_at(step, 100, 2.0, 0.1) for step in range(100)]
    assert rates[0] == pytest.approx(0.2)
    assert rates[9] == rates[10] == 2.0
    assert rates[55] == pytest.approx(1.0)
    assert 0 < rates[-1] < 0.001
    assert rates[10:] == sorted(rates[10:], reverse=True)


def test_no_warm_up_starts_at_the_peak():
    assert learning_rate_at(0, 10, 3.0, 0.0) == 3.0


def test_nothing_but_warm_up_ends_at_the_peak():
    assert [learning_rate_at(step, 4, 1.0, 1.0) for step in range(4)] == [0.25, 0.5, 0.75, 1.0]
