"""An episode drawn for a person: the overview with boxes, the newest view, the conversation."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image as PillowImage
from PIL import ImageDraw

from ..errors import OperationError
from ..history import History
from ..media.rgb import Image
from ..operations import Argument, OperationSet, operations
from ..reading import GivenAction, described
from ..types import LETTERS, View

PANEL_PX = 480
"""Height of a picture, and width of its halves: the overview on the left, on the right the
conversation and under it the newest view. All pictures are of one size, as films and windows need
them."""

NEWEST_PX = 200
"""Height of the newest view of an operation, where there is one."""

UNREADABLE = "This sample could not be read."
"""Stands for the question of a sample whose files are broken."""

COLOURS = ((230, 60, 40), (20, 130, 240), (30, 160, 60), (200, 110, 0), (150, 60, 200))
"""Colours of the boxes, in the order of the operations."""

_FONT_PX = 13
_LINE_PX = 18
_LINE_CHARS = 62
_MARGIN_PX = 12


def draw_episode(history: History | None, conversation: Sequence[tuple[str, str]]) -> Image:
    """Draws an episode; where the conversation is too long for the picture, its newest lines.

    Args:
        history: what was shown; None where the sample could not be read.
        conversation: (who, text) of each message so far.

    Returns:
        (PANEL_PX, 2 * PANEL_PX, 3) uint8 RGB.
    """
    canvas = PillowImage.new("RGB", (2 * PANEL_PX, PANEL_PX), (255, 255, 255))
    views = history.views if history else ()
    canvas.paste(_overview(views), (0, 0))
    pen = ImageDraw.Draw(canvas)
    height = PANEL_PX
    if views and views[-1].origin != "overview":
        height -= NEWEST_PX + _MARGIN_PX
        newest = fitted(PillowImage.fromarray(views[-1].image), PANEL_PX, NEWEST_PX)
        canvas.paste(newest, (PANEL_PX + _MARGIN_PX, height))
        _number(pen, len(views), (PANEL_PX + _MARGIN_PX, height), (0, 0, 0))
    for row, (line, colour) in enumerate(_lines(history, conversation, height)):
        place = (PANEL_PX + _MARGIN_PX, _MARGIN_PX + row * _LINE_PX)
        pen.text(place, line, fill=colour, font_size=_FONT_PX)
    return np.array(canvas, dtype=np.uint8)


def written_action(action: object, known: OperationSet | None = None) -> str:
    """Writes an action, or what was given in its place, on one line of at most 200 characters.

    Args:
        action: anything.
        known: the operations; by default those that are registered now.
    """
    if isinstance(action, OperationError):
        return "(a message that could not be read)"
    if not isinstance(action, dict):
        return "(no action)"
    try:
        operation = (known or operations()).of(action)
    except OperationError:
        return "(unknown operation)"
    fields = [_short(_field(argument, action)) for argument in operation.arguments]
    return " ".join([operation.name, *fields])[:200]


def _field(argument: Argument, action: GivenAction) -> Any:
    """Returns what an action gives an argument; None where that is missing."""
    is_given = argument.name in action or not argument.is_required
    return argument.given(action) if is_given else None


def _short(value: object) -> str:
    """Writes a field's value in a few characters."""
    if isinstance(value, np.ndarray) and value.dtype.kind in "biuf":
        return np.array2string(value.ravel()[:16], precision=3, separator=", ", threshold=16)
    return repr(value[:120]) if isinstance(value, str) else described(value)


def _overview(views: tuple[View, ...]) -> PillowImage.Image:
    """Draws the first view of each source, and on it what was shown of it later."""
    firsts = {view.source: view for view in reversed(views) if _opens_source(view)}
    if not firsts:
        return PillowImage.new("RGB", (PANEL_PX, PANEL_PX), (128, 128, 128))
    columns = int(np.ceil(np.sqrt(len(firsts))))
    cell = PANEL_PX // columns
    rows = -(-len(firsts) // columns)
    sheet = PillowImage.new("RGB", (PANEL_PX, rows * cell), (240, 240, 240))
    for place, source in enumerate(sorted(firsts)):
        picture = fitted(PillowImage.fromarray(firsts[source].image), cell, cell)
        later = [(n, v) for n, v in enumerate(views, 1) if v.origin != "overview"]
        pen = ImageDraw.Draw(picture)
        for order, (number, view) in enumerate(later):
            if view.source == source:
                _mark(pen, view, number, picture.size, COLOURS[order % len(COLOURS)])
        sheet.paste(picture, ((place % columns) * cell, (place // columns) * cell))
    return sheet


def _opens_source(view: View) -> bool:
    """Tells whether a view is the first one of its source: an overview, or a picture made."""
    return view.origin == "overview" or view.made is not None


def _mark(
    pen: ImageDraw.ImageDraw,
    view: View,
    number: int,
    size: tuple[int, int],
    colour: tuple[int, int, int],
) -> None:
    """Outlines what a view shows of its source, with its number."""
    width, height = size[0] - 1, size[1] - 1
    x1, y1, x2, y2 = view.box
    pen.rectangle((x1 * width, y1 * height, x2 * width, y2 * height), outline=colour, width=2)
    _number(pen, number, (x1 * width, y1 * height), colour)


def _number(
    pen: ImageDraw.ImageDraw,
    number: int,
    corner: tuple[float, float],
    colour: tuple[int, int, int],
) -> None:
    """Writes a view's number into its corner, so that it reads on any picture."""
    place = (corner[0] + 4, corner[1] + 2)
    white = (255, 255, 255)
    pen.text(place, str(number), fill=colour, font_size=_FONT_PX, stroke_width=2, stroke_fill=white)


def fitted(picture: PillowImage.Image, width: int, height: int) -> PillowImage.Image:
    """Returns a picture as large as a frame holds; of small ones every pixel stays a square."""
    scale = min(width / picture.width, height / picture.height)
    if scale >= 2:
        scale = int(scale)
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    how = PillowImage.Resampling.NEAREST if scale >= 2 else PillowImage.Resampling.LANCZOS
    return picture.resize(size, how)


def _lines(
    history: History | None, conversation: Sequence[tuple[str, str]], height: int
) -> list[tuple[str, tuple[int, int, int]]]:
    """Wraps the question and as many of the newest lines as there is room for, in colours."""
    sample = history.sample if history else None
    asked = [sample.question if sample else UNREADABLE]
    if sample:
        asked += [f"({a}) {b}" for a, b in zip(LETTERS, sample.choices, strict=False)]
    colours = {"question": (0, 0, 0), "policy": (20, 90, 200), "environment": (90, 90, 90)}
    n_rows = (height - 2 * _MARGIN_PX) // _LINE_PX
    head = _wrapped([("question", text) for text in asked])[: n_rows // 2]
    talk = _wrapped(conversation)
    n_room = n_rows - len(head)
    if len(talk) > n_room:
        talk = [("environment", "..."), *talk[len(talk) - n_room + 1 :]]
    return [(line, colours[who]) for who, line in (*head, *talk)]


def _wrapped(messages: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Wraps messages into lines, each with who wrote it."""
    lines = []
    for who, text in messages:
        clean = text[:2000].encode("utf-8", "replace").decode("utf-8")
        lines += [(who, line) for line in textwrap.wrap(clean, _LINE_CHARS)]
    return lines
