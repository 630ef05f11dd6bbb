"""The settings of the environment, checked once, and the named presets."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from .errors import ConfigError, unknown_name
from .resampling.filters import check_resampler

PixelRange = tuple[int, int]
"""(fewest, most) pixels that one picture is shown with."""

UNIT = 28 * 28
"""Pixels that one image token of Qwen2.5-VL covers; presets count in it."""

ZOOM_SOURCES = ("original", "view")
OPTION_ORDERS = ("seeded", "as_given")


@dataclass(frozen=True, slots=True)
class EnvConfig:
    """How a `PixelReasoningEnv` shows its media and what it allows."""

    max_turns: int = 5
    """Steps after which an episode without an answer is truncated; at least 1."""
    max_views: int = 16
    """Most pictures shown in an episode, at least 1. A clip's sampled frames count as one together;
    an operation that would show more is refused."""
    overview_px: PixelRange = (256 * UNIT, 1280 * UNIT)
    """Pixel range of a picture as first shown."""
    clip_px: PixelRange | None = None
    """Pixel range of each sampled frame of a clip as first shown; None: `overview_px`."""
    crop_px: PixelRange = (256 * UNIT, 1280 * UNIT)
    """Pixel range of what a zoom shows."""
    frame_px: PixelRange = (256 * UNIT, 1280 * UNIT)
    """Pixel range of a selected frame."""
    zoom_source: str = "original"
    """"original" reads a zoom from the source's own pixels, "view" cuts it from the picture as it
    was shown."""
    padding: float = 0.0
    """What a zoom adds on every side of its box, as a fraction of the target view's width and
    height; in [0, 1]."""
    resampler: str = "lanczos"
    """What shrinks pictures: "lanczos", "bicubic", which takes two thirds of its time, or "vips",
    the first one by libvips, which takes a third."""
    min_crop_side_px: int = 8
    """A zoom whose rectangle has a shorter side, in the pixels that it reads, is refused; at least
    1."""
    side_multiple: int = 28
    """What the sides of every picture shown are multiples of; at least 1."""
    n_frames: int = 16
    """How many frames of a clip are sampled and shown first; at least 1."""
    max_selected: int = 8
    """Most frames that one operation may select; at least 1."""
    option_order: str = "seeded"
    """"seeded" shows options in an order fixed by the sample's id, "as_given" in the data set's
    order."""

    def __post_init__(self) -> None:
        for name in ("max_turns", "max_views", "min_crop_side_px", "side_multiple"):
            _check_count(name, getattr(self, name))
        for name in ("n_frames", "max_selected"):
            _check_count(name, getattr(self, name))
        for name in ("overview_px", "clip_px", "crop_px", "frame_px"):
            given = getattr(self, name)
            if given is not None or name != "clip_px":
                checked = _check_range(name, given, self.side_multiple)
                object.__setattr__(self, name, checked)
        if self.zoom_source not in ZOOM_SOURCES:
            raise unknown_name("zoom_source", self.zoom_source, ZOOM_SOURCES)
        check_resampler(self.resampler)
        if self.option_order not in OPTION_ORDERS:
            raise unknown_name("option_order", self.option_order, OPTION_ORDERS)
        if not _is_number(self.padding) or not 0 <= self.padding <= 1:
            raise ConfigError(f"expected padding in [0, 1], got {self.padding!r}")

    @classmethod
    def of(cls, preset: str | None = None, **settings: Any) -> EnvConfig:
        """Returns a preset with some of its fields replaced.

        Args:
            preset: a name in `PRESETS`; None for the defaults.
            **settings: fields by name; they win over the preset's.

        Raises:
            ConfigError: no preset or field has that name, or a value is out of range.

        >>> EnvConfig.of("pixel-reasoner", padding=0.0).zoom_source
        'view'
        """
        if preset is not None and preset not in PRESETS:
            raise unknown_name("preset", preset, PRESETS)
        for name in settings:
            if name not in FIELDS:
                raise unknown_name("a setting of the environment", name, FIELDS)
        return cls(**{**(PRESETS[preset] if preset else {}), **settings})

    def replaced(self, **settings: Any) -> EnvConfig:
        """Returns a copy with some fields replaced.

        Raises:
            ConfigError: no field has that name, or a value is out of range.
        """
        for name in settings:
            if name not in FIELDS:
                raise unknown_name("a setting of the environment", name, FIELDS)
        return replace(self, **settings)

    @property
    def max_view_number(self) -> int:
        """The highest number that a view can have."""
        return self.max_views - 1 + max(self.n_frames, 1)

    @property
    def max_px(self) -> int:
        """The most pixels that any picture is shown with."""
        ranges = (self.overview_px, self.clip_px or self.overview_px, self.crop_px, self.frame_px)
        return max(most for _, most in ranges)


FIELDS = tuple(field.name for field in fields(EnvConfig))
"""Names of the settings of the environment."""

_RELEASED: Mapping[str, Any] = {
    "max_turns": 5,
    "max_views": 16,
    "padding": 0.1,
    "zoom_source": "view",
    "resampler": "bicubic",
    "min_crop_side_px": 29,  # "over 28"
    "side_multiple": 28,
    "n_frames": 16,
    "max_selected": 8,
}

PRESETS: Mapping[str, Mapping[str, Any]] = {
    "pixel-reasoner": {
        **_RELEASED,
        "overview_px": (256 * UNIT, 8000 * UNIT),
        "clip_px": (4 * UNIT, 512 * UNIT),
        "crop_px": (256 * UNIT, 5120 * UNIT),
        "frame_px": (4 * UNIT, 512 * UNIT),
    },
    "pixel-reasoner-train": {
        **_RELEASED,
        "overview_px": (4 * UNIT, 2000 * UNIT),
        "clip_px": (4 * UNIT, 400 * UNIT),
        "crop_px": (4 * UNIT, 1000 * UNIT),
        "frame_px": (4 * UNIT, 400 * UNIT),
    },
}
"""Published settings of Pixel Reasoner (arXiv 2505.15966): of its evaluation, of its training."""


def _check_count(name: str, value: object) -> None:
    """Checks a whole number of at least 1."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ConfigError(f"expected {name} to be a whole number from 1, got {value!r}")


def _check_range(name: str, value: object, multiple: int) -> PixelRange:
    """Checks a (fewest, most) pair of pixel counts that can hold one tile of `multiple`."""
    if not isinstance(value, tuple | list) or len(value) != 2:
        raise ConfigError(f"expected {name} to be (fewest, most) pixels, got {value!r}")
    low, high = value
    if not all(isinstance(side, int) and not isinstance(side, bool) for side in value):
        raise ConfigError(f"expected {name} to be whole numbers of pixels, got {value!r}")
    if not 0 < low <= high:
        raise ConfigError(f"expected {name} with 0 < fewest <= most, got {value!r}")
    if high < multiple * multiple:
        raise ConfigError(
            f"expected {name} to allow at least {multiple} x {multiple} = {multiple**2} pixels "
            f"(side_multiple squared), got {value!r}"
        )
    return low, high


def _is_number(value: object) -> bool:
    """Tells whether a value is a finite real number, and no boolean."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return math.isfinite(value)
