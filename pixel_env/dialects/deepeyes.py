"""The `deepeyes` dialect: pixels of the original image as shown, whatever was shown since."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar

from .grammar.answers import TAGGED, AnswerStyle
from .grammar.call_dialect import CallDialect
from .grammar.coordinates import PIXELS
from .grammar.found_calls import Beside, Rules
from .grammar.view_names import OnlyOriginal


class DeepEyesDialect(CallDialect):
    """Calls `image_zoom_in_tool` in `<tool_call>` JSON, answers in `<answer>`.

    The box is always one of the first picture, in its pixels as shown; a later view is asked for
    by its place in that picture, and other pictures can't be zoomed into. There is no selection
    of frames. `label` is free text and isn't used. As in the published code an answer ends the
    episode, also beside a call; of several calls the first runs; and a box is cut at the picture's
    edges.

    >>> from pixel_env import zoom_in
    >>> from pixel_env.dialects import Place, Shown
    >>> shown = Shown(((400, 200), (100, 100)), places=(Place(1), Place(1, (0.5, 0, 1, 1))))
    >>> print(DeepEyesDialect().render(zoom_in([0, 0, 0.5, 1], target_image=2), shown))
    <tool_call>
    {"name": "image_zoom_in_tool", "arguments": {"bbox_2d": [200, 0, 300, 200], "label": "detail"}}
    </tool_call>
    """

    name: ClassVar[str] = "deepeyes"
    frame = replace(PIXELS, is_clamped=True)
    views = OnlyOriginal()
    answers: ClassVar[AnswerStyle] = TAGGED
    rules: ClassVar[Rules] = Rules(Beside.ANSWER, runs_first=True)
    names: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "zoom_in": ("image_zoom_in_tool",),
        "select_frames": (),
    }
    keys: ClassVar[Mapping[str, tuple[str, ...]]] = {"bbox": ("bbox_2d", "bbox")}
    extra: ClassVar[Mapping[str, Mapping[str, str]]] = {"zoom_in": {"label": '"detail"'}}
    response_tag: ClassVar[str] = "tool_response"
