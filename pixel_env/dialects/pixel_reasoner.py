"""The `pixel-reasoner` dialect: JSON in `<tool_call>`, boxes as fractions, images from 1."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar

from .grammar.answers import BOXED, AnswerStyle
from .grammar.call_dialect import CallDialect
from .grammar.coordinates import FRACTIONS
from .grammar.found_calls import Rules
from .grammar.view_names import Numbered


class PixelReasonerDialect(CallDialect):
    r"""Calls as `<tool_call>` JSON, answers as `\boxed{}`; the default dialect.

    A call names `crop_image_normalized` (or its alias `zoom_in`) with `bbox_2d`, 4 fractions of
    the target image, and `target_image`, numbered from 1 (1 where left out); or `select_frames`
    with `target_frames`, numbered from 1. A message that both calls and answers is refused: a
    policy that could do both at once would be paid for an answer given before the call's result.

    Ranges that depend on the episode (is the box inside the picture, was that image shown) are
    left to the environment, whose own terms these are.

    >>> from pixel_env.dialects import Shown
    >>> dialect, shown = PixelReasonerDialect(), Shown(sizes=((640, 480),))
    >>> action = dialect.parse(
    ...     'Too small.\n<tool_call>\n{"name": "crop_image_normalized", '
    ...     '"arguments": {"bbox_2d": [0.1, 0.2, 0.5, 0.6]}}\n</tool_call>\n', shown)
    >>> action["operation"], action["bbox"].tolist(), action["target_image"]
    (1, [0.1, 0.2, 0.5, 0.6], 1)
    >>> dialect.parse(r"It reads \boxed{B}", shown)["text"]
    'B'
    """

    name: ClassVar[str] = "pixel-reasoner"
    views = Numbered("target_image", first=1)
    answers: ClassVar[AnswerStyle] = BOXED
    rules: ClassVar[Rules] = Rules(is_strict=True)
    names: ClassVar[Mapping[str, tuple[str, ...]]] = {"zoom_in": ("crop_image_normalized",)}
    keys: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "bbox": ("bbox_2d",),
        "frames": ("target_frames",),
    }
    thinks: ClassVar[bool] = False
    leaves_checks: ClassVar[bool] = True

    def __init__(self, n_decimals: int = 4) -> None:
        """Sets how finely `render` writes a box: `n_decimals` digits after the point, at most."""
        self.frame = replace(FRACTIONS, n_decimals=n_decimals)
