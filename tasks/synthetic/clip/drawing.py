"""How the frames of a clip are drawn: a soft ground, shapes, and letters on white badges."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
from PIL import Image as PILImage
from PIL import ImageDraw

from ..lettering import font
from ..light import light_at
from ..stickers import COLOURS, Colour, stick
from .motion import STILL, ClipContent, ClipDifficulty, Mover, frames_of, place_of

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
    ground = _empty(content, 1, difficulty)
    shown = [frozenset(frames_of(mover, difficulty)) for mover in content.movers]
    for number in range(1, difficulty.clip_frames + 1):
        frame = _empty(content, number, difficulty) if difficulty.lit else ground.copy()
        for mover, when in zip(content.movers, shown, strict=True):
            if mover.way != STILL:
                _stick(frame, mover, number, difficulty)
            if number in when:
                _show_letter(frame, mover, number, difficulty)
        yield frame


def _empty(content: ClipContent, number: int, difficulty: ClipDifficulty) -> PILImage.Image:
    """Returns the ground of a frame with the shape that stands still."""
    side = difficulty.side_px
    if difficulty.lit:
        colour = light_at((number - 1) / (difficulty.clip_frames - 1))
        ground = PILImage.new("RGB", (side, side), colour)
    else:
        ground = _ground(side, content.ground % len(GROUNDS)).copy()
    _stick(ground, content.still, 1, difficulty)
    return ground


def _stick(frame: PILImage.Image, mover: Mover, number: int, difficulty: ClipDifficulty) -> None:
    """Draws a shape where it is in a frame."""
    place = place_of(mover, number, difficulty)
    stick(frame, mover.shape, COLOURS[mover.colour], place, difficulty.shape_px)


def _show_letter(
    frame: PILImage.Image, mover: Mover, number: int, difficulty: ClipDifficulty
) -> None:
    """Draws a badge with the letter in the middle of a shape."""
    x, y = place_of(mover, number, difficulty)
    badge, mask = _badge(mover.letter, difficulty.letter_px)
    frame.paste(badge, (x - badge.width // 2, y - badge.height // 2), mask)


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
