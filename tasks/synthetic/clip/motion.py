"""What happens in a clip: shapes that move, each showing a letter for a moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from pixel_env.config import EnvConfig
from pixel_env.errors import ConfigError
from pixel_env.media.frame_sampling import spread_indices
from pixel_env.media.geometry import Box

from ..stickers import COLOURS, SHAPES

WAYS: dict[str, tuple[int, int]] = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1)}
"""Which way a shape moves, as (x, y)."""

STILL = ""
"""The way of the one shape that stands still."""

SAMPLED = EnvConfig().n_frames
"""How many frames of a clip an environment samples by default."""

N_GROUNDS = 4
_CELLS = 2
"""A frame is this many cells wide and high; each shape stays in its own, so none covers another."""


@dataclass(frozen=True, slots=True)
class ClipDifficulty:
    """The knobs of a clip.

    Attributes:
        side_px: side of a frame in source pixels; larger makes the overview coarser.
        clip_frames: frames of the clip, from 16 to 240.
        n_shapes: shapes in it, from 2 to 4; all but one are distractors.
        shape_px: diameter of a shape in source pixels.
        letter_px: height of the letter on a shape in source pixels.
        seen_in: in how many of 16 evenly sampled frames each letter is shown, from 1 to 4.
        letters: the letters in use.
        lit: whether the light tells when a frame is, in place of a ground that stays as it is.
    """

    side_px: int = 384
    clip_frames: int = 48
    n_shapes: int = 3
    shape_px: int = 92
    letter_px: int = 12
    seen_in: int = 2
    letters: str = "ACEFHKLMNPRTUVXZ"
    lit: bool = field(default=False, repr=False)

    def __post_init__(self) -> None:
        """Checks that such a clip can be drawn.

        Raises:
            ConfigError: a knob is out of its range.
        """
        for name, least, most in (
            ("side_px", 128, 1024),
            ("clip_frames", SAMPLED, 240),
            ("n_shapes", 2, _CELLS**2),
            ("seen_in", 1, 4),
            ("shape_px", 32, self.side_px // 3),
            ("letter_px", 6, self.shape_px // 4),
        ):
            if not least <= getattr(self, name) <= most:
                raise ConfigError(
                    f"expected {name} from {least} to {most}, got {getattr(self, name)}"
                )
        if self.side_px % 2:
            raise ConfigError(f"expected side_px to be even, as videos are, got {self.side_px}")
        is_written = self.letters.isascii() and self.letters.isalpha() and self.letters.isupper()
        if not is_written or len(set(self.letters)) < max(4, len(self.letters)):
            raise ConfigError(
                f"expected letters to be at least 4 different capitals, got {self.letters!r}"
            )


@dataclass(frozen=True, slots=True)
class Mover:
    """One shape of a clip.

    Attributes:
        colour: a name of `COLOURS`; unique in its clip.
        shape: a name of `SHAPES`.
        letter: the letter that it shows for a moment.
        way: a name of `WAYS`, or `STILL`.
        cell: which cell of the frame it stays in, from 0, row by row.
        window: which of the equal parts of the clip shows its letter, from 0.
    """

    colour: str
    shape: str
    letter: str
    way: str
    cell: int
    window: int


@dataclass(frozen=True, slots=True)
class ClipContent:
    """What happens in a clip; everything that is drawn follows from it.

    Attributes:
        movers: the first one is asked for, and moves; exactly one stands still.
        ground: number of the background.
    """

    movers: tuple[Mover, ...]
    ground: int

    @property
    def still(self) -> Mover:
        """The shape that stands still."""
        return next(mover for mover in self.movers if mover.way == STILL)


def random_clip(rng: np.random.Generator, difficulty: ClipDifficulty) -> ClipContent:
    """Draws what happens in a clip.

    Args:
        rng: where every choice comes from.
        difficulty: the knobs.
    """
    count = difficulty.n_shapes
    colours = rng.permutation(len(COLOURS))[:count]
    cells = rng.permutation(_CELLS**2)[:count]
    windows = rng.permutation(SAMPLED // difficulty.seen_in)[:count]
    still = int(rng.integers(1, count))
    movers = tuple(
        Mover(
            colour=tuple(COLOURS)[colours[i]],
            shape=_pick(rng, SHAPES),
            letter=_pick(rng, difficulty.letters),
            way=STILL if i == still else _pick(rng, tuple(WAYS)),
            cell=int(cells[i]),
            window=int(windows[i]),
        )
        for i in range(count)
    )
    return ClipContent(movers, int(rng.integers(N_GROUNDS)))


def frames_of(mover: Mover, difficulty: ClipDifficulty) -> tuple[int, ...]:
    """Returns the frames, numbered from 1, in which a shape shows its letter.

    They are the frames nearest to `seen_in` of the sampled ones, so that each sampled frame of an
    event shows it, and each of its other frames is next to one that does.
    """
    windows = enumerate(_windows(difficulty), start=1)
    return tuple(number for number, window in windows if window == mover.window)


def sampled_frames(difficulty: ClipDifficulty) -> tuple[int, ...]:
    """Returns the frames, numbered from 1, that an environment samples by default."""
    return tuple(index + 1 for index in spread_indices(0, difficulty.clip_frames - 1, SAMPLED))


@lru_cache(maxsize=32)
def _windows(difficulty: ClipDifficulty) -> tuple[int, ...]:
    """Returns for each frame the window that it belongs to."""
    sampled = sampled_frames(difficulty)
    nearest = (
        min(range(len(sampled)), key=lambda place: abs(sampled[place] - number))
        for number in range(1, difficulty.clip_frames + 1)
    )
    return tuple(place // difficulty.seen_in for place in nearest)


def place_of(mover: Mover, number: int, difficulty: ClipDifficulty) -> tuple[int, int]:
    """Returns the centre (x, y) of a shape in frame `number`, from 1, in source pixels."""
    cell_px = difficulty.side_px / _CELLS
    travel = cell_px - difficulty.shape_px * 1.12
    gone = (number - 1) / (difficulty.clip_frames - 1) - 0.5
    x_way, y_way = WAYS.get(mover.way, (0, 0))
    row, column = divmod(mover.cell, _CELLS)
    x = (column + 0.5) * cell_px + x_way * travel * gone
    y = (row + 0.5) * cell_px + y_way * travel * gone
    return round(x), round(y)


def box_of(mover: Mover, number: int, difficulty: ClipDifficulty) -> Box:
    """Returns the rectangle of a shape in frame `number`, from 1, fractions of the frame."""
    (x, y), half = place_of(mover, number, difficulty), difficulty.shape_px / 2
    side = float(difficulty.side_px)
    return ((x - half) / side, (y - half) / side, (x + half) / side, (y + half) / side)


def _pick(rng: np.random.Generator, names: Sequence[str]) -> str:
    return names[int(rng.integers(len(names)))]
