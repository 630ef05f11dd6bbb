"""Warns when a policy has stopped zooming: the learning trap."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping

from pixel_env.errors import ConfigError

logger = logging.getLogger(__name__)

MEANINGS = {
    "rapr": "no rollout has a call any more (see docs/metrics.md, learning trap)",
    "reward/curiosity": (
        "either no rollout has a call any more, or the RaPR of every group is over the threshold "
        "(see docs/metrics.md, learning trap)"
    ),
}
"""The metrics that are watched by default, and what it means when one stays at 0."""


class CollapseWatch:
    """Warns when a policy has stopped zooming: the learning trap.

    A curve at 0 is easily overlooked among thirty others, and it does not recover by itself.
    One warning is given for each collapse: after `patience` iterations at 0, and again only when
    the number has been over 0 in between.
    """

    def __init__(self, patience: int = 20, meanings: Mapping[str, str] | None = None) -> None:
        """Takes after how many iterations at 0 to warn, and which metrics to watch.

        Args:
            patience: at least 1.
            meanings: metrics to watch, with what a 0 means; `MEANINGS` where None.

        Raises:
            ConfigError: `patience` is under 1.
        """
        if patience < 1:
            raise ConfigError(f"expected patience of at least 1, got {patience}")
        self.patience = patience
        self._meanings = MEANINGS if meanings is None else meanings
        self._at_zero = dict.fromkeys(self._meanings, 0)

    def watch(self, metrics: Mapping[str, float]) -> list[str]:
        """Takes one iteration's metrics; returns the warnings, and logs them.

        A metric that is missing or not a number changes nothing.
        """
        warnings = []
        for name, meaning in self._meanings.items():
            value = metrics.get(name, math.nan)
            if math.isnan(value):
                continue
            self._at_zero[name] = self._at_zero[name] + 1 if value == 0 else 0
            if self._at_zero[name] == self.patience:
                warnings.append(f"{name} has been 0 for {self.patience} iterations: {meaning}")
        for warning in warnings:
            logger.warning(warning)
        return warnings

    def state(self) -> dict[str, int]:
        """Returns what a checkpoint has to keep."""
        return dict(self._at_zero)

    def restore(self, state: Mapping[str, int]) -> None:
        """Goes on from what `state` gave."""
        self._at_zero = {name: int(state.get(name, 0)) for name in self._at_zero}
