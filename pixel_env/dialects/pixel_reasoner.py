"""The `pixel-reasoner` dialect: JSON in `<tool_call>`, boxes as fractions, images from 1."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import numpy as np

from ..actions import N_FRAMES, answer, select_frames, zoom_in
from ..declared import as_declaration, declared_answer
from ..errors import OperationError
from ..types import LETTERS, Action, Observation
from .base import Dialect, Part, Shown
from .calls import Call, find_call, finite_number, quoted, read_call, whole_number

TAG = "tool_call"
ZOOM = "crop_image_normalized"
SELECT = "select_frames"
ALIASES: Mapping[str, str] = {"zoom_in": ZOOM}
"""Other names that `parse` takes; `render` and the schemas use the name a checkpoint learnt."""

MAX_ANSWER_CHARS = 2_000

_HOW = r"put it in \boxed{}"
_BRIEF = rf"Look closer with {ZOOM} or {SELECT} where it helps, then answer in \boxed{{}}."
_LAST_TURN = "This is your last message: answer now."
_INTRODUCTION = """You answer a question about what you are shown: one or more pictures, or the \
frames of a clip. Small things may be unreadable at first, so you may look closer before you \
answer.

These operations are available, as JSON schemas:"""
_RULES = f"""
In each message, think first. Then do one of two things, never both:
- ask for one operation:
<{TAG}>
{{"name": "...", "arguments": {{...}}}}
</{TAG}>
  The next message shows what it gave.
- give your final answer: {_HOW}.

Pictures and frames are numbered from 1 in the order in which they were shown, new ones included. \
{SELECT} works only on a clip."""


class PixelReasonerDialect(Dialect):
    r"""Calls as `<tool_call>` JSON, answers as `\boxed{}`; the default dialect.

    A call names `crop_image_normalized` (or its alias `zoom_in`) with `bbox_2d`, 4 fractions of
    the target image, and `target_image`, numbered from 1 (1 where left out); or `select_frames`
    with `target_frames`, numbered from 1. A message that both calls and answers is refused: a
    policy that could do both at once would be paid for an answer given before it looked.

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

    def __init__(self, n_decimals: int = 4) -> None:
        """Sets how finely `render` writes a box: `n_decimals` digits after the point, at most."""
        self.n_decimals = n_decimals

    def tool_schemas(self) -> list[dict[str, Any]]:
        """Returns the JSON schemas of the two operations."""
        box = {
            "type": "array",
            "items": {"type": "number", "minimum": 0, "maximum": 1},
            "minItems": 4,
            "maxItems": 4,
            "description": "x1, y1, x2, y2 as fractions of the width and height, x1<x2, y1<y2",
        }
        image = {
            "type": "integer",
            "minimum": 1,
            "default": 1,
            "description": "number of the picture to look into",
        }
        frames = {
            "type": "array",
            "items": {"type": "integer", "minimum": 1},
            "minItems": 1,
            "uniqueItems": True,
            "description": "numbers of the frames to see larger",
        }
        return [
            _schema(
                ZOOM,
                "Shows one region of a picture enlarged.",
                {"bbox_2d": box, "target_image": image},
                ["bbox_2d"],
            ),
            _schema(
                SELECT,
                "Shows some frames of the clip enlarged.",
                {"target_frames": frames},
                ["target_frames"],
            ),
        ]

    def system_prompt(self, brief: bool = False) -> str:
        """Returns the system message, one sentence long if `brief`."""
        if brief:
            return _BRIEF
        schemas = [json.dumps(schema) for schema in self.tool_schemas()]
        return "\n".join([_INTRODUCTION, *schemas, _RULES])

    def parse(self, text: str, shown: Shown) -> Action:
        """Reads the one call or the one answer of a message.

        Ranges that depend on the episode (is the box inside the picture, was that image shown)
        are left to the environment; what can't be written as an `Action` is refused here.

        Raises:
            OperationError: with kind "malformed", "several_calls", "unknown_operation",
                "bad_arguments", "bad_box", "bad_image", "bad_frames" or "no_answer".
        """
        body = find_call(text, TAG)
        declared = declared_answer(text)
        if body is None:
            return _read_answer(declared)
        if declared is not None:
            raise OperationError(
                "several_calls", "Write either one call or the answer in a message, got both."
            )
        call = read_call(body)
        reader = _READERS.get(ALIASES.get(call.name, call.name))
        if reader is None:
            raise OperationError(
                "unknown_operation",
                f"There is no operation {quoted(call.name)}: use {ZOOM} or {SELECT}.",
            )
        return reader(call, shown)

    def render(self, action: Action, shown: Shown) -> str:
        """Writes an action: the call on three lines, or the answer in a box."""
        if action["operation"] == 0:
            return as_declaration(action["text"])
        if action["operation"] == 1:
            numbers = ", ".join(self._decimal(value) for value in action["bbox"])
            name = ZOOM
            arguments = f'{{"bbox_2d": [{numbers}], "target_image": {int(action["target_image"])}}}'
        else:
            name = SELECT
            frames = [int(index) + 1 for index in np.flatnonzero(action["frames"])]
            arguments = json.dumps({"target_frames": frames})
        return f'<{TAG}>\n{{"name": "{name}", "arguments": {arguments}}}\n</{TAG}>'

    def tell(self, observation: Observation) -> tuple[Part, ...]:
        """Returns pictures, then the question, at turn 0; later the feedback, then new pictures.

        The text ends with a notice where one turn is left.
        """
        last = [_LAST_TURN] if observation["turns_left"] == 1 else []
        if observation["turn"] > 0:
            return ("\n".join([observation["feedback"], *last]), *observation["images"])
        n_frames = observation["n_frames"]
        lines = [f"These are frames 1 to {n_frames} of a clip."] if n_frames else []
        lines.append(observation["question"])
        lines += [
            f"({letter}) {choice}"
            for letter, choice in zip(LETTERS, observation["choices"], strict=False)
        ]
        what = "the letter of the right option" if observation["choices"] else "the answer"
        lines.append(f"Find {what} and {_HOW}.")
        return (*observation["images"], "\n".join(lines + last))

    def _decimal(self, value: float) -> str:
        """Writes a fraction with no more digits than it needs."""
        text = f"{value:.{self.n_decimals}f}"
        return text.rstrip("0").rstrip(".") if "." in text else text


def _schema(
    name: str, description: str, properties: dict[str, Any], required: list[str]
) -> dict[str, Any]:
    """Builds one function description in JSON schema."""
    parameters = {"type": "object", "properties": properties, "required": required}
    function = {"name": name, "description": description, "parameters": parameters}
    return {"type": "function", "function": function}


def _read_answer(declared: str | None) -> Action:
    """Makes the action of a message that calls nothing."""
    if declared is None:
        raise OperationError(
            "no_answer", rf"Write one call in <{TAG}> tags, or give your final answer: {_HOW}."
        )
    if len(declared) > MAX_ANSWER_CHARS:
        raise OperationError(
            "no_answer",
            f"An answer may hold {MAX_ANSWER_CHARS} characters, got {len(declared)}.",
        )
    return answer(declared)


def _read_zoom(call: Call, shown: Shown) -> Action:
    """Makes a zoom of a call's arguments."""
    _check_names(call, ("bbox_2d", "target_image"))
    box = call.arguments.get("bbox_2d")
    if not isinstance(box, list) or len(box) != 4:
        raise OperationError("bad_box", f"bbox_2d must be a list of 4 numbers, got {quoted(box)}.")
    numbers = [number for number in map(finite_number, box) if number is not None]
    if len(numbers) != 4:
        raise OperationError("bad_box", "bbox_2d must be 4 plain finite numbers from 0 to 1.")
    target_image = whole_number(call.arguments.get("target_image", 1))
    if target_image is None:
        raise OperationError("bad_image", "target_image must be the number of a picture, from 1.")
    return zoom_in(numbers, target_image)


def _read_frames(call: Call, shown: Shown) -> Action:
    """Makes a selection of frames of a call's arguments; a frame named twice is refused."""
    _check_names(call, ("target_frames",))
    listed = call.arguments.get("target_frames")
    if not isinstance(listed, list) or not listed:
        raise OperationError("bad_frames", "target_frames must be a list of frame numbers, from 1.")
    n_frames = shown.n_frames or N_FRAMES
    frames = [whole_number(value) for value in listed]
    wrong = [
        value for value, frame in zip(listed, frames, strict=True) if not _is_in(frame, n_frames)
    ]
    if wrong:
        raise OperationError(
            "bad_frames",
            f"target_frames must be numbers from 1 to {n_frames}, got {quoted(wrong[0])}.",
        )
    if len(set(frames)) != len(frames):
        raise OperationError("bad_frames", "target_frames must name each frame once.")
    chosen = [frame for frame in frames if frame is not None]
    return select_frames(chosen, max(n_frames, N_FRAMES))


def _check_names(call: Call, known: tuple[str, ...]) -> None:
    """Refuses an argument that the operation doesn't have: it may be a misspelt one."""
    for name in call.arguments:
        if name not in known:
            takes = " and ".join(known)
            raise OperationError(
                "bad_arguments", f"{quoted(call.name)} takes {takes}, got {quoted(name)}."
            )


def _is_in(number: int | None, last: int) -> bool:
    """Tells whether a number is a whole one from 1 to `last`."""
    return number is not None and 1 <= number <= last


_READERS: Mapping[str, Callable[[Call, Shown], Action]] = {ZOOM: _read_zoom, SELECT: _read_frames}
