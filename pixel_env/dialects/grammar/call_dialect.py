"""A dialect as a table: its words, its coordinate frame, its names of views, its answers.

What differs between most dialects is a row of such values; here is what they share. The base
writes calls as JSON in `<tool_call>`; a dialect with another syntax replaces `syntax` and
`write_call`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from ...actions import answer, zoom_in
from ...declared import as_declaration
from ...episode import OUT_OF_TURNS
from ...errors import ConfigError, OperationError
from ...operations.select_frames import told_frames
from ...types import Action, Info, Observation
from .answers import AnswerStyle
from .arguments import check_names, read_frames, read_numbers
from .calls import Call, quoted
from .coordinates import CoordinateFrame
from .dialect import Dialect, Part, Reading, Shown
from .found_calls import CallSyntax, Rules
from .json_calls import JSONCalls
from .prompts import (
    LAST_TURN,
    Prompt,
    box_schema,
    frames_schema,
    function_schema,
    question,
    text_schema,
)
from .turn import Grammar
from .view_names import ViewNames

TAG = "tool_call"


class CallDialect(Dialect):
    """What dialects share that call an operation by name, with arguments.

    Attributes:
        frame: what the numbers of a box mean.
        views: how views are named.
        answers: how answers are declared.
        syntax: how calls are written.
        rules: what counts where a message holds more than one thing.
        zoom: name of the zoom.
        zoom_aliases: other names of it that `parse` takes.
        box_keys: names of the box's argument; all but the first are aliases.
        extra: arguments of the zoom that mean nothing here, as JSON texts to write.
        select: name of the selection of frames; None where there is none.
        frames_key: name of its argument.
        how_to_call: told to a model that did not; begins a sentence.
        form: a call as the system message shows it.
        thinks: whether thoughts stand in `<think>`.
        response_tag: what the answer to a call is wrapped in; "" for nothing.
        leaves_checks: whether the environment checks boxes and numbers of views and tells the
            news, as its terms are this dialect's.
    """

    frame: CoordinateFrame
    views: ViewNames
    answers: ClassVar[AnswerStyle]
    syntax: ClassVar[CallSyntax] = JSONCalls(TAG)
    rules: ClassVar[Rules] = Rules()
    zoom: ClassVar[str]
    zoom_aliases: ClassVar[tuple[str, ...]] = ("zoom_in",)
    box_keys: ClassVar[tuple[str, ...]] = ("bbox_2d",)
    extra: ClassVar[Mapping[str, str]] = {}
    select: ClassVar[str | None] = None
    frames_key: ClassVar[str] = ""
    how_to_call: ClassVar[str] = f"Write one call in <{TAG}> tags"
    form: ClassVar[str] = f'<{TAG}>\n{{"name": "...", "arguments": {{...}}}}\n</{TAG}>'
    thinks: ClassVar[bool] = True
    response_tag: ClassVar[str] = ""
    leaves_checks: ClassVar[bool] = False

    @property
    def coordinate_frame(self) -> str:  # type: ignore[override]  # read only here
        """Name of the coordinate frame."""
        return self.frame.name

    def split(self, text: str) -> tuple[Call | None, str]:
        """Returns the call of a message, or None and its answer; see `Grammar.read`.

        Raises:
            OperationError: the message holds neither, several, or one that can't be read.
        """
        step = Grammar(self.syntax, self.answers, self.rules, self.how_to_call).read(text)
        return (None, step) if isinstance(step, str) else (step, "")

    def write_call(self, name: str, arguments: Mapping[str, str]) -> str:
        """Writes a call; the arguments are JSON texts."""
        return f'<{TAG}>\n{{"name": "{name}", "arguments": {as_object(arguments)}}}\n</{TAG}>'

    def tool_schemas(self) -> list[dict[str, Any]]:
        """Returns the JSON schemas of the operations."""
        zoom = {self.box_keys[0]: box_schema(self.frame)}
        zoom |= {name: text_schema(f"{name} of what is there") for name in self.extra}
        zoom |= self.views.schema()
        schemas = [
            function_schema(
                self.zoom, "Shows one region of a picture enlarged.", zoom, self.box_keys[:1]
            )
        ]
        if self.select:
            frames = {self.frames_key: frames_schema(self.views.first)}
            schemas.append(
                function_schema(
                    self.select, "Shows some frames of the clip enlarged.", frames, frames
                )
            )
        return schemas

    def system_prompt(self, brief: bool = False) -> str:
        """Returns the system message, one sentence long if `brief`."""
        prompt = Prompt(self._names(), self.answers, self.form, self.thinks, self.views.rule)
        return prompt.brief() if brief else prompt.full(self.tool_schemas(), self.select)

    def parse(self, text: str, shown: Shown) -> Action:
        """Reads the one call or the one answer of a message.

        Raises:
            OperationError: with kind "malformed", "several_calls", "unknown_operation",
                "bad_arguments", "bad_box", "bad_image", "bad_frames" or "no_answer".
        """
        return self.read(text, shown).action

    def read(self, text: str, shown: Shown) -> Reading:
        """Reads a message as `parse` does, and says what box was written."""
        call, said = self.split(text)
        if call is None:
            return Reading(answer(said))
        if call.name in (self.zoom, *self.zoom_aliases):
            return self._read_zoom(call, shown)
        if self.select and call.name == self.select:
            return Reading(read_frames(call, self.frames_key, self.views.first, shown))
        raise OperationError(
            "unknown_operation",
            f"There is no operation {quoted(call.name)}: use {' or '.join(self._names())}.",
        )

    def render(self, action: Action, shown: Shown) -> str:
        """Writes an action: a call, or a declared answer.

        Raises:
            ConfigError: the dialect has no words for it.
        """
        if action["operation"] == 0:
            return self._written(self.answers.write(action["text"]), action["text"])
        return self.write_call(*self._call_of(action, shown))

    def compose(self, thought: str, action: Action, shown: Shown) -> str:
        """Writes a whole message: what is thought, in `<think>` where models learnt that."""
        if not self.thinks:
            return super().compose(thought, action, shown)
        return f"<think>{thought}</think>\n{self.render(action, shown)}"

    def tell(self, observation: Observation) -> tuple[Part, ...]:
        """Returns pictures, then the question, at turn 0; later the feedback, then new pictures.

        A notice says where one turn is left.
        """
        last = [LAST_TURN] if observation["turns_left"] == 1 else []
        images, feedback = observation["images"], observation["feedback"]
        if observation["turn"] == 0:
            names = self.views.introduce(len(images), observation["n_frames"])
            lines = [*names, *question(observation, self.answers.how), *last]
            return (*images, "\n".join(lines))
        if not self.response_tag:
            return ("\n".join([feedback, *last]), *images)
        opening = f"<{self.response_tag}>\n{feedback}\n"
        closing = "\n".join([f"</{self.response_tag}>", *last])
        if not images:
            return (opening + closing,)
        return (opening, *images, f"\n{closing}")

    def feedback(self, observation: Observation, info: Info, shown: Shown) -> str:
        """Returns the environment's feedback in the dialect's own terms; see `Dialect.feedback`."""
        said = None if self.leaves_checks else self._news(info, shown)
        if said is None:
            return observation["feedback"]
        return said + (OUT_OF_TURNS if observation["turns_left"] == 0 else "")

    def _news(self, info: Info, shown: Shown) -> str | None:
        """Says what came of a look; None where the environment's sentence holds no such terms."""
        if info.get("operation_error") == "too_small":
            return "The region is too small to be shown: ask for a larger one."
        new = info.get("views_added")
        if new and "frames" in info:
            shift = self.views.first - 1
            frames = [number + shift for number in info["frames"]]
            return told_frames([number + shift for number in new], frames)
        if new and "view_box" in info:
            target = info["target_image"]
            box = self.frame.write(info["view_box"], self.frame.sides(shown, target))
            note = ", clamped to it" if info.get("clamped") else ""
            views = self.views
            return (
                f"{views.called_first(new[0])} is the region {box} of {views.called(target)}{note}."
            )
        return None

    def _written(self, declaration: str, answer: str) -> str:
        """Returns a declaration of an answer, rewritten where its tags would be misread."""
        try:
            is_read = self._answer_in(declaration) == answer.strip()
        except OperationError:
            is_read = False
        return declaration if is_read else as_declaration(answer, hides_tags=True)

    def _answer_in(self, text: str) -> str | None:
        """Reads the answer of a text; None where it holds a call."""
        call, said = self.split(text)
        return said if call is None else None

    def _names(self) -> list[str]:
        """Returns the names of the operations."""
        return [self.zoom, self.select] if self.select else [self.zoom]

    def _read_zoom(self, call: Call, shown: Shown) -> Reading:
        """Makes a zoom of a call's arguments."""
        check_names(call, (*self.box_keys, *self.extra, *self.views.keys))
        numbers = read_numbers(call, self.box_keys, self.frame.unit)
        target = self.views.read(call.arguments, shown, is_checked=not self.leaves_checks)
        written = tuple(float(number) for number in numbers)
        if self.leaves_checks:
            return Reading(zoom_in(numbers, target), written)
        sides = self.frame.sides(shown, target)
        box, was_clamped = self.frame.to_fractions(numbers, sides, self.box_keys[0])
        return Reading(zoom_in(box, target), written, was_clamped)

    def _call_of(self, action: Action, shown: Shown) -> tuple[str, dict[str, str]]:
        """Returns the name and the arguments, as JSON texts, of the call that asks for a look."""
        if action["operation"] == 1:
            x1, y1, x2, y2 = (float(number) for number in action["bbox"])
            target, box = self.views.address(int(action["target_image"]), (x1, y1, x2, y2), shown)
            text = self.frame.write(box, self.frame.sides(shown, target))
            return self.zoom, {self.box_keys[0]: text, **self.extra, **self.views.write(target)}
        if not self.select:
            raise ConfigError(
                f"expected an action that the dialect {self.name} can write (answer, zoom_in), "
                "got select_frames"
            )
        frames = [int(index) + self.views.first for index in np.flatnonzero(action["frames"])]
        return self.select, {self.frames_key: json.dumps(frames)}


def as_object(arguments: Mapping[str, str]) -> str:
    """Writes a JSON object of values that are JSON already."""
    return "{" + ", ".join(f'"{name}": {value}' for name, value in arguments.items()) + "}"
