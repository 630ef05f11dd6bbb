"""The content of an infographic page: its title, its figures, its table and its small print."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

from pixel_env.errors import ConfigError, unknown_name

from .topics import FOUNDERS, HOUSES, MONTHS, PLACES, TITLES, TOPICS, Topic

BLOCKS = ("figure", "bars", "table")
"""Parts of a page between title and small print, each as wide as the page."""

EASY = ("title", "figure", "longest", "shortest", "ring", "peak")
"""Kinds of questions that the overview answers."""

TABLE = "table"
HARD = (TABLE, "source", "asked", "when", "edition")
"""Kinds of questions that it doesn't answer: a cell of the table, and facts of the small print."""

N_PALETTES = 5
MOST_BARS = 6
MOST_ROWS = 8
N_PARTS = 4
N_YEARS = 5

Picked = TypeVar("Picked")


@dataclass(frozen=True, slots=True)
class PageDifficulty:
    """The knobs of a page.

    Attributes:
        page_px: width of the page in source pixels; its height is twice that. A larger one makes
            the overview coarser.
        small_px: size of table cells and small print in source pixels.
        large_px: size of what the overview shows: labels of bars and of the ring.
        bars: bars of the chart, from 4 to 6.
        rows: rows of the table, from 4 to 8.
        about: kinds of questions that are asked, of `EASY` and `HARD`; of whichever of the two
            none is named, all are.
    """

    page_px: int = 1120
    small_px: int = 18
    large_px: int = 44
    bars: int = 5
    rows: int = 7
    about: tuple[str, ...] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        """Checks that such a page can be drawn.

        Raises:
            ConfigError: a knob is out of its range.
        """
        object.__setattr__(self, "about", tuple(self.about))  # JSON gives a list
        for kind in self.about:
            if kind not in (*EASY, *HARD):
                raise unknown_name("kind of question", kind, (*EASY, *HARD))
        page = self.page_px
        for name, least, most in (
            ("page_px", 560, 2240),
            ("bars", 4, MOST_BARS),
            ("rows", 4, MOST_ROWS),
            ("small_px", max(page // 100, 7), page // 50),
            ("large_px", page // 40, page // 24),
        ):
            if not least <= getattr(self, name) <= most:
                raise ConfigError(
                    f"expected {name} from {least} to {most} where page_px is {page}, "
                    f"got {getattr(self, name)}"
                )


@dataclass(frozen=True, slots=True)
class SmallPrint:
    """The facts at the foot of a page.

    Attributes:
        source: who made the survey.
        asked: how many people were asked.
        when: month and year.
        edition: number of the edition.
        order: in which order the four are printed.
    """

    source: str
    asked: str
    when: str
    edition: str
    order: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class PageContent:
    """What is on a page; everything that is drawn follows from it.

    Attributes:
        topic: number of the topic in `TOPICS`.
        title: the title.
        figure: the number in the largest digits, such as "68%".
        bars: (label, length in 1..100) of each bar; no two are equally long.
        parts: (label, percent) of each part of the ring; one is plainly the largest.
        years: (year, height in 1..100) of each point of the line; one is highest.
        rows: (place, three numbers) of each row of the table.
        small: the small print.
        blocks: `BLOCKS` in the order of the page.
        palette: number of the palette.
        is_mirrored: whether the halves of blocks change sides.
    """

    topic: int
    title: str
    figure: str
    bars: tuple[tuple[str, int], ...]
    parts: tuple[tuple[str, int], ...]
    years: tuple[tuple[str, int], ...]
    rows: tuple[tuple[str, tuple[str, str, str]], ...]
    small: SmallPrint
    blocks: tuple[str, ...]
    palette: int
    is_mirrored: bool

    @property
    def about(self) -> Topic:
        """The topic."""
        return TOPICS[self.topic]


def random_page(rng: np.random.Generator, difficulty: PageDifficulty) -> PageContent:
    """Draws the content of a page.

    Args:
        rng: where every choice comes from.
        difficulty: the knobs.
    """
    number = int(rng.integers(len(TOPICS)))
    topic = TOPICS[number]
    lengths = 20 + 80 * (rng.permutation(10)[: difficulty.bars] + rng.random()) / 10
    labels = shuffled(rng, topic.things)
    first_year = int(rng.integers(1990, 2020))
    return PageContent(
        topic=number,
        title=pick(rng, TITLES).format(topic.subject),
        figure=random_percent(rng),
        bars=tuple((label, int(length)) for label, length in zip(labels, lengths, strict=False)),
        parts=_random_parts(rng, topic),
        years=tuple(
            (str(first_year + step), int(height))
            for step, height in enumerate(20 + 14 * rng.permutation(N_YEARS) + rng.integers(12))
        ),
        rows=tuple(
            (place, (random_number(rng), random_number(rng), random_number(rng)))
            for place in shuffled(rng, PLACES)[: difficulty.rows]
        ),
        small=SmallPrint(
            source=random_source(rng),
            asked=random_number(rng),
            when=random_date(rng),
            edition=random_edition(rng),
            order=tuple(int(place) for place in rng.permutation(4)),
        ),
        blocks=tuple(shuffled(rng, BLOCKS)),
        palette=int(rng.integers(N_PALETTES)),
        is_mirrored=bool(rng.random() < 0.5),
    )


def _random_parts(rng: np.random.Generator, topic: Topic) -> tuple[tuple[str, int], ...]:
    """Draws parts of a whole, one of them plainly the largest."""
    largest = int(rng.integers(40, 56))
    second = int((100 - largest) * rng.uniform(0.36, 0.44))
    third = int((100 - largest) * rng.uniform(0.28, 0.34))
    percents = [largest, second, third, 100 - largest - second - third]
    labels = shuffled(rng, topic.parts)
    return tuple((labels[i], percents[place]) for i, place in enumerate(rng.permutation(N_PARTS)))


def random_percent(rng: np.random.Generator) -> str:
    """Draws a figure such as "68%"."""
    return f"{rng.integers(11, 99)}%"


def random_number(rng: np.random.Generator) -> str:
    """Draws a number of four digits, such as "4,812"."""
    return f"{rng.integers(1000, 10_000):,}"


def random_source(rng: np.random.Generator) -> str:
    """Draws a source, such as "Harlow Institute"."""
    return f"{pick(rng, FOUNDERS)} {pick(rng, HOUSES)}"


def random_date(rng: np.random.Generator) -> str:
    """Draws a month, such as "May 2019"."""
    return f"{pick(rng, MONTHS)} {rng.integers(2000, 2025)}"


def random_edition(rng: np.random.Generator) -> str:
    """Draws an edition's number, such as "F-274"."""
    return f"{'ABCDEFGHKLMNPRST'[rng.integers(16)]}-{rng.integers(100, 1000)}"


def shuffled(rng: np.random.Generator, names: Sequence[str]) -> list[str]:
    """Returns names in a random order."""
    return [names[i] for i in rng.permutation(len(names))]


def pick(rng: np.random.Generator, values: Sequence[Picked]) -> Picked:
    """Draws one of some values."""
    return values[int(rng.integers(len(values)))]
