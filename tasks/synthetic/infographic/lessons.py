"""Lessons about pages: titles, figures, where each part stands, and the small print in close-up."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from pixel_env.media.geometry import Box, fit
from pixel_env.media.pictures import ImageSource

from ..lessons import Exhibit, Lesson, TokenLabels, grounded, listed, quiz
from ..lettering import width_of
from .drawing import draw
from .layout import PageLayout
from .page import random_percent
from .small_print import FACTS, line_of, small_lines
from .task import QUESTIONS, WRITERS, SyntheticInfographic
from .topics import FOUNDERS, HOUSES, MONTHS, TITLES, TOPICS

OVERVIEW_PX = (112, 224)
CROP_PX = (40 * 28 * 28, 56 * 28 * 28)
"""Fewest and most pixels of a close-up: a range, so that it keeps its ratio."""

N_CROPS = 3
STEP = 0.05
_WHOLE: Box = (0.0, 0.0, 1.0, 1.0)
_PARTS = ("figure", "ring", "bars", "line", "table", "foot")
_N_WRONG = 3


class Overview(Exhibit):
    """A whole page."""

    def __init__(self, layout: PageLayout, source: ImageSource) -> None:
        """Labels the title and the large figure."""
        self.pictures = (source.region(_WHOLE, OVERVIEW_PX),)
        self._layout = layout
        content = layout.content
        labels = TokenLabels(OVERVIEW_PX)
        labels.put(layout.share(layout.head), topic=str(content.topic + 1))
        x1, y1, x2, y2 = layout.share(layout.figure)
        tens, ones = content.figure[0], content.figure[1]
        labels.put((x1, y1, x2, y2), first_character=tens, second_character=ones)
        self.labels = (labels.values,)

    def lesson(self, rng: np.random.Generator) -> Lesson:
        """Draws a lesson."""
        chance, content = rng.random(), self._layout.content
        if chance < 0.3:
            titles = [title.format(content.about.subject) for title in TITLES]
            return quiz(rng, self.pictures, "What is the title?", content.title, titles)
        if chance < 0.7:
            question = "Which figure is written in the largest digits?"
            others = [random_percent(rng) for _ in range(_N_WRONG)]
            return quiz(rng, self.pictures, question, content.figure, others)
        if chance < 0.85:
            name = _PARTS[rng.integers(len(_PARTS))]
            response = grounded(self._where(name))
            return Lesson(self.pictures, f"Where is the {_called(name)}?", (), response)
        names = [_PARTS[i] for i in rng.permutation(len(_PARTS))[:3]]
        lines = [f"{_called(name)} [{listed(self._where(name))}]" for name in names]
        question = f"Where is {', '.join(map(_called, names))}?"
        return Lesson(self.pictures, question, (), "\n".join(lines))

    def _where(self, name: str) -> Box:
        """Returns where a part stands, widened to the coarse grid."""
        return widened(self._layout.share(getattr(self._layout, name)))


class SmallPrint(Exhibit):
    """A close-up of one fact's line in the small print, or of all of it."""

    def __init__(
        self, layout: PageLayout, source: ImageSource, overview: Overview, box: Box, asked: str
    ) -> None:
        """Cuts the lines out of the page.

        Args:
            layout: of the page.
            source: the page.
            overview: the whole of it, small.
            box: what is shown.
            asked: the fact that can be read in it.
        """
        width, height = layout.size
        size = fit(round((box[2] - box[0]) * width), round((box[3] - box[1]) * height), *CROP_PX)
        self.pictures = (*overview.pictures, source.region(box, size))
        self.labels = (*overview.labels, _characters(layout, box, size))
        self._asked = asked
        self._right: str = getattr(layout.content.small, asked)

    def lesson(self, rng: np.random.Generator) -> Lesson:
        """Asks for the fact."""
        pictures = self.pictures if rng.random() < 0.5 else self.pictures[1:]
        others = [WRITERS[self._asked](rng) for _ in range(_N_WRONG)]
        return quiz(rng, pictures, QUESTIONS[self._asked], self._right, others)


def exhibits(task: SyntheticInfographic, index: int) -> list[Exhibit]:
    """Returns the page behind a sample and close-ups of it; the page as often as those."""
    rng = np.random.default_rng(index)
    layout = task.layout(index)
    source = ImageSource(draw(layout.content, task.difficulty))
    overview = Overview(layout, source)
    crops: list[Exhibit] = []
    for place in rng.permutation(len(FACTS))[:N_CROPS]:
        number = line_of(layout.content, FACTS[place])
        line = layout.small_line(number, small_lines(layout.content)[number])
        box = widened(layout.share(line))
        if rng.random() < 0.5:  # the whole of the small print, as a policy may ask for
            box = (0.0, 0.9, max(box[2], 0.5), 1.0)
        crops.append(SmallPrint(layout, source, overview, box, FACTS[place]))
    return [*[overview] * len(crops), *crops]


def widened(box: Box) -> Box:
    """Returns the smallest box on the coarse grid around another one.

    >>> widened((0.05, 0.926, 0.44, 0.938))
    (0.05, 0.9, 0.45, 0.95)
    """
    low = [math.floor(edge / STEP + 1e-9) * STEP for edge in box[:2]]
    high = [min(math.ceil(edge / STEP - 1e-9) * STEP, 1.0) for edge in box[2:]]
    return tuple(round(edge, 2) for edge in (*low, *high))  # type: ignore[return-value]


def vocabulary() -> list[str]:
    """Returns every text that is asked for on pages, to train a tokenizer on."""
    texts = [title.format(topic.subject) for topic in TOPICS for title in TITLES]
    texts += [f"{founder} {house}" for founder in FOUNDERS for house in HOUSES]
    texts += [f"{month} 2" for month in MONTHS]
    texts += [f"Where is {', '.join(map(_called, _PARTS))}?", *QUESTIONS.values()]
    texts += [f"I see {word}" for word in (*MONTHS, *FOUNDERS, *TITLES)]
    for topic in TOPICS:
        texts += [*topic.things, *topic.parts, *topic.columns]
    return [*texts, *(f"{letter}-1" for letter in "ABCDEFGHKLMNPRST")]


def _called(part: str) -> str:
    return "small print" if part == "foot" else part


def _characters(layout: PageLayout, box: Box, size: tuple[int, int]) -> NDArray[np.int64]:
    """Labels each third of a token with the character under it, where it shows one line.

    A token in which two lines end has no labels: it could not be told which one is meant.
    """
    labels = TokenLabels(size)
    heads = ("first_character", "second_character", "third_character")
    columns, rows = size[0] // 28, size[1] // 28
    width, height = layout.size
    small_px = layout.difficulty.small_px
    lines: dict[int, list[tuple[str, int]]] = {}
    for number, text in enumerate(small_lines(layout.content)):
        x, y1, _, y2 = layout.small_line(number, text)
        row = ((y1 + y2) / 2 / height - box[1]) / (box[3] - box[1]) * rows
        lines.setdefault(math.floor(row), []).append((text, x))
    for place_down, found in lines.items():
        if len(found) > 1 or not 0 <= place_down < rows:
            continue
        text, x = found[0]
        ends = [x + width_of(text[:length], small_px) for length in range(len(text) + 1)]
        for start, end, character in zip(ends[:-1], ends[1:], text, strict=True):
            place = ((start + end) / 2 / width - box[0]) / (box[2] - box[0]) * columns
            head = heads[int(place % 1 * 3)]
            if 0 <= place < columns and character.isascii() and character not in " .;:":
                cell = math.floor(place)
                upper, lower = place_down / rows, (place_down + 1) / rows
                where = (cell / columns, upper, (cell + 1) / columns, lower)
                labels.put(where, **{head: character})
    return labels.values
