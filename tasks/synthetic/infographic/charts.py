"""Smooth parts of a page: panels with round corners, rings, lines."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

from PIL import Image as PILImage
from PIL import ImageDraw

from .layout import Rect

Colour = tuple[int, int, int]

_SMOOTHING = 3
"""What isn't a rectangle is drawn this many times as large and shrunk."""


def draw_panel(picture: PILImage.Image, rect: Rect, fill: Colour, radius: int) -> None:
    """Draws a rectangle with round corners."""
    left, top, right, bottom = rect
    radius = min(radius, (right - left) // 2, (bottom - top) // 2)
    mask = PILImage.new("L", (right - left, bottom - top), 255)
    corner = _corner(radius)
    flip, mirror = PILImage.Transpose.FLIP_TOP_BOTTOM, PILImage.Transpose.FLIP_LEFT_RIGHT
    mask.paste(corner, (0, 0))
    mask.paste(corner.transpose(mirror), (mask.width - radius, 0))
    mask.paste(corner.transpose(flip), (0, mask.height - radius))
    turned = corner.transpose(mirror).transpose(flip)
    mask.paste(turned, (mask.width - radius, mask.height - radius))
    picture.paste(fill, (left, top), mask)


def draw_disc(picture: PILImage.Image, centre: tuple[int, int], radius: int, fill: Colour) -> None:
    """Draws a filled circle; what lies outside the picture is cut off."""
    x, y = centre
    draw_panel(picture, (x - radius, y - radius, x + radius, y + radius), fill, radius)


def draw_ring(
    picture: PILImage.Image, rect: Rect, percents: Sequence[int], fills: Sequence[Colour]
) -> None:
    """Draws a ring of parts, clockwise from the top, with gaps between them.

    Args:
        picture: mode RGB.
        rect: the square that the ring fills.
        percents: of each part; 100 together.
        fills: colours of the parts.
    """
    side = (rect[2] - rect[0]) * _SMOOTHING
    ground = picture.getpixel((rect[0], rect[1]))
    tile = PILImage.new("RGB", (side, side), ground)
    pen = ImageDraw.Draw(tile)
    angle = -90.0
    for percent, fill in zip(percents, fills, strict=True):
        end = angle + 3.6 * percent
        pen.pieslice((0, 0, side - 1, side - 1), angle + 1.2, end - 1.2, fill=fill)
        angle = end
    hole = side * 0.29
    pen.ellipse((hole, hole, side - hole, side - hole), fill=ground)
    picture.paste(tile.reduce(_SMOOTHING), rect[:2])


def draw_line(
    picture: PILImage.Image, rect: Rect, heights: Sequence[int], fill: Colour, shade: Colour
) -> None:
    """Draws a line through points at even distances, shaded below, with dots.

    Args:
        picture: mode RGB.
        rect: what the line fills.
        heights: in 0..100 of the rectangle's height.
        fill: colour of the line.
        shade: colour below the line.
    """
    width, height = (rect[2] - rect[0]) * _SMOOTHING, (rect[3] - rect[1]) * _SMOOTHING
    ground = picture.getpixel((rect[0], rect[1]))
    tile = PILImage.new("RGB", (width, height), ground)
    pen = ImageDraw.Draw(tile)
    step = width / len(heights)
    points = [((i + 0.5) * step, height * (1 - each / 100)) for i, each in enumerate(heights)]
    pen.polygon([(points[0][0], height), *points, (points[-1][0], height)], fill=shade)
    thick = height / 45
    pen.line(points, fill=fill, width=round(thick), joint="curve")
    for x, y in points:
        for reach, colour in ((2.1 * thick, fill), (1.2 * thick, ground)):
            box = (x - reach, y - reach, x + reach, y + reach)
            pen.ellipse(box, fill=colour)
    picture.paste(tile.reduce(_SMOOTHING), rect[:2])


@lru_cache(maxsize=64)
def _corner(radius: int) -> PILImage.Image:
    """Returns the mask of an upper left corner, radius square."""
    side = max(radius, 1) * 4
    large = PILImage.new("L", (side, side), 0)
    ImageDraw.Draw(large).ellipse((0, 0, 2 * side - 1, 2 * side - 1), fill=255)
    return large.reduce(4)


def mixed(one: Colour, other: Colour, share: float) -> Colour:
    """Mixes two colours; `share` of the second one."""
    red, green, blue = (
        math.floor(a + (b - a) * share + 0.5) for a, b in zip(one, other, strict=True)
    )
    return red, green, blue
