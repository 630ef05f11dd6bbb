"""Episodes as arrays of fixed size: what was shown is remembered, written down, and acted on.

`remember` keeps what an episode has shown, `encode` writes it as arrays, `decode` reads a row of
whole numbers as an action. All three are pure, so that a wrapper and a policy that isn't wrapped
see and do the same.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage

from ..errors import OperationError
from ..media.geometry import FULL, Box, nest_box
from ..media.pictures import resample
from ..media.rgb import Image
from ..operations import Argument, FramesArgument, Operation, operations
from ..reading import described
from ..types import LETTERS, Action, Observation
from .spaces import ALPHABET, COLUMNS, SLOT_NUMBERS, FlatConfig, FlatObservation, used_by


@dataclass(frozen=True, slots=True, eq=False)
class Slot:
    """One of the stacked views.

    Attributes:
        image: (view_px, view_px, 3) uint8 RGB.
        number: of the view, from 1.
        source: which picture or frame it shows, from 1.
        box: which part of it; what was asked for, before padding and rounding.
    """

    image: Image
    number: int
    source: int
    box: Box


@dataclass(frozen=True, slots=True, eq=False)
class Memory:
    """What an episode has shown, as far as a flat observation holds it.

    Attributes:
        slots: the overview, then the newest views, the latest first.
        n_first: how many views were shown at reset.
        n_views: how many views were shown so far.
        n_options: how many options the question has.
        refused: whether the last operation gave no view.
    """

    slots: tuple[Slot, ...] = ()
    n_first: int = 0
    n_views: int = 0
    n_options: int = 0
    refused: bool = False


def remember(
    config: FlatConfig,
    memory: Memory,
    observation: Observation,
    action: Action | OperationError | None,
) -> Memory:
    """Adds what is new in one turn to what is remembered.

    Args:
        config: the sizes.
        memory: of the turns before; an empty one at reset.
        observation: what `reset` or `step` gave.
        action: the action that led to it, or its refusal; None at reset.
    """
    images = observation["images"]
    if action is None:
        overview = Slot(_sheet(images, config.view_px), 1, 1, FULL)
        return Memory((overview,), len(images), len(images), len(observation["choices"]))
    if isinstance(action, OperationError):  # which shows nothing
        return replace(memory, refused=True)
    slots = list(memory.slots)
    operation = operations().of(action)
    for place, image in enumerate(images):
        source, box = _shown_region(memory, operation, action, place)
        small = _small(image, config.view_px, config.view_px)
        slots.insert(1, Slot(small, observation["first_image"] + place, source, box))
    return Memory(
        tuple(slots[: config.n_views]),
        memory.n_first,
        memory.n_views + len(images),
        memory.n_options,
        refused=not images,
    )


def encode(config: FlatConfig, memory: Memory, observation: Observation) -> FlatObservation:
    """Writes what is remembered, and the question, as arrays of `config.observation_space`."""
    side = config.view_px
    views = np.zeros((side, side, 3 * config.n_views), np.uint8)
    boxes = np.zeros((config.n_views, SLOT_NUMBERS), np.float32)
    for place, slot in enumerate(memory.slots):
        views[:, :, 3 * place : 3 * place + 3] = slot.image
        boxes[place] = (1.0, min(slot.source / config.n_pictures, 1.0), *slot.box)
    shares = (
        observation["turn"] / config.max_turns,
        observation["turns_left"] / config.max_turns,
        memory.n_views / (config.max_views + config.n_pictures - 1),
        float(memory.refused),
    )
    flat: FlatObservation = {
        "views": views,
        "boxes": boxes.ravel(),
        "counters": np.clip(np.array(shares, np.float32), 0, 1),
        "question": character_ids(observation["question"], config.question_chars),
    }
    if config.n_choices:
        shown = (*observation["choices"], *[""] * config.n_choices)[: config.n_choices]
        rows = [character_ids(choice, config.choice_chars) for choice in shown]
        flat["choices"] = np.concatenate(rows)
    return flat


def decode(config: FlatConfig, memory: Memory, row: Sequence[int] | NDArray[Any]) -> Action:
    """Reads a row of `config.action_space` as an action.

    A target that isn't there becomes a view number that isn't, and an answer past the last option
    an empty text: the environment refuses the one and grades the other.

    Raises:
        OperationError: the row doesn't hold as many whole numbers, or one that its kind needs is
            outside the space.
    """
    names = (*COLUMNS, *config.further_arguments)
    try:
        numbers = dict(zip(names, (operator.index(number) for number in row), strict=True))
    except (TypeError, ValueError):
        count = "five" if len(names) == len(COLUMNS) else f"{len(names)}"
        raise OperationError(
            "malformed", f"A flat action is {count} whole numbers, got {described(row)}."
        ) from None
    kinds = config.kinds
    if not 0 <= numbers["kind"] < len(kinds):
        raise OperationError(
            "unknown_operation", f"The kind must be 0 to {len(kinds) - 1}, got {numbers['kind']}."
        )
    kind = kinds[numbers["kind"]]
    _check(config, kind, numbers)
    values = {each.name: _value(each, config, memory, numbers) for each in kind.arguments}
    return operations().action(kind.name, values)


_REFUSALS = {"box": "bad_box", "target": "bad_image", "frame": "bad_frames", "answer": "no_answer"}
"""The kind of refusal where a number is out of range."""


def _check(config: FlatConfig, kind: Operation, numbers: Mapping[str, int]) -> None:
    """Refuses what lies outside the action space; numbers that the kind doesn't need may."""
    needed = used_by(kind)
    refusals = dict(_REFUSALS)
    if "target" in needed:
        if numbers["target"] == 0:  # of the overview, `frame` names the picture
            refusals["frame"] = "bad_image"
        else:
            needed.discard("frame")
    if any(each.column == "answer" and not kind.is_answer for each in kind.arguments):
        refusals["answer"] = "bad_arguments"
    for (name, number), size in zip(numbers.items(), config.action_sizes, strict=True):
        if name in needed and not 0 <= number < size:
            raise OperationError(
                refusals.get(name, "bad_arguments"),
                f"{name} must be 0 to {size - 1}, got {number}.",
            )


def _value(
    argument: Argument, config: FlatConfig, memory: Memory, numbers: Mapping[str, int]
) -> Any:
    """Returns what a row of whole numbers gives an argument."""
    if argument.column == "box":
        return argument.built(config.boxes[numbers["box"]])
    if argument.column == "target":
        if numbers["target"] == 0:
            return numbers["frame"] + 1
        there = numbers["target"] < len(memory.slots)
        return memory.slots[numbers["target"]].number if there else memory.n_views + 1
    if isinstance(argument, FramesArgument):
        return argument.built([numbers["frame"] + 1], config.n_pictures)
    if argument.column == "answer":
        return _text(config, memory, numbers["answer"])
    return argument.built(argument.flat_values[numbers[argument.name]])


def _text(config: FlatConfig, memory: Memory, number: int) -> str:
    """Returns an option's letter, or a text of the vocabulary; "" past the last one."""
    if memory.n_options:
        return LETTERS[number] if number < min(memory.n_options, len(LETTERS)) else ""
    return config.words[number] if number < len(config.words) else ""


def character_ids(text: str, length: int) -> NDArray[np.int64]:
    """Returns the ids of a text's first characters, (length,) int64, see `ALPHABET`.

    >>> character_ids("A b!é", 6).tolist()
    [3, 2, 4, 44, 1, 0]
    """
    ids = np.zeros(length, np.int64)
    for place, sign in enumerate(text[:length].lower()[:length]):
        ids[place] = ALPHABET.find(sign) + 2  # what isn't found is at -1
    return ids


def _shown_region(
    memory: Memory, operation: Operation, action: Mapping[str, Any], place: int
) -> tuple[int, Box]:
    """Returns the source, and the box of it, that an operation's new view stands for."""
    if operation.frames is not None:
        return int(np.flatnonzero(action[operation.frames.name])[place]) + 1, FULL
    box = operation.box
    views = [each.name for each in operation.arguments if each.column == "target"]
    parent = _parent(memory, action.get(box.of if box else views[0] if views else "", 1))
    if box is None:
        return parent.source, parent.box
    x1, y1, x2, y2 = (float(edge) for edge in action[box.name])
    return parent.source, nest_box(parent.box, (x1, y1, x2, y2))


def _parent(memory: Memory, number: int) -> Slot:
    """Returns the view that was zoomed into; each view shown at reset is a source of its own."""
    for slot in memory.slots[1:]:
        if slot.number == number:
            return slot
    return Slot(memory.slots[0].image, number, number, FULL)


def _sheet(images: Sequence[Image], side: int) -> Image:
    """Puts the pictures shown at reset on one, row by row; a single one fills it."""
    columns = math.ceil(math.sqrt(len(images)))
    edges = [round(side * place / columns) for place in range(columns + 1)]
    sheet = np.zeros((side, side, 3), np.uint8)
    for place, image in enumerate(images):
        row, column = divmod(place, columns)
        top, bottom = edges[row], edges[row + 1]
        left, right = edges[column], edges[column + 1]
        sheet[top:bottom, left:right] = _small(image, right - left, bottom - top)
    return sheet


def _small(image: Image, width: int, height: int) -> Image:
    """Brings a whole view to a size."""
    picture = PillowImage.fromarray(image)
    return resample(picture, (0, 0, *picture.size), (width, height))
