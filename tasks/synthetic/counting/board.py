"""Boards of stickers and cards: what they hold, and where it lies.

What a board holds is drawn first and fixes everything (`BoardContent`); where it lies follows from
that (`lay_out`). So the split, which depends on what is on it, is known before anything is placed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from pixel_env.errors import ConfigError

from ..stickers import COLOURS, SHAPES

MARKS = ("dots", "crosses", "triangles")
"""Small marks on cards; each kind takes the same ink, so that only their form tells them apart."""

CARDS = ("blue", "green", "yellow", "pink")
TURNS = (-20, -10, 0, 10, 20)
MAX_COUNT = 9

Kind = tuple[str, str]
"""(colour, shape) of a sticker."""

_KINDS: tuple[Kind, ...] = tuple((colour, shape) for colour in COLOURS for shape in SHAPES)
_SIZES = (0.75, 0.875, 1.0)
"""Sides of stickers, as fractions of the largest."""

_DENSEST = 0.4
"""Most of a board that stickers and cards may cover: beyond that no free place may be found."""

_LEAST_SLOT = 1.6
"""Sides of a card's slot in sides of a mark: beside each other, marks never touch."""


@dataclass(frozen=True, slots=True)
class BoardDifficulty:
    """The knobs of a board.

    Attributes:
        scene_px: side of the square source picture in pixels, from 256 to 4096; larger makes the
            overview coarser.
        sticker_px: side of the largest sticker in source pixels; the smallest has three quarters.
        card_px: side of a card in source pixels.
        mark_px: side of a mark on a card in source pixels.
        max_count: largest count that is asked for, from 4 to 9; every one from 1 is as likely.
        distractors: stickers that are not asked for.
        n_cards: cards on the board, from 1 to 4; all but one are distractors.
        marks_per_card: marks on a card, of all kinds together.
        overlaps: share of the stickers put beside or partly over an earlier one, in [0, 1].
        visible: least share of each sticker that stays visible, in [0.3, 1].
        lit: whether light tells every place, as in SyntheticSearch, in place of dotted paper.
    """

    scene_px: int = 1120
    sticker_px: int = 140
    card_px: int = 132
    mark_px: int = 11
    max_count: int = 8
    distractors: int = 10
    n_cards: int = 3
    marks_per_card: int = 12
    overlaps: float = 0.5
    visible: float = 0.6
    lit: bool = field(default=False, repr=False)

    def __post_init__(self) -> None:
        """Checks that such a board can be laid out.

        Raises:
            ConfigError: a knob is out of its range.
        """
        self._check("scene_px", 256, 4096)
        self._check("max_count", 4, MAX_COUNT)
        self._check("distractors", 0, 40)
        self._check("n_cards", 1, len(CARDS))
        self._check("sticker_px", 32, self.scene_px // 4)
        self._check("card_px", 48, self.scene_px // 4)
        self._check("mark_px", 5, self.card_px // 6)
        slots = self.slots**2
        self._check("marks_per_card", self.max_count + 1, slots)
        for name, least in (("overlaps", 0.0), ("visible", 0.3)):
            if not least <= getattr(self, name) <= 1.0:
                raise ConfigError(f"expected {name} in [{least}, 1], got {getattr(self, name)}")
        stickers = (self.max_count + self.distractors) * self.sticker_px**2
        covered = (stickers + self.n_cards * self.card_px**2) / self.scene_px**2
        if covered > _DENSEST:
            raise ConfigError(
                f"expected stickers and cards to cover at most {_DENSEST:.0%} of the board, got "
                f"{covered:.0%}; lower distractors, sticker_px, card_px or raise scene_px"
            )

    @property
    def slots(self) -> int:
        """How many slots for marks a card has along each side."""
        return min(int(self.card_px * 0.86 / (_LEAST_SLOT * self.mark_px)), 5)

    def _check(self, name: str, least: int, most: int) -> None:
        if not least <= getattr(self, name) <= most:
            raise ConfigError(f"expected {name} from {least} to {most}, got {getattr(self, name)}")


@dataclass(frozen=True, slots=True)
class Sticker:
    """One sticker.

    Attributes:
        colour: a name of `COLOURS`.
        shape: a name of `SHAPES`.
        size_px: diameter in source pixels.
        turn: degrees.
    """

    colour: str
    shape: str
    size_px: int
    turn: int

    @property
    def kind(self) -> Kind:
        """Its (colour, shape)."""
        return self.colour, self.shape


@dataclass(frozen=True, slots=True)
class Card:
    """One card with small marks.

    Attributes:
        colour: a name of `CARDS`; unique on its board.
        marks: kind of the mark in each slot, row by row; "" for an empty slot.
    """

    colour: str
    marks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Subject:
    """What is counted among the stickers.

    Attributes:
        colour: a name of `COLOURS`; "" for any.
        shape: a name of `SHAPES`; "" for any.
    """

    colour: str
    shape: str

    def fits(self, kind: Kind) -> bool:
        """Tells whether stickers of a kind are counted."""
        return self.colour in ("", kind[0]) and self.shape in ("", kind[1])

    @property
    def plural(self) -> str:
        """Its name, such as "red circles", "red shapes" or "circles"."""
        noun = {"": "shapes", "cross": "crosses"}.get(self.shape, f"{self.shape}s")
        return f"{self.colour} {noun}".strip()


@dataclass(frozen=True, slots=True)
class BoardContent:
    """What a board holds; everything that is drawn follows from it.

    Attributes:
        stickers: from the lowest to the topmost.
        cards: the first one is asked for.
        subject: what is asked for among the stickers.
        mark: the kind of mark that is asked for on the first card.
        places: seed of where everything lies.
    """

    stickers: tuple[Sticker, ...]
    cards: tuple[Card, ...]
    subject: Subject
    mark: str
    places: int

    @property
    def n_subjects(self) -> int:
        """How many stickers are asked for."""
        return sum(self.subject.fits(sticker.kind) for sticker in self.stickers)

    @property
    def n_marks(self) -> int:
        """How many marks of the kind asked for are on the first card."""
        return self.cards[0].marks.count(self.mark)


def random_board(rng: np.random.Generator, difficulty: BoardDifficulty) -> BoardContent:
    """Draws what a board holds.

    Both counts are drawn before anything else, each from 1 to `max_count` alike, so that no count
    is likelier than another.

    Args:
        rng: where every choice comes from.
        difficulty: the knobs.
    """
    subject = _random_subject(rng)
    n_subjects = int(rng.integers(1, difficulty.max_count + 1))
    kinds = _random_kinds(rng, subject, n_subjects, difficulty.distractors)
    sizes, turns = (rng.integers(len(of), size=len(kinds)) for of in (_SIZES, TURNS))
    stickers = [
        Sticker(*kind, int(_SIZES[size] * difficulty.sticker_px), TURNS[turn])
        for kind, size, turn in zip(kinds, sizes, turns, strict=True)
    ]
    mark = _pick(rng, MARKS)
    cards = []
    for colour in rng.permutation(len(CARDS))[: difficulty.n_cards]:
        n_marks = int(rng.integers(1, difficulty.max_count + 1))
        cards.append(Card(CARDS[colour], _random_marks(rng, difficulty, mark, n_marks)))
    return BoardContent(
        stickers=tuple(stickers[i] for i in rng.permutation(len(stickers))),
        cards=tuple(cards),
        subject=subject,
        mark=mark,
        places=int(rng.integers(2**31)),
    )


def _random_subject(rng: np.random.Generator) -> Subject:
    """Draws a subject: a coloured shape half of the time, else a colour or a shape alone."""
    colour, shape = _pick(rng, tuple(COLOURS)), _pick(rng, SHAPES)
    alone = rng.random()
    if alone < 0.5:
        return Subject(colour, shape)
    return Subject(colour, "") if alone < 0.75 else Subject("", shape)


def _random_kinds(
    rng: np.random.Generator, subject: Subject, n_subjects: int, n_others: int
) -> list[Kind]:
    """Draws what is counted, and what isn't: a third each of its colour, of its shape, of any."""
    counted = [kind for kind in _KINDS if subject.fits(kind)]
    others = [kind for kind in _KINDS if not subject.fits(kind)]
    pools = (
        [kind for kind in others if kind[0] == subject.colour] or others,
        [kind for kind in others if kind[1] == subject.shape] or others,
        others,
    )
    drawn = [counted[i] for i in rng.integers(len(counted), size=n_subjects)]
    for which, share in zip(rng.integers(3, size=n_others), rng.random(n_others), strict=True):
        pool = pools[which]
        drawn.append(pool[int(share * len(pool))])
    return drawn


def _random_marks(
    rng: np.random.Generator, difficulty: BoardDifficulty, mark: str, n_marks: int
) -> tuple[str, ...]:
    """Draws the marks of a card: `n_marks` of a kind, the rest others, in random slots."""
    others = [kind for kind in MARKS if kind != mark]
    n_others = difficulty.marks_per_card - n_marks
    marks = [mark] * n_marks + [others[i] for i in rng.integers(len(others), size=n_others)]
    marks += [""] * (difficulty.slots**2 - len(marks))
    return tuple(marks[i] for i in rng.permutation(len(marks)))


def _pick(rng: np.random.Generator, names: Sequence[str]) -> str:
    return names[int(rng.integers(len(names)))]
