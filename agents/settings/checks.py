"""Checks that the settings' classes share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pixel_env.errors import ConfigError


def check_least(config: Any, least: Mapping[str, float]) -> None:
    """Checks that settings are not under their least values; NaN is.

    Args:
        config: has the settings as attributes.
        least: the least value of each, by name.

    Raises:
        ConfigError: one is under it.
    """
    for name, low in least.items():
        if not getattr(config, name) >= low:
            raise ConfigError(f"expected {name} >= {low}, got {getattr(config, name)}")


def check_positive(config: Any, names: Iterable[str]) -> None:
    """Checks that settings are over 0; NaN isn't.

    Raises:
        ConfigError: one isn't.
    """
    for name in names:
        if not getattr(config, name) > 0:
            raise ConfigError(f"expected {name} over 0, got {getattr(config, name)}")


def check_share(config: Any, names: Iterable[str]) -> None:
    """Checks that settings are in [0, 1]; NaN isn't.

    Raises:
        ConfigError: one isn't.
    """
    for name in names:
        if not 0 <= getattr(config, name) <= 1:
            raise ConfigError(f"expected {name} in [0, 1], got {getattr(config, name)}")
