"""How a clip is read, beside what decodes it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..errors import ConfigError
from .video import MAX_DECODE_S


@dataclass(frozen=True, slots=True)
class ClipReading:
    """How a clip is read, beside what decodes it.

    Attributes:
        constant_rate: whether bounds are turned into frames at a constant rate, as MVBench does,
            also where a video file gives its frames times of their own.
        max_decode_s: how many seconds one pass over a video file may take; over 0.
        within: resolved folders; a frame of a folder that leads out of them through a link is a
            fault. Anywhere where there are none.
    """

    constant_rate: bool = False
    max_decode_s: float = MAX_DECODE_S
    within: tuple[Path, ...] = ()

    def __post_init__(self) -> None:
        """Checks the bound.

        Raises:
            ConfigError: it is no number over 0.
        """
        bound = self.max_decode_s
        if isinstance(bound, bool) or not isinstance(bound, int | float) or not bound > 0:
            raise ConfigError(f"expected max_decode_s to be a number over 0, got {bound!r}")
