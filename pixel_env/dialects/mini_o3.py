"""The `mini-o3` dialect: `<grounding>` with fractions of a source that is called by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar

from ..reading import CODE
from .grammar.answers import TAGGED, AnswerStyle
from .grammar.call_dialect import CallDialect, as_object
from .grammar.calls import Call
from .grammar.coordinates import FRACTIONS
from .grammar.found_calls import Beside, CallSyntax, Rules
from .grammar.json_calls import JSONCalls
from .grammar.view_names import BySource

TAG = "grounding"


class MiniO3Dialect(CallDialect):
    """Calls as `<grounding>` JSON without a name, answers in `<answer>`.

    `source` is `original_image`, the first view, or `observation_i`, the i-th view after it. There
    is no selection of frames; a registered operation is named by the key `operation`. As in the
    published code, generation ends with a call, so that the first call runs and what follows it is
    ignored; and a box is cut at the picture's edges.

    >>> from pixel_env.dialects import Shown
    >>> shown = Shown(sizes=((640, 480), (112, 112)))
    >>> call = '{"bbox_2d": [0.1, 0.2, 0.5, 0.6], "source": "observation_1"}'
    >>> MiniO3Dialect().parse(f"<grounding>{call}</grounding>", shown)["target_image"]
    2
    """

    name: ClassVar[str] = "mini-o3"
    frame = replace(FRACTIONS, is_clamped=True)
    views = BySource()
    answers: ClassVar[AnswerStyle] = TAGGED
    syntax: ClassVar[CallSyntax] = JSONCalls(TAG, name=TAG)
    rules: ClassVar[Rules] = Rules(Beside.CALL, runs_first=True)
    names: ClassVar[Mapping[str, tuple[str, ...]]] = {"zoom_in": (TAG,), "select_frames": ()}
    how_to_call: ClassVar[str] = f"Write one call in <{TAG}> tags"
    form: ClassVar[str] = (
        f'<{TAG}>{{"bbox_2d": [x1, y1, x2, y2], "source": "{BySource.ORIGINAL}"}}</{TAG}>'
    )

    def split(self, text: str) -> tuple[Call | None, str]:
        """Returns the call of a message, or None and its answer; the zoom's call has no name."""
        call, answer = super().split(text)
        name = None if call is None else call.arguments.get(CODE)
        if call is None or not isinstance(name, str) or len(self.signatures()) == 1:
            return call, answer
        own = {key: value for key, value in call.arguments.items() if key != CODE}
        return Call(name, own), answer

    def write_call(self, name: str, arguments: Mapping[str, str]) -> str:
        """Writes the arguments; the tag is the name of the zoom."""
        named = arguments if name == TAG else {CODE: f'"{name}"', **arguments}
        return f"<{TAG}>{as_object(named)}</{TAG}>"

    def how_calls_look(self) -> str:
        """Returns the zoom, and how another operation is named where one is registered."""
        others = [each.names[0] for each in self.signatures() if each.names[0] != TAG]
        calls = [f'<{TAG}>{{"{CODE}": "{name}", ...}}</{TAG}>' for name in others]
        return "\n".join([self.form, *calls])
