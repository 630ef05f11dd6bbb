"""The `qwen3-vl` dialect: JSON in `<tool_call>`, boxes from 0 to 1000, images from 0."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from .grammar.answers import TAGGED_OR_PLAIN, AnswerStyle
from .grammar.call_dialect import CallDialect
from .grammar.coordinates import THOUSANDTHS
from .grammar.found_calls import Beside, Rules
from .grammar.view_names import Numbered


class Qwen3VLDialect(CallDialect):
    """Calls `image_zoom_in_tool` in `<tool_call>` JSON; answers in `<answer>`, or plainly.

    A message without a call is the answer: what stands in `<answer>`, else all that follows the
    thinking. Text beside a call is commentary, also an answer. Images and frames are
    numbered from 0. `label` is free text and isn't used.

    >>> from pixel_env.dialects import Shown
    >>> dialect, shown = Qwen3VLDialect(), Shown(sizes=((640, 480),))
    >>> arguments = '{"bbox_2d": [500, 0, 1000, 250], "label": "mug", "img_idx": 0}'
    >>> call = f'{{"name": "image_zoom_in_tool", "arguments": {arguments}}}'
    >>> dialect.parse(f"<tool_call>{call}</tool_call>", shown)["bbox"].tolist()
    [0.5, 0.0, 1.0, 0.25]
    >>> dialect.parse("<think>It is red.</think>B", shown)["text"]
    'B'
    """

    name: ClassVar[str] = "qwen3-vl"
    frame = THOUSANDTHS
    views = Numbered("img_idx", first=0)
    answers: ClassVar[AnswerStyle] = TAGGED_OR_PLAIN
    rules: ClassVar[Rules] = Rules(Beside.CALL)
    names: ClassVar[Mapping[str, tuple[str, ...]]] = {"zoom_in": ("image_zoom_in_tool",)}
    keys: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "bbox": ("bbox_2d",),
        "frames": ("frame_idx",),
    }
    extra: ClassVar[Mapping[str, Mapping[str, str]]] = {"zoom_in": {"label": '"detail"'}}
    response_tag: ClassVar[str] = "tool_response"
