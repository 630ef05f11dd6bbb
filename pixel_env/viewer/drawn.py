"""One recorded episode as a picture, for reports and logs: what it saw, and where it zoomed in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from PIL import Image as PillowImage
from PIL import ImageDraw

from ..drawing.picture import fitted
from ..media.geometry import Box
from ..media.picture_files import read_picture
from ..media.rgb import Image
from .site import Site

SIDE_PX = 320
"""Height and width of each part at most."""

BOX, EVIDENCE = (255, 176, 0), (224, 0, 127)
"""Colours of what an operation read, and of the evidence."""

_GAP_PX = 8


def draw_recorded(site: Site, number: int) -> Image:
    """Draws the source with numbered boxes and the evidence, and the newest view beside it.

    Args:
        site: what was read of a folder.
        number: of the episode, from 0; one that can be shown.

    Returns:
        (height, width, 3) uint8 RGB, no larger than the parts need.

    Raises:
        DataError: a picture can't be read any more.
    """
    detail = site.details[number]
    views, regions = detail["views"], detail["regions"]
    newest = views[-1]
    root = next(view for view in views if view["n"] == newest["root"])
    drawn = [each for each in regions if each["view"] == root["n"]]
    parts = [_part(site, root, [(each["box"], each["turn"]) for each in drawn], detail["gold"])]
    if newest is not root:
        parts.append(_part(site, newest, [], detail["gold"]))
    width = sum(part.width for part in parts) + _GAP_PX * (len(parts) - 1)
    sheet = PillowImage.new("RGB", (width, max(part.height for part in parts)), "white")
    left = 0
    for part in parts:
        sheet.paste(part, (left, 0))
        left += part.width + _GAP_PX
    return np.asarray(sheet)


def _part(
    site: Site,
    view: Mapping[str, Any],
    boxes: Sequence[tuple[Box, int]],
    gold: Mapping[str, Any],
) -> PillowImage.Image:
    """Draws one view with boxes, fractions of it, and what it shows of the evidence."""
    picture = read_picture(site.pictures.found[view["picture"]["name"]])
    picture = fitted(picture, SIDE_PX, SIDE_PX)
    pen = ImageDraw.Draw(picture)
    for evidence in gold["evidence"]:
        if evidence["source"] == view["source"]:
            _outline(pen, _within(evidence["box"], view["box"]), picture.size, EVIDENCE)
    for box, turn in boxes:
        x, y = _outline(pen, box, picture.size, BOX)
        pen.text((x + 4, y + 2), str(turn), fill=BOX, stroke_width=1, stroke_fill=(0, 0, 0))
    return picture


def _outline(
    pen: ImageDraw.ImageDraw, box: Box, size: tuple[int, int], colour: tuple[int, int, int]
) -> tuple[float, float]:
    """Draws a box; returns its corner in pixels."""
    width, height = size[0] - 1, size[1] - 1
    x1, y1, x2, y2 = (min(max(each, 0.0), 1.0) for each in box)
    if x2 > x1 and y2 > y1:
        pen.rectangle((x1 * width, y1 * height, x2 * width, y2 * height), outline=colour, width=2)
    return x1 * width, y1 * height


def _within(box: Box, view: Box) -> Box:
    """Returns a box of the source as fractions of a view of it."""
    width, height = max(view[2] - view[0], 1e-9), max(view[3] - view[1], 1e-9)
    return (
        (box[0] - view[0]) / width,
        (box[1] - view[1]) / height,
        (box[2] - view[0]) / width,
        (box[3] - view[1]) / height,
    )
