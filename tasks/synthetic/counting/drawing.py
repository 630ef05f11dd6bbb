"""How a board is drawn: dotted paper, stickers, and cards with small marks."""

from __future__ import annotations

import math
from functools import lru_cache

from PIL import Image as PILImage
from PIL import ImageDraw, ImageFilter

from ..light import lit_ground
from ..stickers import COLOURS, SHADOW, Colour, stick
from .board import BoardContent, BoardDifficulty, Card
from .layout import Place, lay_out

PAPERS: tuple[tuple[Colour, Colour], ...] = (
    ((244, 240, 231), (226, 219, 204)),
    ((236, 241, 243), (215, 224, 228)),
    ((241, 238, 245), (222, 217, 230)),
)
"""Ground and dots of each paper."""

CARD_COLOURS: dict[str, tuple[Colour, Colour]] = {
    "blue": ((178, 208, 246), (122, 168, 228)),
    "green": ((184, 224, 180), (126, 188, 124)),
    "yellow": ((252, 232, 150), (236, 198, 70)),
    "pink": ((250, 200, 220), (232, 146, 180)),
}
"""Face and header of each card."""

INK = (44, 46, 62)

_HEADER = 0.14
"""Height of a card's header, as a fraction of its side."""

_SMOOTHING = 4
_INK_SHARE = 0.4
"""Share of a mark's square that is ink, for each kind of mark alike."""


def draw(content: BoardContent, difficulty: BoardDifficulty) -> PILImage.Image:
    """Draws a board.

    Returns:
        A picture of scene_px x scene_px RGB pixels; the same at every call.
    """
    board = lay_out(content, difficulty)
    picture = _ground(content, difficulty)
    for card, place in zip(content.cards, board.cards, strict=True):
        _draw_card(picture, card, place, content.places, difficulty)
    for sticker, place in zip(content.stickers, board.stickers, strict=True):
        fill = COLOURS[sticker.colour]
        stick(picture, sticker.shape, fill, place, sticker.size_px, sticker.turn)
    return picture


def _ground(content: BoardContent, difficulty: BoardDifficulty) -> PILImage.Image:
    """Returns what everything lies on: paper of some kind, or light."""
    if difficulty.lit:
        return PILImage.fromarray(lit_ground(difficulty.scene_px))
    return _paper(difficulty.scene_px, content.places % len(PAPERS)).copy()


@lru_cache(maxsize=6)
def _paper(side: int, number: int) -> PILImage.Image:
    """Returns dotted paper."""
    ground, dots = PAPERS[number]
    step = 28
    tile = PILImage.new("RGB", (step * _SMOOTHING,) * 2, ground)
    middle, radius = step * _SMOOTHING / 2, 2.2 * _SMOOTHING
    box = (middle - radius, middle - radius, middle + radius, middle + radius)
    ImageDraw.Draw(tile).ellipse(box, fill=dots)
    tile = tile.reduce(_SMOOTHING)
    paper = PILImage.new("RGB", (side, side), ground)
    for y in range(0, side, step):
        for x in range(0, side, step):
            paper.paste(tile, (x, y))
    return paper


def _draw_card(
    picture: PILImage.Image, card: Card, place: Place, seed: int, difficulty: BoardDifficulty
) -> None:
    """Draws one card and its marks, each a little beside the middle of its slot."""
    side, mark_px = difficulty.card_px, difficulty.mark_px
    face, shadow, header = _card_masks(side)
    margin = (shadow.width - side) // 2
    left, top = place[0] - side // 2, place[1] - side // 2
    picture.paste(SHADOW, (left - margin, top - margin), shadow)
    picture.paste(CARD_COLOURS[card.colour][0], (left, top), face)
    picture.paste(CARD_COLOURS[card.colour][1], (left, top), header)
    for kind, (x, y) in mark_places(card, place, seed, difficulty):
        mask = mark_mask(kind, mark_px)
        picture.paste(INK, (int(x) - mask.width // 2, int(y) - mask.height // 2), mask)


def mark_places(
    card: Card, place: Place, seed: int, difficulty: BoardDifficulty
) -> list[tuple[str, tuple[float, float]]]:
    """Returns the kind of each mark on a card, and its centre (x, y) in source pixels.

    Args:
        card: the card.
        place: its centre.
        seed: of the board's places.
        difficulty: the knobs of the board.
    """
    side, slots = difficulty.card_px, difficulty.slots
    left, top = place[0] - side // 2, place[1] - side // 2
    free = side * (1 - _HEADER)
    slot = free / slots
    room = max(0.0, (slot - difficulty.mark_px) / 2 - 1) * 0.8
    found = []
    for number, kind in enumerate(card.marks):
        row, column = divmod(number, slots)
        shift = _shift(seed, number)
        x = left + (side - free) / 2 + (column + 0.5) * slot + room * shift[0]
        y = top + _HEADER * side + (row + 0.5) * slot + room * shift[1]
        if kind:
            found.append((kind, (x, y)))
    return found


def _shift(seed: int, number: int) -> tuple[float, float]:
    """Returns where a mark stands in the room of its slot, each in [-1, 1]; any mark alike."""
    mixed = (seed + 1) * 2654435761 + number * 40503 * 65537
    return ((mixed >> 8) % 201 - 100) / 100, ((mixed >> 20) % 201 - 100) / 100


@lru_cache(maxsize=8)
def _card_masks(side: int) -> tuple[PILImage.Image, PILImage.Image, PILImage.Image]:
    """Returns the masks of a card's face, its shadow and its header."""
    large = PILImage.new("L", (side * _SMOOTHING,) * 2, 0)
    last = side * _SMOOTHING - 1
    ImageDraw.Draw(large).rounded_rectangle((0, 0, last, last), last * 0.07, fill=255)
    face = large.reduce(_SMOOTHING)
    header = face.copy()
    header.paste(0, (0, round(side * _HEADER), side, side))
    margin = side // 8
    shadow = PILImage.new("L", (side + 2 * margin,) * 2, 0)
    shadow.paste(face, (margin, margin + side // 30))
    shadow = shadow.filter(ImageFilter.GaussianBlur(side / 30))
    return face, shadow.point([round(level * 0.3) for level in range(256)]), header


@lru_cache(maxsize=32)
def mark_mask(kind: str, size_px: int) -> PILImage.Image:
    """Returns the mask of a mark, size_px square; every kind takes the same ink.

    Args:
        kind: a name of `MARKS`.
        size_px: side in pixels.
    """
    side = float(size_px * 2 * _SMOOTHING)
    ink, middle = _INK_SHARE * side * side, side / 2
    large = PILImage.new("L", (round(side),) * 2, 0)
    pen = ImageDraw.Draw(large)
    if kind == "dots":
        reach = math.sqrt(ink / math.pi)
        pen.ellipse((middle - reach, middle - reach, middle + reach, middle + reach), fill=255)
    elif kind == "triangles":
        reach = math.sqrt(ink * 4 / (3 * math.sqrt(3)))  # of the circle through its corners
        angles = [math.radians(90 + 120 * step) for step in range(3)]
        pen.polygon(
            [(middle + reach * math.cos(a), middle - reach * math.sin(a)) for a in angles], fill=255
        )
    else:
        reach = side * 0.47
        arm = reach - math.sqrt(reach * reach - ink / 4)  # ink = 4 * arm * (2 * reach - arm)
        pen.rectangle((middle - reach, middle - arm, middle + reach, middle + arm), fill=255)
        pen.rectangle((middle - arm, middle - reach, middle + arm, middle + reach), fill=255)
    return large.reduce(2 * _SMOOTHING)
