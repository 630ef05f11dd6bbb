"""Stickers: smooth flat shapes with a white rim and a soft shadow, for boards and clips."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

from PIL import Image as PILImage
from PIL import ImageDraw, ImageFilter

Colour = tuple[int, int, int]
Point = tuple[float, float]

SHAPES = ("circle", "square", "triangle", "star", "cross")

COLOURS: dict[str, Colour] = {
    "red": (222, 62, 58),
    "orange": (244, 146, 38),
    "green": (52, 158, 92),
    "blue": (48, 104, 208),
    "purple": (140, 80, 182),
    "black": (50, 52, 64),
}

RIM = (255, 255, 255)
SHADOW = (38, 40, 58)

_SMOOTHING = 4
"""Masks are drawn this many times as large and shrunk, so that their edges are smooth."""

_SHADOW_OPACITY = 0.35


@dataclass(frozen=True, slots=True)
class Masks:
    """The parts of a sticker as masks of one size (mode L).

    Attributes:
        body: the coloured shape.
        rim: the shape with its white rim.
        shadow: what the sticker darkens, moved down a little.
    """

    body: PILImage.Image
    rim: PILImage.Image
    shadow: PILImage.Image


def stick(
    picture: PILImage.Image,
    shape: str,
    fill: Colour,
    centre: tuple[int, int],
    size_px: int,
    turn: int = 0,
) -> None:
    """Draws a sticker into a picture.

    Args:
        picture: mode RGB.
        shape: a name of `SHAPES`.
        fill: its colour.
        centre: (x, y) in pixels.
        size_px: diameter of the circle that the shape fits into.
        turn: degrees, counter-clockwise.
    """
    masks = sticker_masks(shape, size_px, turn)
    corner = (centre[0] - masks.body.width // 2, centre[1] - masks.body.height // 2)
    picture.paste(SHADOW, corner, masks.shadow)
    picture.paste(RIM, corner, masks.rim)
    picture.paste(fill, corner, masks.body)


@lru_cache(maxsize=512)
def sticker_masks(shape: str, size_px: int, turn: int = 0) -> Masks:
    """Returns a sticker's masks, square, with room for rim and shadow around the shape."""
    rim_px = max(2.0, size_px / 28)
    fall = max(1, round(size_px / 26))
    side = size_px + 2 * (round(rim_px) + 2 * fall + 1)
    corners = outline(shape, size_px / 2, turn, (side / 2, side / 2))
    body, rim = (_filled(corners, side, widened) for widened in (0.0, rim_px))
    shadow = PILImage.new("L", (side, side), 0)
    shadow.paste(rim, (fall // 2, fall))
    shadow = shadow.filter(ImageFilter.GaussianBlur(fall))
    return Masks(body, rim, shadow.point([round(level * _SHADOW_OPACITY) for level in range(256)]))


def outline(shape: str, radius: float, turn: float, centre: Point) -> tuple[Point, ...]:
    """Returns the corners of a shape.

    Args:
        shape: a name of `SHAPES`; a circle is a polygon of many corners.
        radius: of the circle that the shape fits into.
        turn: degrees, counter-clockwise.
        centre: (x, y).
    """
    if shape == "circle":
        spokes = [(6.0 * step, 1.0) for step in range(60)]
    elif shape == "square":
        spokes = [(45.0 + 90.0 * step, 1.0) for step in range(4)]
    elif shape == "triangle":
        spokes = [(90.0 + 120.0 * step, 1.0) for step in range(3)]
    elif shape == "star":
        spokes = [(90.0 + 36.0 * step, 1.0 if step % 2 == 0 else 0.46) for step in range(10)]
    else:
        arm, notch = math.degrees(math.atan2(0.3, 0.9)), math.hypot(0.3, 0.3)
        spokes = []
        for quarter in range(4):
            middle = 90.0 * quarter
            spokes += [(middle - arm, 0.95), (middle + arm, 0.95), (middle + 45.0, notch)]
    return tuple(
        (
            centre[0] + radius * length * math.cos(math.radians(angle + turn)),
            centre[1] - radius * length * math.sin(math.radians(angle + turn)),
        )
        for angle, length in spokes
    )


def _filled(corners: tuple[Point, ...], side: int, widened: float) -> PILImage.Image:
    """Fills a polygon, `widened` pixels wider on every side with round corners."""
    large = PILImage.new("L", (side * _SMOOTHING, side * _SMOOTHING), 0)
    pen = ImageDraw.Draw(large)
    points = [(x * _SMOOTHING, y * _SMOOTHING) for x, y in corners]
    pen.polygon(points, fill=255)
    if widened:
        reach = widened * _SMOOTHING
        pen.line([*points, points[0]], fill=255, width=round(2 * reach))
        for x, y in points:
            pen.ellipse((x - reach, y - reach, x + reach, y + reach), fill=255)
    return large.reduce(_SMOOTHING)
