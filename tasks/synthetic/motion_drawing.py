"""How the frames of a clip are drawn: a soft ground, shapes, and letters on white badges."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
from PIL import Image as PILImage
from PIL import ImageDraw

from .lettering import font
from .motion import ClipContent, ClipDifficulty, Mover, frames_of, place_of
from .stickers import COLOURS, Colour, stick

GROUNDS: tuple[tuple[Colour, Colour], ...] = (
    ((214, 232, 240), (246, 240, 226)),
    ((226, 238, 218), (248, 244, 228)),
    ((238, 226, 240), (250, 242, 234)),
    ((250, 228, 214), (246, 244, 236)),
)
"""Colours at the top and at the bottom of each ground."""

INK = (36, 38, 52)
PAPER = (255, 255, 255)

_CAPITAL = 0.7
"""Height of a capital, as a fraction of the font's size."""

_BADGE = 2.3
"""Diameter of a badge, as a multiple of the letter's height."""

_SMOOTHING = 4


def frames(content: ClipContent, difficulty: ClipDifficulty) -> Iterator[PILImage.Image]:
    """Draws the frames of a clip one by one, side_px x side_px RGB pixels."""
    ground = _ground(difficulty.side_px, content.ground % len(GROUNDS))
    shown = [frozenset(frames_of(mover, difficulty)) for mover in content.movers]
    for number in range(1, difficulty.n_frames + 1):
        frame = ground.copy()
        for mover, when in zip(content.movers, shown, strict=True):
            _draw(frame, mover, number, difficulty, shows_letter=number in when)
        yield frame


def _draw(
    frame: PILImage.Image,
    mover: Mover,
    number: int,
    difficulty: ClipDifficulty,
    shows_letter: bool,
) -> None:
    """Draws one shape into a frame."""
    place = place_of(mover, number, difficulty)
    stick(frame, mover.shape, COLOURS[mover.colour], place, difficulty.shape_px)
    if shows_letter:
        badge, mask = _badge(mover.letter, difficulty.letter_px)
        frame.paste(badge, (place[0] - badge.width // 2, place[1] - badge.height // 2), mask)


@lru_cache(maxsize=128)
def _badge(letter: str, letter_px: int) -> tuple[PILImage.Image, PILImage.Image]:
    """Returns a badge with a letter, and its mask."""
    side = round(letter_px * _BADGE) // 2 * 2
    badge = PILImage.new("RGB", (side, side), PAPER)
    pen = ImageDraw.Draw(badge)
    letters = font(round(letter_px / _CAPITAL))
    left, top, right, bottom = pen.textbbox((0, 0), letter, letters, stroke_width=1)
    corner = ((side - left - right) / 2, (side - top - bottom) / 2)
    pen.text(corner, letter, INK, letters, stroke_width=1, stroke_fill=INK)
    mask = PILImage.new("L", (side * _SMOOTHING,) * 2, 0)
    ImageDraw.Draw(mask).ellipse((0, 0, side * _SMOOTHING - 1, side * _SMOOTHING - 1), fill=255)
    return badge, mask.reduce(_SMOOTHING)


@lru_cache(maxsize=8)
def _ground(side: int, number: int) -> PILImage.Image:
    """Returns a ground that fades from its upper to its lower colour."""
    upper, lower = (np.array(colour, np.float64) for colour in GROUNDS[number])
    share = np.linspace(0.0, 1.0, side)[:, None]
    rows = np.rint(upper + (lower - upper) * share).astype(np.uint8)  # (side, 3)
    return PILImage.fromarray(np.repeat(rows[:, None, :], side, axis=1))
