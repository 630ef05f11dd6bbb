"""The conversations that Pixel Reasoner's warm start was trained on.

`TIGER-Lab/PixelReasoner-SFT-Data`: `release.json`, a list of `{qid, message_list}`, beside its
unpacked archives. They are recorded conversations rather than questions, so they are read in two
ways: as a task set, whose sample is the question that opens a conversation and the answer that
closes it, and as `Conversation`s, with every message and what it shows.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from pixel_env.declared import declared_answer
from pixel_env.errors import DataError
from pixel_env.media.clips import ClipSource
from pixel_env.media.pictures import ImageSource
from pixel_env.types import Grade, Sample

from .grading import declared_letter, grade_choice, grade_text
from .rows.folders import DataFolder
from .rows.json_files import read_json_list
from .rows.options import right_choice, split_question
from .rows.released import TrainingRelease, released_media, released_paths, without_mark
from .rows.row import Row, Rows

ROLES = ("system", "user", "assistant")
GUIDELINES = "\n\nGuidelines:"
"""What follows this in a question is an instruction to the model."""

RecordedPart = str | ImageSource | ClipSource
"""A piece of a message: text, a picture or a clip, to be opened at its first use."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message.

    Attributes:
        role: "system", "user" or "assistant".
        parts: its texts, pictures and clips, in order.
    """

    role: str
    parts: tuple[RecordedPart, ...]

    @property
    def text(self) -> str:
        """Its texts, one after the other."""
        return "\n".join(part for part in self.parts if isinstance(part, str))


@dataclass(frozen=True, slots=True)
class Conversation:
    """One recorded conversation.

    Attributes:
        id: that of its sample.
        messages: all of them, in order; those of the role "assistant" are what was imitated.
        origin: file and row.
    """

    id: str
    messages: tuple[Message, ...]
    origin: str


class PixelReasonerSFT(TrainingRelease):
    """The conversations as questions; `conversation` gives one of them whole.

    The category is the benchmark that `qid` names. A later conversation about the same `qid` is
    known from the first by its row: "sa1b-1#7". The options keep their order in `gym.make`, for
    the conversations name them by letter.
    """

    name = "pixel_reasoner_sft"
    file: ClassVar[str] = "release.json"

    def conversation(self, index: int) -> Conversation:
        """Returns conversation `index`, from 0; opens no picture.

        Raises:
            IndexError: there is no such conversation.
            DataError: its row can't be used.
        """
        if not 0 <= index < len(self):
            raise IndexError(f"expected an index from 0 to {len(self) - 1}, got {index}")
        row = self._rows[self._places[index]]
        messages = tuple(_message(value, row, self._folder) for value in _listed(row))
        return Conversation(self._id(row), messages, row.origin)

    def conversations(self) -> Iterator[Conversation]:
        """Yields every conversation in order; raises as `conversation` does."""
        return (self.conversation(index) for index in range(len(self)))

    def grade(self, sample: Sample, answer: str) -> Grade:
        """Grades by the option where there are options, else as text."""
        return grade_choice(sample, answer) if sample.choices else grade_text(sample, answer)

    def _sample(self, row: Row) -> Sample:
        values = _listed(row)
        asked = next((value for value in values if _is_of("user", value)), None)
        last = next((value for value in reversed(values) if _is_of("assistant", value)), None)
        if asked is None or last is None:
            raise row.fault("expected a message of the user and one of the assistant")
        opening = _message(asked, row, self._folder)
        answer = declared_answer(_message(last, row, self._folder).text)
        if answer is None:
            raise row.fault("expected a last message that declares an answer")
        question, choices = split_question(without_mark(opening.text).partition(GUIDELINES)[0])
        sample = Sample(
            id=self._id(row),
            question=question,
            media=_media(opening, row),
            answers=(answer,),
            category=self._category(row),
            origin=row.origin,
        )
        if not choices:
            return sample
        right = declared_letter(answer, choices)  # some of them are "B. red"
        if right is None:
            right = right_choice(row, "message_list", choices, answer)
        return replace(sample, answers=(choices[right],), choices=choices, right_choice=right)

    def _read(self, files: tuple[Path, ...]) -> Rows:
        return read_json_list(files[0])

    def _id(self, row: Row) -> str:
        qid = super()._id(row)
        return qid if self._first_rows.get(qid) == row.position else f"{qid}#{row.position}"

    @cached_property
    def _first_rows(self) -> dict[str, int]:
        """The number of the first row of each `qid`."""
        first: dict[str, int] = {}
        for row in self._rows.each():
            if isinstance(row, Row):
                with suppress(DataError):
                    first.setdefault(super()._id(row), row.position)
        return first


def _listed(row: Row) -> list[Any]:
    values = row.value("message_list")
    if not isinstance(values, list) or not values:
        raise row.fault(f"expected a list in column 'message_list', got {values!r:.80}")
    return values


def _is_of(role: str, value: Any) -> bool:
    return isinstance(value, dict) and value.get("role") == role


def _message(value: Any, row: Row, folder: DataFolder) -> Message:
    if not isinstance(value, dict) or value.get("role") not in ROLES:
        raise row.fault(f"expected a message with a role of {', '.join(ROLES)}, got {value!r:.80}")
    content = value.get("content")
    pieces = [{"text": content}] if isinstance(content, str) else content
    if not isinstance(pieces, list) or not all(isinstance(piece, dict) for piece in pieces):
        raise row.fault(f"expected the content of a message, got {content!r:.80}")
    parts: list[RecordedPart] = []
    for piece in pieces:
        parts += _parts(piece, row, folder)
    return Message(value["role"], tuple(parts))


def _parts(piece: dict[str, Any], row: Row, folder: DataFolder) -> tuple[RecordedPart, ...]:
    """Reads {"text": ...}, {"image": path} or {"video": [paths]}, with a "type" beside or not."""
    kinds = [name for name in ("text", "image", "video") if piece.get(name) is not None]
    if len(kinds) != 1:
        raise row.fault(f"expected a text, an image or a video in a message, got {piece!r:.80}")
    value = piece[kinds[0]]
    if kinds[0] == "text":
        if not isinstance(value, str):
            raise row.fault(f"expected the text of a message, got {value!r:.80}")
        return (value,)
    paths = released_paths(value, row, folder)
    return released_media(paths, row.origin, is_clip=kinds[0] == "video")


def _media(message: Message, row: Row) -> tuple[ImageSource, ...] | tuple[ClipSource]:
    clips = [part for part in message.parts if isinstance(part, ClipSource)]
    pictures = tuple(part for part in message.parts if isinstance(part, ImageSource))
    if len(clips) == 1 and not pictures:
        return (clips[0],)
    if clips or not pictures:
        raise row.fault("expected one clip, or one or more pictures, in the first message")
    return pictures
