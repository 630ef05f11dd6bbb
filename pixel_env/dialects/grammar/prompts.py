"""What a prompt has about a dialect: schemas, system message, the question."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...types import LETTERS, Observation
from .answers import AnswerStyle
from .coordinates import CoordinateFrame

LAST_TURN = "This is your last message: answer now."

_INTRODUCTION = """You answer a question about what you are shown: one or more pictures, or the \
frames of a clip. Small things may be unreadable at first, so you may look closer before you \
answer."""
_SCHEMAS = "These operations are available, as JSON schemas:"


@dataclass(frozen=True, slots=True)
class Prompt:
    """A system message.

    Attributes:
        names: of the operations.
        answers: how answers are declared.
        form: a call as it is to be written.
        thinks: whether thoughts stand in `<think>`.
        views: how views are named.
    """

    names: Sequence[str]
    answers: AnswerStyle
    form: str
    thinks: bool
    views: str

    def brief(self) -> str:
        """Returns one sentence."""
        return (
            f"Look closer with {' or '.join(self.names)} where it helps, then {self.answers.brief}."
        )

    def full(self, schemas: Sequence[Mapping[str, Any]], for_clips: Sequence[str]) -> str:
        """Returns the whole message.

        Args:
            schemas: of the operations; none where a client hands them over by itself.
            for_clips: names of the operations that work on clips only.
        """
        think = "think first, in <think></think>" if self.thinks else "think first"
        lines = [_INTRODUCTION, ""]
        lines += [_SCHEMAS, *(json.dumps(schema) for schema in schemas), ""] if schemas else []
        lines += [
            f"In each message, {think}. Then do one of two things, never both:",
            "- ask for one operation:",
            self.form,
            "  The next message shows what it gave.",
            f"- give your final answer: {self.answers.how}.",
            "",
            " ".join([self.views, *(f"{name} works only on a clip." for name in for_clips)]),
        ]
        return "\n".join(lines)


def question(observation: Observation, how: str) -> list[str]:
    """Returns the lines of the question, its options, and how to answer."""
    options = zip(LETTERS, observation["choices"], strict=False)
    what = "the letter of the right option" if observation["choices"] else "the answer"
    return [
        observation["question"],
        *(f"({letter}) {choice}" for letter, choice in options),
        f"Find {what} and {how}.",
    ]


def function_schema(
    name: str, description: str, properties: Mapping[str, Any], required: Iterable[str]
) -> dict[str, Any]:
    """Builds one function description in JSON schema."""
    parameters = {"type": "object", "properties": properties, "required": list(required)}
    function = {"name": name, "description": description, "parameters": parameters}
    return {"type": "function", "function": function}


def box_schema(frame: CoordinateFrame) -> dict[str, Any]:
    """Builds the schema of a box."""
    number: dict[str, Any] = {"type": "number", "minimum": 0}
    if frame.extent is not None:
        number["maximum"] = frame.extent
    return {
        "type": "array",
        "items": number,
        "minItems": 4,
        "maxItems": 4,
        "description": f"x1, y1, x2, y2 {frame.described}, x1<x2, y1<y2",
    }


def text_schema(description: str) -> dict[str, Any]:
    """Builds the schema of free text."""
    return {"type": "string", "description": description}
