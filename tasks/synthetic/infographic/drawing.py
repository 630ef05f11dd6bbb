"""How an infographic page is drawn: title, figure, ring, bars, line, table and small print."""

from __future__ import annotations

from dataclasses import dataclass

from PIL import Image as PILImage
from PIL import ImageDraw

from ..lettering import fitting_size, font
from .charts import Colour, draw_disc, draw_line, draw_panel, draw_ring, mixed
from .layout import PageLayout, Rect, lay_out
from .page import PageContent, PageDifficulty
from .small_print import small_lines


@dataclass(frozen=True, slots=True)
class Palette:
    """Colours that go together.

    Attributes:
        ground: of the page.
        band: of the title and the small print.
        ink: of texts.
        accents: of charts.
    """

    ground: Colour
    band: Colour
    ink: Colour
    accents: tuple[Colour, Colour, Colour, Colour]


PALETTES = (
    Palette(
        (246, 241, 232),
        (30, 52, 82),
        (34, 44, 62),
        ((232, 98, 74), (52, 140, 156), (240, 180, 66), (142, 166, 110)),
    ),
    Palette(
        (236, 243, 238),
        (22, 82, 70),
        (26, 56, 50),
        ((240, 140, 60), (40, 150, 120), (92, 110, 190), (226, 196, 92)),
    ),
    Palette(
        (245, 239, 246),
        (82, 40, 96),
        (58, 38, 70),
        ((214, 80, 132), (110, 92, 196), (244, 168, 90), (92, 170, 180)),
    ),
    Palette(
        (248, 240, 232),
        (140, 56, 40),
        (74, 42, 34),
        ((200, 80, 50), (230, 164, 60), (96, 132, 110), (120, 110, 150)),
    ),
    Palette(
        (235, 239, 245),
        (40, 46, 66),
        (40, 46, 66),
        ((64, 112, 214), (236, 112, 96), (88, 182, 160), (246, 196, 80)),
    ),
)

_WHITE = (255, 255, 255)
_CORNER = 24


def draw(content: PageContent, difficulty: PageDifficulty) -> PILImage.Image:
    """Draws a page.

    Returns:
        A picture of page_px x 2 page_px RGB pixels; the same at every call.
    """
    layout = lay_out(content, difficulty)
    return _Page(layout, PALETTES[content.palette % len(PALETTES)]).drawn()


class _Page:
    """A page that is being drawn."""

    def __init__(self, layout: PageLayout, palette: Palette) -> None:
        self._layout = layout
        self._palette = palette
        self._picture = PILImage.new("RGB", layout.size, palette.ground)
        self._pen = ImageDraw.Draw(self._picture)
        self._large = layout.difficulty.large_px

    def drawn(self) -> PILImage.Image:
        """Draws everything and returns the picture."""
        layout = self._layout
        self._draw_head()
        for panel in (layout.ring, layout.bars, layout.line, layout.table):
            draw_panel(self._picture, panel, _WHITE, layout.px(_CORNER))
        self._draw_figure()
        self._draw_ring()
        self._draw_bars()
        self._draw_years()
        self._draw_table()
        self._draw_foot()
        return self._picture

    def _draw_head(self) -> None:
        """Draws the band with discs in its corner, the title and a subtitle."""
        layout, band = self._layout, self._palette.band
        left, top, right, bottom = layout.head
        self._pen.rectangle((left, top, right - 1, bottom - 1), fill=band)
        for number, (x, y, radius) in enumerate(((1060, 20, 140), (905, 30, 62), (812, 64, 22))):
            fill = mixed(band, self._palette.accents[number], 0.75)
            draw_disc(self._picture, (layout.px(x), layout.px(y)), layout.px(radius), fill)
        title, room = layout.content.title, layout.px(1000)
        size = fitting_size(title, layout.px(100), room)
        self._write((layout.px(56), layout.px(246)), title, size, _WHITE, "ls", bold=2)
        subtitle = f"What {layout.content.about.people} told us"
        faint = mixed(band, _WHITE, 0.7)
        self._write((layout.px(60), layout.px(300)), subtitle, layout.px(36), faint, "ls")

    def _draw_figure(self) -> None:
        """Draws the large figure and what it is a share of."""
        layout, fill = self._layout, self._palette.accents[0]
        left, top, right, bottom = layout.figure
        draw_panel(self._picture, layout.figure, fill, layout.px(_CORNER))
        x, y = (left + right) // 2, (top + bottom) // 2
        figure = layout.content.figure
        self._write((x, y - layout.px(20)), figure, layout.px(190), _WHITE, "mm", bold=3)
        caption = f"of all {layout.content.about.people}"
        self._write((x, y + layout.px(118)), caption, layout.px(36), _WHITE, "mm")

    def _draw_ring(self) -> None:
        """Draws the ring and its legend."""
        layout, parts = self._layout, self._layout.content.parts
        left, top, _, bottom = layout.ring
        side, start = layout.ring_px, left + layout.px(36)
        low = (top + bottom - side) // 2
        fills = self._palette.accents
        percents = [percent for _, percent in parts]
        draw_ring(self._picture, (start, low, start + side, low + side), percents, fills)
        for number, (label, _) in enumerate(parts):
            x, y1, right, y2 = layout.legend(number)
            y, dot = (y1 + y2) // 2, layout.px(17)
            draw_disc(self._picture, (x + dot, y), dot, fills[number])
            x += layout.px(44)
            size = fitting_size(label, self._large, right - x)
            self._write((x, y), label, size, self._palette.ink, "lm")

    def _draw_bars(self) -> None:
        """Draws the bars with labels before and small numbers after them."""
        layout, bars = self._layout, self._layout.content.bars
        self._head_panel(layout.bars, layout.content.about.measure)
        for number, (label, length) in enumerate(bars):
            left, top, right, bottom = layout.bar(number)
            y, half = (top + bottom) // 2, layout.px(24)
            self._write((left, y), label, self._large, self._palette.ink, "lm")
            start = left + layout.px(270)
            end = start + round((right - layout.px(70) - start) * length / 100)
            fill = self._palette.accents[1]
            draw_panel(self._picture, (start, y - half, end, y + half), fill, layout.px(12))
            amount = f"{length * 13:,}"
            self._write_small((end + layout.px(12), y), amount, self._palette.ink, "lm")

    def _draw_years(self) -> None:
        """Draws the line and the years below it."""
        layout, years = self._layout, self._layout.content.years
        self._head_panel(layout.line, layout.content.about.series)
        left, _, right, bottom = layout.plot
        accent = self._palette.accents[2]
        heights = [height for _, height in years]
        draw_line(self._picture, layout.plot, heights, accent, mixed(accent, _WHITE, 0.72))
        rule = mixed(self._palette.ink, _WHITE, 0.7)
        self._pen.line((left, bottom, right, bottom), fill=rule, width=max(layout.px(2), 1))
        step = (right - left) / len(years)
        for number, (year, _) in enumerate(years):
            place = (round(left + (number + 0.5) * step), bottom + layout.px(36))
            size = fitting_size(year, self._large, step * 0.84)
            self._write(place, year, size, self._palette.ink, "mm")

    def _draw_table(self) -> None:
        """Draws the table; every other row is tinted."""
        layout, content = self._layout, self._layout.content
        self._head_panel(layout.table, "City by city")
        headings = ("City", content.about.columns)
        for row, (place, numbers) in enumerate((headings, *content.rows)):
            left, top, _, bottom = layout.cell(row, 0)
            right = layout.cell(row, 3)[2]
            if row % 2:
                inset = layout.px(10)
                tint = mixed(self._palette.ground, _WHITE, 0.2)
                stripe = (left - inset, top, right + inset, bottom)
                draw_panel(self._picture, stripe, tint, layout.px(8))
            ink = self._palette.accents[0] if row == 0 else self._palette.ink
            self._write_small((left, (top + bottom) // 2), place, ink, "lm")
            for column, number in enumerate(numbers, start=1):
                _, _, end, _ = layout.cell(row, column)
                self._write_small((end, (top + bottom) // 2), number, ink, "rm")

    def _draw_foot(self) -> None:
        """Draws the band with the small print."""
        left, top, right, bottom = self._layout.foot
        band = self._palette.band
        self._pen.rectangle((left, top, right - 1, bottom - 1), fill=band)
        for number, text in enumerate(small_lines(self._layout.content)):
            x, y1, _, y2 = self._layout.small_line(number, text)
            self._write_small((x, (y1 + y2) // 2), text, mixed(band, _WHITE, 0.85), "lm")

    def _head_panel(self, panel: Rect, heading: str) -> None:
        """Writes a panel's heading."""
        left, top, right, _ = panel
        layout = self._layout
        size = fitting_size(heading, layout.px(40), right - left - layout.px(64))
        place = (left + layout.px(32), top + layout.px(48))
        self._write(place, heading, size, self._palette.band, "lm", bold=1)

    def _write_small(self, place: tuple[int, int], text: str, ink: Colour, anchor: str) -> None:
        self._write(place, text, self._layout.difficulty.small_px, ink, anchor)

    def _write(
        self,
        place: tuple[int, int],
        text: str,
        size_px: int,
        ink: Colour,
        anchor: str,
        bold: int = 0,
    ) -> None:
        """Writes a line of text; `bold` widens its strokes by pixels."""
        drawn = font(size_px)
        self._pen.text(place, text, ink, drawn, anchor, stroke_width=bold, stroke_fill=ink)
