r"""The curiosity bonus: pay for calls while few rollouts of a sample have one, and not much.

Pixel Reasoner (arXiv 2505.15966) relaxes two constraints, RaPR(x) >= H and n_vo(y) <= N, to

    r'(x, y) = r + alpha * max(H - RaPR(x), 0) * 1_PR(y) + beta * min(N - n_vo(y), 0)

where RaPR(x) is the share of the rollouts of sample x with a call, 1_PR(y) is 1 where rollout y
has one, else 0, and n_vo(y) counts its operations. The middle term is the bonus, the last one the
penalty. The code released with the paper pays another bonus; both are presets.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import ConfigError, unknown_name

_LEAST_RATE = 1e-9
"""Keeps a division finite; a rate of k in n rollouts is larger unless it is 0."""

Numbers = NDArray[np.float64] | np.float64
"""A number, or an array of one number for each rollout."""


@dataclass(frozen=True, slots=True)
class CuriosityConfig:
    """How calls are paid."""

    alpha: float = 0.5
    """Weight of the bonus; at least 0."""
    beta: float = 0.05
    """What each operation beyond `max_operations` costs; at least 0."""
    threshold: float = 0.3
    """The RaPR, in [0, 1], from which on nothing is paid (the paper's H)."""
    max_operations: int = 1
    """How many operations are free (the paper's N); at least 0."""
    is_relative: bool = False
    """Divide the shortfall by the rate itself and by a divisor of the medium, as the released code
    does; the paper takes the shortfall as it is."""
    image_divisor: float = 2.0
    """The divisor for pictures, where `is_relative`; over 0."""
    video_divisor: float = 1.5
    """The divisor for clips, where `is_relative`; over 0."""

    def __post_init__(self) -> None:
        for name in ("alpha", "beta", "max_operations"):
            if not 0 <= getattr(self, name) < np.inf:
                raise ConfigError(f"expected {name} >= 0, got {getattr(self, name)}")
        if not 0 <= self.threshold <= 1:
            raise ConfigError(f"expected threshold in [0, 1], got {self.threshold}")
        if not (self.image_divisor > 0 and self.video_divisor > 0):
            raise ConfigError("expected image_divisor and video_divisor over 0")

    @classmethod
    def of(cls, preset: str = "paper", **overrides: float | None) -> CuriosityConfig:
        """Returns a preset with some of its fields replaced; None keeps the preset's own.

        Raises:
            ConfigError: no preset or field has that name, or a value is out of range.

        >>> CuriosityConfig.of("paper", threshold=0.5).threshold
        0.5
        """
        if preset not in PRESETS:
            raise unknown_name("preset", preset, PRESETS)
        known = [field.name for field in fields(cls)]
        for name in overrides:
            if name not in known:
                raise unknown_name("a curiosity setting", name, known)
        given: dict[str, Any] = {k: value for k, value in overrides.items() if value is not None}
        return replace(PRESETS[preset], **given)

    def __call__(
        self,
        rate: ArrayLike,
        used: ArrayLike,
        n_operations: ArrayLike,
        video: ArrayLike = False,
        threshold: ArrayLike | None = None,
    ) -> tuple[Numbers, Numbers]:
        """Returns (bonus, penalty); see `curiosity_bonus`. `threshold` replaces the config's."""
        rates = np.asarray(rate, dtype=np.float64)
        users = np.asarray(used, dtype=bool)
        counts = np.asarray(n_operations, dtype=np.float64)
        if not np.all((rates >= 0) & (rates <= 1)):
            raise ConfigError(f"expected rate in [0, 1], got {rate!r}")
        if not np.all(counts >= 0):
            raise ConfigError(f"expected n_operations >= 0, got {n_operations!r}")
        wanted = self.threshold if threshold is None else np.asarray(threshold, dtype=np.float64)
        shortfall = np.maximum(wanted - rates, 0.0)
        if self.is_relative:
            divisor = np.where(video, self.video_divisor, self.image_divisor)
            shortfall = shortfall * (rates > 0) / divisor / np.maximum(rates, _LEAST_RATE)
        bonus = np.where(users, self.alpha * shortfall, 0.0)
        penalty = self.beta * np.minimum(self.max_operations - counts, 0.0)
        return np.float64(bonus) if bonus.ndim == 0 else bonus, penalty


PRESETS: Mapping[str, CuriosityConfig] = {
    "paper": CuriosityConfig(),
    "released": CuriosityConfig(alpha=0.25, is_relative=True),
}
"""`paper` is the formula as published; `released` what the published code pays."""


def curiosity_bonus(
    rate: ArrayLike,
    used: ArrayLike,
    n_operations: ArrayLike,
    preset: str = "paper",
    video: ArrayLike = False,
    **overrides: float | None,
) -> tuple[Numbers, Numbers]:
    """Returns what calls earn a rollout, and what too many operations cost it.

    Preset "paper" (arXiv 2505.15966): `alpha * max(threshold - rate, 0) * used` and
    `beta * min(max_operations - n_operations, 0)`. Preset "released" divides the shortfall by the
    rate, and by 2 for pictures or 1.5 for clips; its penalty is the paper's.

    Args:
        rate: RaPR, the share of the sample's rollouts with a call, this one included; in [0, 1].
        used: whether this rollout has a call.
        n_operations: how many operations this rollout asked for.
        preset: "paper" or "released".
        video: whether the sample is a clip; only "released" makes a difference of it.
        **overrides: `alpha`, `beta`, `threshold`, `max_operations` or any other field of
            `CuriosityConfig`; None, and what is left out, keeps the preset's value.

    Returns:
        (bonus, penalty), bonus >= 0 and penalty <= 0; numbers, or arrays where arrays are given.
        At rate 0 no rollout has a call: then "released" pays nothing, to whomever.

    Raises:
        ConfigError: an unknown preset or setting, or a value out of range.

    >>> bonus, penalty = curiosity_bonus(rate=1 / 8, used=True, n_operations=3)
    >>> round(float(bonus), 4), round(float(penalty), 4)
    (0.0875, -0.1)
    """
    return CuriosityConfig.of(preset, **overrides)(rate, used, n_operations, video)
