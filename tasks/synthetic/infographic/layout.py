"""Where everything on an infographic page stands, in source pixels."""

from __future__ import annotations

from dataclasses import dataclass

from pixel_env.media.geometry import Box

from ..lettering import width_of
from .page import N_PARTS, PageContent, PageDifficulty

Rect = tuple[int, int, int, int]
"""(left, top, right, bottom) in source pixels."""

BASE_PX = 1120
"""Width of the page that the numbers below are for; others are scaled."""

_MARGIN, _GAP, _HEAD = 56, 28, 336
_HEIGHTS = {"figure": 490, "bars": 570, "table": 520}
_NARROW = {"figure": 410, "table": 430}
"""Width of a block's narrow half: the figure beside the ring, the table beside the line."""

_INSET = 32
_HEADING = 84
_SMALL_STEP = 38


@dataclass(frozen=True, slots=True)
class PageLayout:
    """Where everything on one page stands.

    Attributes:
        size: (width, height) of the page.
        head: the band with the title.
        figure: panel of the large figure.
        ring: panel of the ring.
        bars: panel of the bars.
        line: panel of the line.
        table: panel of the table.
        foot: the band with the small print.
        unit: source pixels for each pixel of the base page.
        content: what is on the page.
        difficulty: its knobs.
    """

    size: tuple[int, int]
    head: Rect
    figure: Rect
    ring: Rect
    bars: Rect
    line: Rect
    table: Rect
    foot: Rect
    unit: float
    content: PageContent
    difficulty: PageDifficulty

    def px(self, base: float) -> int:
        """Scales a length of the base page."""
        return round(base * self.unit)

    def bar(self, number: int) -> Rect:
        """Returns the row of bar `number`, from 0, with its label."""
        left, top, right, bottom = self._inside(self.bars)
        return _part((left, top, right, bottom), number, len(self.content.bars))

    def legend(self, number: int) -> Rect:
        """Returns the line of part `number`, from 0, in the ring's legend."""
        left, top, right, bottom = self.ring
        inset = self.px(_INSET)
        start = left + inset + self.ring_px + inset
        room = (start, top + 2 * inset, right - inset // 2, bottom - 2 * inset)
        return _part(room, number, N_PARTS)

    @property
    def ring_px(self) -> int:
        """Diameter of the ring."""
        return self.px(250)

    @property
    def plot(self) -> Rect:
        """The part of the line's panel that the line is drawn in; years stand below it."""
        left, top, right, bottom = self._inside(self.line)
        return left, top, right, bottom - self.px(64)

    def cell(self, row: int, column: int) -> Rect:
        """Returns a cell of the table: row 0 holds the headings, column 0 the places."""
        left, top, right, bottom = self._inside(self.table)
        _, top, _, bottom = _part((left, top, right, bottom), row, len(self.content.rows) + 1)
        width = (right - left) / 4.4  # of a column of numbers; that of the places is wider
        edges = [left, *(right - round(width * (3 - i)) for i in range(4))]
        return edges[column], top, edges[column + 1], bottom

    def small_line(self, number: int, text: str) -> Rect:
        """Returns the rectangle of line `number`, from 0, of the small print."""
        size, (left, top, _, _) = self.difficulty.small_px, self.foot
        low = top + self.px(28) + number * self.px(_SMALL_STEP)
        start = left + self.px(_MARGIN)
        return start, low, start + round(width_of(text, size)), low + round(size * 1.3)

    def share(self, *rects: Rect) -> Box:
        """Returns the rectangle around some, as fractions of the page."""
        width, height = self.size
        return (
            min(rect[0] for rect in rects) / width,
            min(rect[1] for rect in rects) / height,
            max(rect[2] for rect in rects) / width,
            max(rect[3] for rect in rects) / height,
        )

    def _inside(self, panel: Rect) -> Rect:
        """Returns what a panel has below its heading."""
        left, top, right, bottom = panel
        inset = self.px(_INSET)
        return left + inset, top + self.px(_HEADING), right - inset, bottom - inset * 3 // 4


def lay_out(content: PageContent, difficulty: PageDifficulty) -> PageLayout:
    """Lays out a page."""
    unit = difficulty.page_px / BASE_PX
    width, height = difficulty.page_px, 2 * difficulty.page_px
    panels: dict[str, Rect] = {}
    top = float(_HEAD + 36)
    for block in content.blocks:
        below = top + _HEIGHTS[block]
        if block == "bars":
            panels["bars"] = _scaled((_MARGIN, top, BASE_PX - _MARGIN, below), unit)
        else:
            narrow, wide = _halves(block, top, below, content.is_mirrored)
            names = ("figure", "ring") if block == "figure" else ("table", "line")
            panels[names[0]], panels[names[1]] = _scaled(narrow, unit), _scaled(wide, unit)
        top = below + _GAP
    return PageLayout(
        size=(width, height),
        head=_scaled((0, 0, BASE_PX, _HEAD), unit),
        foot=(0, round((top + 8) * unit), width, height),
        unit=unit,
        content=content,
        difficulty=difficulty,
        **panels,
    )


def _halves(
    block: str, top: float, bottom: float, is_mirrored: bool
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Returns a block's narrow and wide half."""
    left, right, narrow = _MARGIN, BASE_PX - _MARGIN, _NARROW[block]
    if is_mirrored:
        return (right - narrow, top, right, bottom), (left, top, right - narrow - _GAP, bottom)
    return (left, top, left + narrow, bottom), (left + narrow + _GAP, top, right, bottom)


def _scaled(rect: tuple[float, ...], unit: float) -> Rect:
    left, top, right, bottom = (round(edge * unit) for edge in rect)
    return left, top, right, bottom


def _part(room: Rect, number: int, count: int) -> Rect:
    """Returns one of `count` equal parts of a rectangle, one above the other."""
    left, top, right, bottom = room
    step = (bottom - top) / count
    return left, round(top + number * step), right, round(top + (number + 1) * step)
