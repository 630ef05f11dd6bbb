"""The `pixel-reasoner-pixels` dialect: as `pixel-reasoner`, boxes in pixels as shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from .grammar.answers import BOXED, AnswerStyle
from .grammar.call_dialect import CallDialect
from .grammar.coordinates import PIXELS
from .grammar.found_calls import Rules
from .grammar.view_names import Numbered


class PixelReasonerPixelsDialect(CallDialect):
    """Calls name `crop_image`, with boxes in pixels of the target image as it was shown.

    The name that goes with fractions, `crop_image_normalized`, is refused here: the same numbers
    would mean something else.

    >>> from pixel_env.dialects import Shown
    >>> shown = Shown(sizes=((640, 480),))
    >>> call = '{"name": "crop_image", "arguments": {"bbox_2d": [320, 0, 640, 120]}}'
    >>> action = PixelReasonerPixelsDialect().parse(f"<tool_call>{call}</tool_call>", shown)
    >>> action["bbox"].tolist()
    [0.5, 0.0, 1.0, 0.25]
    """

    name: ClassVar[str] = "pixel-reasoner-pixels"
    frame = PIXELS
    views = Numbered("target_image", first=1)
    answers: ClassVar[AnswerStyle] = BOXED
    rules: ClassVar[Rules] = Rules(is_strict=True)
    names: ClassVar[Mapping[str, tuple[str, ...]]] = {"zoom_in": ("crop_image",)}
    keys: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "bbox": ("bbox_2d",),
        "frames": ("target_frames",),
    }
    thinks: ClassVar[bool] = False
