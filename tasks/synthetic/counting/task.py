"""SyntheticCounting: a procedural twin of TallyQA.

Stickers lie over one another on a board, among cards with small marks. How many red circles there
are can be seen in the overview; how many of the marks on a card are dots can't: all kinds of
marks take the same ink, and in the overview a mark is a blot of two or three pixels.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from pixel_env.media.pictures import ImageSource
from pixel_env.types import Evidence, Grade, Sample

from ...grading import grade_choice, grade_count
from ..endless import Asked, EndlessTask
from .board import BoardContent, BoardDifficulty, random_board
from .drawing import draw
from .layout import Board, lay_out


class SyntheticCounting(EndlessTask[BoardContent]):
    """Endless seeded boards with one "How many ..." each; the twin of TallyQA.

    Categories are "easy" (stickers of a colour, of a shape, or of both) and "hard" (marks on a
    card), as in every twin: what the trainer and the reports keep apart is whether a zoom is
    needed. TallyQA's own "simple" and "complex" are about the wording of a question, and here all
    would be simple. Counts from 1 to `max_count` are equally likely. The evidence is the box of
    each sticker that counts, or that of the card.

    The split hangs on the stickers and the cards that a board holds, wherever they lie.

    >>> task = SyntheticCounting(split="test")
    >>> task[3].question, task[3].answers, task[3].category
    ('How many dots are on the pink card?', ('4',), 'hard')
    >>> task.grade(task[3], "four").score
    1.0
    """

    name = "SyntheticCounting"
    prefix = "counting"
    knobs = BoardDifficulty

    def grade(self, sample: Sample, answer: str) -> Grade:
        """Grades the option's letter or text, or the number of a free answer."""
        return grade_choice(sample, answer) if sample.choices else grade_count(sample, answer)

    def board(self, index: int) -> Board:
        """Returns the board behind sample `index`, with the place of everything on it."""
        return lay_out(self.content(index), self.difficulty)

    def _random(self, rng: np.random.Generator) -> BoardContent:
        return random_board(rng, self.difficulty)

    def _essence(self, content: BoardContent) -> str:
        return repr((sorted(map(repr, content.stickers)), sorted(map(repr, content.cards))))

    def _ask(self, content: BoardContent, is_easy: bool, rng: np.random.Generator) -> Asked:
        board = lay_out(content, self.difficulty)
        pool = tuple(str(count) for count in range(1, self.difficulty.max_count + 1))
        if is_easy:
            question = f"How many {content.subject.plural} are there?"
            counted = [
                Evidence(board.sticker_box(number))
                for number, sticker in enumerate(content.stickers)
                if content.subject.fits(sticker.kind)
            ]
            return Asked(question, (str(content.n_subjects),), pool, tuple(counted))
        question = f"How many {content.mark} are on the {content.cards[0].colour} card?"
        return Asked(question, (str(content.n_marks),), pool, (Evidence(board.card_box(0)),))

    def _media(self, content: BoardContent, name: str) -> tuple[ImageSource]:
        return (ImageSource(partial(draw, content, self.difficulty), name=name),)
