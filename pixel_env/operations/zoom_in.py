"""Zooming in: a part of an earlier view, at a resolution of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from PIL import Image as PillowImage

from ..config import EnvConfig
from ..errors import OperationError
from ..history import History
from ..media.geometry import Box, box_to_pixels, fit, nest_box, pad_box, pixels_to_box
from ..media.pictures import resample
from ..media.rgb import Image
from ..reading import GivenAction
from ..types import View
from .arguments import Argument, BoxArgument, ViewArgument
from .base import Operation, Outcome
from .terms import Terms


class ZoomIn(Operation):
    """Shows a part of a view larger. Reads `bbox` and `target_image`.

    The pixels come from the original, however deep the zoom ("original"), or from the view as it
    was shown ("view"). Padding widens the box before it is cut.

    >>> import numpy as np
    >>> from pixel_env import EnvConfig, ImageSource, Sample
    >>> from pixel_env.actions import zoom_in
    >>> scene = ImageSource(np.zeros((800, 1000, 3), np.uint8))
    >>> history = History(Sample("1", "What is it?", (scene,), ("dark",)), EnvConfig())
    >>> outcome = ZoomIn().execute(zoom_in([0.5, 0, 1, 0.5]), history)
    >>> outcome.feedback, outcome.views[0].box
    ('Image 2 is the region [0.5, 0, 1, 0.5] of image 1.', (0.5, 0.0, 1.0, 0.5))
    """

    name: ClassVar[str] = "zoom_in"
    description: ClassVar[str] = "Shows one region of a picture enlarged."
    arguments: ClassVar[tuple[Argument, ...]] = (BoxArgument(), ViewArgument())
    refusals: ClassVar[Mapping[str, str]] = {
        "too_small": "The region is too small to be shown: ask for a larger one."
    }

    def do(self, action: GivenAction, history: History) -> Outcome:
        """Cuts the region; see `Operation.do`."""
        target = self.value("target_image", action, history)
        parent = history.view(target)
        asked, was_clamped = self.value("bbox", action, history)
        history.check_room(1)
        padded = pad_box(asked, history.config.padding)
        if history.config.zoom_source == "view":
            image, box = _cut_view(parent, padded, history.config)
        else:
            image, box = _cut_original(parent, padded, history)
        facts = {
            "target_image": target,
            "requested_box": nest_box(parent.box, asked),
            "executed_box": box,
            "view_box": padded,
            "clamped": was_clamped,
        }
        return Outcome((View(image, parent.source, box, self.name, target),), facts=facts)

    def tell(self, facts: Mapping[str, Any], terms: Terms) -> str:
        """Names the region that the new view shows."""
        target = facts["target_image"]
        region = terms.box(facts["view_box"], target)
        note = ", clamped to it" if facts["clamped"] else ""
        return (
            f"{terms.new_views(facts['views_added'])} is the region {region} "
            f"of {terms.view(target)}{note}."
        )


def _cut_original(parent: View, padded: Box, history: History) -> tuple[Image, Box]:
    """Reads a box of a view from the source's own pixels."""
    config = history.config
    source = history.picture(parent.source)
    pixels = box_to_pixels(nest_box(parent.box, padded), *source.size)
    box = pixels_to_box(pixels, *source.size)
    return source.region(box, _shown_size(pixels, config), config.resampler), box


def _cut_view(parent: View, padded: Box, config: EnvConfig) -> tuple[Image, Box]:
    """Cuts a box of a view from the pixels that were shown."""
    height, width = parent.image.shape[:2]
    pixels = box_to_pixels(padded, width, height)
    size = _shown_size(pixels, config)
    image = resample(PillowImage.fromarray(parent.image), pixels, size, config.resampler)
    return image, nest_box(parent.box, pixels_to_box(pixels, width, height))


def _shown_size(pixels: tuple[int, int, int, int], config: EnvConfig) -> tuple[int, int]:
    """Chooses the (width, height) that a cut is shown at; refuses one too small to be useful."""
    left, top, right, bottom = pixels
    width, height = right - left, bottom - top
    if min(width, height) < config.min_crop_side_px:
        raise OperationError(
            "too_small",
            f"The region is {width} x {height} pixels; "
            f"each side must be at least {config.min_crop_side_px}, ask for a larger one.",
        )
    return fit(width, height, *config.crop_px, config.side_multiple)
