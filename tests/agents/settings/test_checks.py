"""Ranges that settings are checked for: a bound is allowed, what is beyond it and NaN are not."""

import math
from types import SimpleNamespace

import pytest

from pixel_env import ConfigError
from pixel_env.agents.settings.checks import check_least, check_positive, check_share


@pytest.mark.parametrize(
    ("check", "right", "wrong", "message"),
    [
        (lambda c: check_least(c, {"n": 2}), (2, 3), (1, math.nan), "expected n >= 2, got"),
        (lambda c: check_positive(c, ("n",)), (1e-9, 5), (0, -1, math.nan), "expected n over 0"),
        (lambda c: check_share(c, ("n",)), (0, 0.5, 1), (-0.1, 1.1, math.nan), r"n in \[0, 1\]"),
    ],
)
def test_bounds_are_allowed_and_what_is_beyond_them_is_named(check, right, wrong, message):
    for value in right:
        check(SimpleNamespace(n=value))
    for value in wrong:
        with pytest.raises(ConfigError, match=message):
            check(SimpleNamespace(n=value))
