"""The bonus against the published tables, to the digit."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixel_env.curiosity.bonus import PRESETS, CuriosityConfig, curiosity_bonus
from pixel_env.errors import ConfigError


@pytest.mark.parametrize(
    ("group_size", "n_users", "bonus"),
    [
        (8, 1, 0.0875),
        (8, 2, 0.025),
        (8, 3, 0.0),
        (8, 8, 0.0),
        (16, 1, 0.11875),
        (16, 2, 0.0875),
        (4, 1, 0.025),
        (4, 2, 0.0),
    ],
)
def test_the_papers_bonus_by_users_in_a_group(group_size, n_users, bonus):
    paid, penalty = curiosity_bonus(n_users / group_size, True, 1)
    assert paid == pytest.approx(bonus, abs=1e-12)
    assert penalty == 0


@pytest.mark.parametrize(
    ("group_size", "n_users", "image", "video"),
    [
        (8, 1, 0.175, 0.7 / 3),
        (8, 2, 0.025, 0.1 / 3),
        (8, 3, 0.0, 0.0),
        (16, 1, 0.475, 1.9 / 3),
    ],
)
def test_the_released_bonus_by_users_in_a_group(group_size, n_users, image, video):
    rate = n_users / group_size
    assert curiosity_bonus(rate, True, 1, preset="released")[0] == pytest.approx(image)
    assert curiosity_bonus(rate, True, 1, preset="released", video=True)[0] == pytest.approx(video)


@pytest.mark.parametrize("preset", sorted(PRESETS))
@pytest.mark.parametrize(("n_operations", "penalty"), [(0, 0), (1, 0), (2, -0.05), (4, -0.15)])
def test_each_operation_after_the_first_costs_a_twentieth(preset, n_operations, penalty):
    paid = curiosity_bonus(0.125, n_operations > 0, n_operations, preset=preset)[1]
    assert paid == pytest.approx(penalty)


@pytest.mark.parametrize("preset", sorted(PRESETS))
def test_a_rollout_without_a_call_gets_no_bonus(preset):
    assert curiosity_bonus(0.125, False, 0, preset=preset) == (0, 0)


@pytest.mark.parametrize("used", [False, True])
def test_the_released_bonus_at_rate_zero_is_zero_and_divides_by_nothing(used):
    with np.errstate(all="raise"):
        assert curiosity_bonus(0.0, used, 0, preset="released") == (0, 0)


def test_settings_can_be_given_one_by_one():
    bonus, penalty = curiosity_bonus(
        0.25, True, 4, alpha=2.0, beta=0.5, threshold=0.75, max_operations=2
    )
    assert (bonus, penalty) == (1.0, -1.0)
    assert curiosity_bonus(0.25, True, 4, alpha=None, beta=None) == curiosity_bonus(0.25, True, 4)
    assert CuriosityConfig.of("released", image_divisor=4.0).image_divisor == 4.0


def test_arrays_give_arrays_of_the_same_numbers():
    used = np.array([True, False, True, True])
    counts = np.array([1, 0, 2, 3])
    rates = np.array([0.125, 0.125, 0.25, 0.5])
    video = np.array([False, False, True, True])
    for preset in PRESETS:
        bonus, penalty = curiosity_bonus(rates, used, counts, preset=preset, video=video)
        for lane in range(4):
            one = curiosity_bonus(
                rates[lane], used[lane], counts[lane], preset=preset, video=video[lane]
            )
            assert (bonus[lane], penalty[lane]) == one


@given(
    st.floats(0, 1),
    st.booleans(),
    st.integers(0, 1000),
    st.sampled_from(sorted(PRESETS)),
    st.booleans(),
)
def test_a_bonus_never_costs_and_a_penalty_never_pays(rate, used, n_operations, preset, video):
    bonus, penalty = curiosity_bonus(rate, used, n_operations, preset=preset, video=video)
    assert bonus >= 0
    assert penalty <= 0
    assert np.isfinite(bonus)


@pytest.mark.parametrize(
    "wrong",
    [
        {"preset": "papers"},
        {"alpha": -1.0},
        {"beta": float("nan")},
        {"threshold": 1.5},
        {"max_operations": -1},
        {"video_divisor": 0.0},
        {"aplha": 1.0},
        {"rate": 1.5},
        {"rate": float("nan")},
        {"n_operations": -1},
    ],
)
def test_a_wrong_setting_is_refused(wrong):
    with pytest.raises(ConfigError):
        curiosity_bonus(**({"rate": 0.5, "used": True, "n_operations": 1} | wrong))


def test_an_unknown_preset_is_answered_with_the_nearest_one():
    with pytest.raises(ConfigError, match="Did you mean 'paper'"):
        curiosity_bonus(0.5, True, 1, preset="papers")
