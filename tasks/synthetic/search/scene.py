"""Scenes of coloured shapes with small letters on them: what they hold, and how they are drawn."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PILImage
from PIL import ImageDraw

from pixel_env.media.geometry import Box
from pixel_env.media.rgb import Image

from ..light import lit_ground

COLOURS: dict[str, tuple[int, int, int]] = {
    "red": (214, 32, 38),
    "orange": (250, 140, 20),
    "yellow": (246, 226, 40),
    "green": (30, 160, 60),
    "cyan": (60, 214, 226),
    "blue": (34, 62, 220),
    "pink": (250, 150, 200),
    "white": (246, 246, 246),
    "black": (16, 16, 20),
    "purple": (128, 32, 168),
}
SHAPES = ("circle", "square", "triangle", "cross")

GLYPHS: dict[str, str] = {
    "E": "11111 10000 10000 11110 10000 10000 11111",
    "F": "11111 10000 10000 11110 10000 10000 10000",
    "H": "10001 10001 10001 11111 10001 10001 10001",
    "J": "00111 00010 00010 00010 00010 10010 01100",
    "K": "10001 10010 10100 11000 10100 10010 10001",
    "L": "10000 10000 10000 10000 10000 10000 11111",
    "M": "10001 11011 10101 10101 10001 10001 10001",
    "N": "10001 11001 10101 10011 10001 10001 10001",
    "O": "01110 10001 10001 10001 10001 10001 01110",
    "P": "11110 10001 10001 11110 10000 10000 10000",
    "S": "01111 10000 10000 01110 00001 00001 11110",
    "T": "11111 00100 00100 00100 00100 00100 00100",
    "U": "10001 10001 10001 10001 10001 10001 01110",
    "V": "10001 10001 10001 10001 10001 01010 00100",
    "X": "10001 10001 01010 00100 01010 10001 10001",
    "Z": "11111 00001 00010 00100 01000 10000 11111",
}
"""Letters as 7 rows of 5 dots: no font is needed, so a scene is the same on every machine."""

BADGE = (250, 250, 250)
INK = (10, 10, 10)


@dataclass(frozen=True, slots=True)
class SceneObject:
    """One shape of a scene.

    Attributes:
        colour: a name of `COLOURS`; unique in its scene.
        shape: a name of `SHAPES`.
        mark: the letter on it.
        centre: (x, y) in source pixels.
        size_px: side of the square that the shape fills.
        dot_px: side of one dot of the letter, in source pixels (a letter is 5 x 7 dots).
    """

    colour: str
    shape: str
    mark: str
    centre: tuple[int, int]
    size_px: int
    dot_px: int


@dataclass(frozen=True, slots=True)
class Scene:
    """A square scene: its objects and the seed of its texture.

    Attributes:
        side_px: side of the scene in pixels.
        objects: no two overlap.
        texture: seed of the background's grain.
    """

    side_px: int
    objects: tuple[SceneObject, ...]
    texture: int

    def box(self, subject: SceneObject) -> Box:
        """Returns the rectangle of an object, fractions of the scene."""
        half = subject.size_px / 2
        x, y = subject.centre
        side = float(self.side_px)
        return ((x - half) / side, (y - half) / side, (x + half) / side, (y + half) / side)


def draw(scene: Scene) -> PILImage.Image:
    """Draws a scene.

    Returns:
        A picture of side_px x side_px RGB pixels; the same at every call.
    """
    picture = PILImage.fromarray(_background(scene.side_px, scene.texture))
    for subject in scene.objects:
        stamp, mask = _stamp(
            subject.colour, subject.shape, subject.mark, subject.size_px, subject.dot_px
        )
        x, y = subject.centre
        picture.paste(stamp, (x - stamp.width // 2, y - stamp.height // 2), mask)
    return picture


@lru_cache(maxsize=8)
def _grain(side_px: int) -> NDArray[np.uint8]:
    """Returns noise of +-12 levels around 12, twice as large as a scene, to cut textures from."""
    rng = np.random.default_rng(20250522)
    grain = rng.integers(0, 25, size=(2 * side_px, 2 * side_px, 1), dtype=np.uint8)
    return np.repeat(grain, 3, axis=2)  # adding one channel to three takes ten times as long


def _background(side_px: int, texture: int) -> Image:
    """Returns the ground of a scene; the texture seed picks the window of the grain."""
    row, column = texture // 4096 % side_px, texture % 4096 % side_px
    window = _grain(side_px)[row : row + side_px, column : column + side_px]
    return lit_ground(side_px) + window


@lru_cache(maxsize=4096)
def _stamp(
    colour: str, shape: str, mark: str, size_px: int, dot_px: int
) -> tuple[PILImage.Image, PILImage.Image]:
    """Returns one object's picture and its mask, both size_px square."""
    fill = COLOURS[colour]
    outline = (20, 20, 20) if sum(fill) > 150 else (200, 200, 200)
    stamp = PILImage.new("RGB", (size_px, size_px), fill)
    mask = PILImage.new("L", (size_px, size_px), 0)
    pen, mask_pen = ImageDraw.Draw(stamp), ImageDraw.Draw(mask)
    _shape(mask_pen, shape, size_px, fill=255, outline=None, width=0)
    _shape(pen, shape, size_px, fill=fill, outline=outline, width=max(1, size_px // 32))
    _letter(pen, mark, size_px, dot_px)
    return stamp, mask


def _shape(
    pen: ImageDraw.ImageDraw,
    shape: str,
    size: int,
    *,
    fill: int | tuple[int, int, int],
    outline: tuple[int, int, int] | None,
    width: int,
) -> None:
    """Draws one shape that fills a square of side `size`."""
    last = size - 1
    if shape == "circle":
        pen.ellipse((0, 0, last, last), fill=fill, outline=outline, width=width)
    elif shape == "square":
        inset = size // 12
        box = (inset, inset, last - inset, last - inset)
        pen.rectangle(box, fill=fill, outline=outline, width=width)
    elif shape == "triangle":
        corners = [(last // 2, 0), (last, last), (0, last)]
        pen.polygon(corners, fill=fill, outline=outline, width=width)
    else:
        a, b = size // 3, last - size // 3
        corners = [(a, 0), (b, 0), (b, a), (last, a), (last, b), (b, b)]
        corners += [(b, last), (a, last), (a, b), (0, b), (0, a), (a, a)]
        pen.polygon(corners, fill=fill, outline=outline, width=width)


def _letter(pen: ImageDraw.ImageDraw, mark: str, size: int, dot: int) -> None:
    """Draws a letter of 5 x 7 dots in ink on a light badge in the middle of the square."""
    rows = GLYPHS[mark].split()
    left, top = (size - 5 * dot) // 2, (size - 7 * dot) // 2
    badge = (left - dot, top - dot, left + 6 * dot - 1, top + 8 * dot - 1)
    pen.rectangle(badge, fill=BADGE)
    for y, row in enumerate(rows):
        for x, on in enumerate(row):
            if on == "1":
                corner = (left + x * dot, top + y * dot)
                pen.rectangle((*corner, corner[0] + dot - 1, corner[1] + dot - 1), fill=INK)
