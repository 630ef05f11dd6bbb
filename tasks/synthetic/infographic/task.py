"""SyntheticInfographic: a procedural twin of InfographicsVQA.

A tall page with a title, a large figure, bars, a ring, a line, a table and small print. What is
written large can be read in the overview; table and small print can't.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import ClassVar

import numpy as np

from pixel_env.media.pictures import ImageSource
from pixel_env.types import Evidence, Grade, Sample

from ...grading import grade_anls, grade_choice
from ..endless import N_OPTIONS, Asked, EndlessTask
from .drawing import draw
from .layout import PageLayout, lay_out
from .page import (
    EASY,
    HARD,
    TABLE,
    PageContent,
    PageDifficulty,
    pick,
    random_date,
    random_edition,
    random_number,
    random_page,
    random_percent,
    random_source,
)
from .small_print import line_of, small_lines
from .topics import TITLES, TOPICS

TABLE_SHARE = 0.5
"""Share of the hard questions that are about a cell of the table."""

Writer = Callable[[np.random.Generator], str]

QUESTIONS: dict[str, str] = {
    "source": "Who is named as the source in the small print?",
    "asked": "How many people were asked, according to the small print?",
    "when": "When were the data collected, according to the small print?",
    "edition": "Which edition is this, according to the small print?",
}
"""Questions about the small print, by fact."""

WRITERS: dict[str, Writer] = {
    "source": random_source,
    "asked": random_number,
    "when": random_date,
    "edition": random_edition,
}
"""What draws other answers to them."""


class SyntheticInfographic(EndlessTask[PageContent]):
    """Endless seeded pages with one question each; the twin of InfographicsVQA.

    Answers are texts, graded by ANLS. Categories are "easy" (title, large figure, longest and
    shortest bar, largest part of the ring, peak of the line) and "hard" (a cell of the table, a
    fact of the small print). The evidence is where that is written; of a cell, its heading and
    its row's name too. Answers are written nowhere else but by chance, and nothing but their
    letters depends on them: no length of a bar tells what the table holds.

    >>> task = SyntheticInfographic(split="test")
    >>> task[2].question, task[2].answers, task[2].category
    ('Who is named as the source in the small print?', ('Upton Survey',), 'hard')
    >>> task.grade(task[2], "upton survey").score, task.grade(task[2], "Upton Surveys").correct
    (1.0, False)
    """

    name = "SyntheticInfographic"
    score_name: ClassVar[str] = "ANLS"
    prefix = "infographic"
    knobs = PageDifficulty

    def grade(self, sample: Sample, answer: str) -> Grade:
        """Grades the option's letter or text, or a free answer by ANLS."""
        return grade_choice(sample, answer) if sample.choices else grade_anls(sample, answer)

    def layout(self, index: int) -> PageLayout:
        """Returns where everything stands on the page behind sample `index`."""
        return lay_out(self.content(index), self.difficulty)

    def _random(self, rng: np.random.Generator) -> PageContent:
        return random_page(rng, self.difficulty)

    def _essence(self, content: PageContent) -> str:
        facts = (content.title, content.figure, content.bars, content.parts, content.years)
        small = content.small
        printed = (small.source, small.asked, small.when, small.edition)
        return repr((facts, sorted(content.rows), printed))

    def _ask(self, content: PageContent, is_easy: bool, rng: np.random.Generator) -> Asked:
        layout = lay_out(content, self.difficulty)
        wanted = self.difficulty.about
        if is_easy:
            return _ask_about_charts(layout, pick(rng, _wanted(EASY, wanted)), rng)
        hard = _wanted(HARD, wanted)
        share = TABLE_SHARE if TABLE in hard else 0.0
        facts = tuple(each for each in hard if each != TABLE)
        if rng.random() < share or not facts:
            return _ask_for_cell(layout, rng)
        fact = pick(rng, facts)
        question, write = QUESTIONS[fact], WRITERS[fact]
        number = line_of(content, fact)
        line = layout.small_line(number, small_lines(content)[number])
        right = getattr(content.small, fact)
        evidence = (Evidence(layout.share(line)),)
        return Asked(question, (right,), _with_others(right, write, rng), evidence)

    def _media(self, content: PageContent, name: str) -> tuple[ImageSource]:
        return (ImageSource(partial(draw, content, self.difficulty), name=name),)


def _ask_about_charts(layout: PageLayout, about: str, rng: np.random.Generator) -> Asked:
    """Returns a question that the overview answers."""
    content = layout.content
    if about == "title":
        titles = tuple(title.format(topic.subject) for topic in TOPICS for title in TITLES)
        question, right, pool, place = "What is the title?", content.title, titles, layout.head
    elif about == "figure":
        question, right = "Which figure is written in the largest digits?", content.figure
        pool, place = _with_others(right, random_percent, rng), layout.figure
    elif about == "ring":
        question, place = "Which part of the ring is the largest?", layout.ring
        right, pool = max(content.parts, key=_size)[0], _labels(content.parts)
    elif about == "peak":
        question, place = "In which year is the line highest?", layout.line
        right, pool = max(content.years, key=_size)[0], _labels(content.years)
    else:
        question, place = f"Which bar is the {about}?", layout.bars
        end = max if about == "longest" else min
        right, pool = end(content.bars, key=_size)[0], _labels(content.bars)
    return Asked(question, (right,), pool, (Evidence(layout.share(place)),))


def _ask_for_cell(layout: PageLayout, rng: np.random.Generator) -> Asked:
    """Returns a question about a cell of the table; other rows give the wrong options."""
    content = layout.content
    row, column = int(rng.integers(len(content.rows))), int(rng.integers(3))
    place, numbers = content.rows[row]
    heading = content.about.columns[column]
    question = f'What does the table say for {place} under "{heading}"?'
    where = [(row + 1, column + 1), (row + 1, 0), (0, column + 1)]
    evidence = tuple(Evidence(layout.share(layout.cell(*cell))) for cell in where)
    pool = tuple(dict.fromkeys(others[column] for _, others in content.rows))
    return Asked(question, (numbers[column],), pool, evidence)


def _wanted(kinds: tuple[str, ...], about: tuple[str, ...]) -> tuple[str, ...]:
    """Returns those of some kinds of question that are wanted; all of them where none is."""
    return tuple(kind for kind in kinds if kind in about) or kinds


def _with_others(right: str, write: Writer, rng: np.random.Generator) -> tuple[str, ...]:
    """Returns an answer and as many others, drawn as it was, as options need."""
    pool = {right: None}
    while len(pool) < N_OPTIONS:
        pool[write(rng)] = None
    return tuple(pool)


def _labels(values: tuple[tuple[str, int], ...]) -> tuple[str, ...]:
    return tuple(label for label, _ in values)


def _size(value: tuple[str, int]) -> int:
    return value[1]
