"""Lessons about boards: what lies where, how many there are, which marks are on a card."""

from __future__ import annotations

from collections import Counter

import numpy as np

from pixel_env.media.geometry import Box
from pixel_env.media.pictures import ImageSource

from ..lessons import (
    Exhibit,
    Lesson,
    TokenLabels,
    grounded,
    listed,
    quiz,
    square,
    written_box,
)
from ..stickers import COLOURS, SHAPES
from .board import MARKS, Subject
from .drawing import draw, mark_places
from .layout import Board
from .task import SyntheticCounting

PICTURE_PX = 112
CROP_SIDES = (0.15, 0.15, 0.2)
N_CROPS = 4
SHIFT = 0.025
"""How far the centre of a crop lies from the middle of its card: half a step of the boxes."""

_WHOLE: Box = (0.0, 0.0, 1.0, 1.0)


class Overview(Exhibit):
    """A whole board."""

    def __init__(self, board: Board, source: ImageSource) -> None:
        """Draws the board and labels what lies on it."""
        self._board = board
        self.pictures = (source.region(_WHOLE, (PICTURE_PX, PICTURE_PX)),)
        self.labels = (_labels(board, _WHOLE),)
        kinds = Counter(sticker.kind for sticker in board.content.stickers)
        alone = [
            (" ".join(sticker.kind), _middle(board.sticker_box(number)))
            for number, sticker in enumerate(board.content.stickers)
            if kinds[sticker.kind] == 1
        ]
        cards = [
            (f"{card.colour} card", _middle(board.card_box(number)))
            for number, card in enumerate(board.content.cards)
        ]
        self._places = (*alone, *cards)
        self._cards = tuple(cards)

    def lesson(self, rng: np.random.Generator) -> Lesson:
        """Draws a lesson: a count half of the time, else where something lies."""
        chance = rng.random()
        if chance < 0.5:
            return self._count(rng)
        if chance < 0.7:
            name, place = self._cards[rng.integers(len(self._cards))]
            response = grounded(written_box(*place))
            return Lesson(self.pictures, f"Where is the {name}?", (), response)
        places = [self._places[i] for i in rng.permutation(len(self._places))[:4]]
        asked = ", ".join(name for name, _ in places)
        lines = [f"{name} [{listed(written_box(*place))}]" for name, place in places]
        return Lesson(self.pictures, f"Where is {asked}?", (), "\n".join(lines))

    def _count(self, rng: np.random.Generator) -> Lesson:
        """How many stickers of a colour, a shape or both; the task's own subject at times."""
        content = self._board.content
        subject = content.subject
        if rng.random() < 0.5:
            colour, shape = content.stickers[rng.integers(len(content.stickers))].kind
            subject = (Subject(colour, shape), Subject(colour, ""), Subject("", shape))[
                rng.integers(3)
            ]
        count = sum(subject.fits(sticker.kind) for sticker in content.stickers)
        pool = _pool(max(count, self._board.difficulty.max_count))
        return quiz(rng, self.pictures, f"How many {subject.plural} are there?", str(count), pool)


class CardCrop(Exhibit):
    """A crop around a card, which the whole board may stand before."""

    def __init__(
        self, board: Board, source: ImageSource, overview: Overview, number: int, box: Box
    ) -> None:
        """Cuts the card out of the board."""
        crop = source.region(box, (PICTURE_PX, PICTURE_PX))
        self.pictures = (*overview.pictures, crop)
        self.labels = (*overview.labels, _labels(board, box))
        self._card = board.content.cards[number]
        self._most = board.difficulty.max_count

    def lesson(self, rng: np.random.Generator) -> Lesson:
        """Draws a lesson: how many marks of a kind, or all of them."""
        pictures = self.pictures if rng.random() < 0.5 else self.pictures[1:]
        if rng.random() < 0.3:
            written = ", ".join(f"{kind} {self._card.marks.count(kind)}" for kind in MARKS)
            response = f"{self._card.colour} card: {written}"
            return Lesson(pictures, "What is this?", (), response)
        there = [kind for kind in MARKS if kind in self._card.marks]
        kind = there[rng.integers(len(there))]
        question = f"How many {kind} are on the {self._card.colour} card?"
        count = self._card.marks.count(kind)
        return quiz(rng, pictures, question, str(count), _pool(max(count, self._most)))


class StickerCrop(Exhibit):
    """A crop around a sticker."""

    def __init__(self, board: Board, source: ImageSource, number: int, box: Box) -> None:
        """Cuts the sticker out of the board."""
        self.pictures = (source.region(box, (PICTURE_PX, PICTURE_PX)),)
        self.labels = (_labels(board, box),)
        self._name = " ".join(board.content.stickers[number].kind)

    def lesson(self, rng: np.random.Generator) -> Lesson:
        """Asks what it is."""
        return Lesson(self.pictures, "What is this?", (), self._name)


def exhibits(task: SyntheticCounting, index: int) -> list[Exhibit]:
    """Returns the board behind a sample and crops of it; the overview as often as crops."""
    rng = np.random.default_rng(index)
    board = task.board(index)
    source = ImageSource(draw(board.content, task.difficulty))
    overview = Overview(board, source)
    crops: list[Exhibit] = []
    for _ in range(N_CROPS):
        number = int(rng.integers(len(board.content.cards)))
        box = _box(rng, board.card_box(number))
        crops.append(CardCrop(board, source, overview, number, box))
    number = int(rng.integers(len(board.content.stickers)))
    crops.append(StickerCrop(board, source, number, _box(rng, board.sticker_box(number))))
    return [*[overview] * len(crops), *crops]


def vocabulary() -> list[str]:
    """Returns every name of a thing on a board and every count, to train a tokenizer on."""
    subjects = [Subject(colour, shape) for colour in COLOURS for shape in ("", *SHAPES)]
    subjects += [Subject("", shape) for shape in SHAPES]
    names = [f"How many {subject.plural} are there?" for subject in subjects]
    return [*names, *(f"pink card: {', '.join(f'{kind} 1' for kind in MARKS)}" for _ in (1, 2))]


def _labels(board: Board, box: Box) -> np.typing.NDArray[np.int64]:
    """Labels the tokens of a picture of a part of a board."""
    labels = TokenLabels((PICTURE_PX, PICTURE_PX), "colour", "shape")
    is_close = box != _WHOLE
    content = board.content
    things = [
        *((card.colour, "card", board.card_box(n)) for n, card in enumerate(content.cards)),
        *((*s.kind, board.sticker_box(n)) for n, s in enumerate(content.stickers)),
    ]
    for colour, shape, place in things:
        known = {"colour": colour, "shape": shape}
        if not is_close:
            low, top, *_ = written_box(*_middle(place))
            known |= {"x1": f"{low:g}", "y1": f"{top:g}"}
        labels.put(_inside(box, place), **known)
    if is_close:
        _count_marks(labels, board, box)
    return labels.values


def _count_marks(labels: TokenLabels, board: Board, box: Box) -> None:
    """Counts the marks in each token of a crop."""
    side = board.difficulty.scene_px
    for head in MARKS:
        labels.put((0.0, 0.0, 1.0, 1.0), **{head: "0"})
    for card, place in zip(board.content.cards, board.cards, strict=True):
        for kind, (x, y) in mark_places(card, place, board.content.places, board.difficulty):
            left, top, *_ = _inside(box, (x / side, y / side, x / side, y / side))
            labels.count(left, top, kind)


def _inside(outer: Box, box: Box) -> Box:
    """Turns a box of the board into one of the part of it that is shown."""
    width, height = outer[2] - outer[0], outer[3] - outer[1]
    return (
        (box[0] - outer[0]) / width,
        (box[1] - outer[1]) / height,
        (box[2] - outer[0]) / width,
        (box[3] - outer[1]) / height,
    )


def _box(rng: np.random.Generator, thing: Box) -> Box:
    """Draws the box of a crop around a thing."""
    side = CROP_SIDES[rng.integers(len(CROP_SIDES))]
    x, y = _middle(thing)
    shift = rng.uniform(-SHIFT, SHIFT, size=2)
    return square(x + float(shift[0]), y + float(shift[1]), side)


def _middle(box: Box) -> tuple[float, float]:
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2


def _pool(most: int) -> tuple[str, ...]:
    return tuple(str(count) for count in range(1, most + 1))
