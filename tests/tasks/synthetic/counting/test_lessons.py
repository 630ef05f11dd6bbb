"""Lessons about boards say what lies on them, and where."""

import gymnasium as gym
import numpy as np
import pytest

from pixel_env.tasks.synthetic.counting import lessons
from pixel_env.tasks.synthetic.counting.board import MARKS
from pixel_env.tasks.synthetic.counting.drawing import mark_places
from pixel_env.tasks.synthetic.lessons import HEADS


@pytest.fixture(scope="module")
def task():
    return gym.make("PixelReason-SmallCounting-v0").unwrapped.task


def asked(exhibit, n=60):
    rng = np.random.default_rng(0)
    return [exhibit.lesson(rng) for _ in range(n)]


def test_counts_of_stickers_are_those_of_the_board(task):
    board = task.board(4)
    kinds = [sticker.kind for sticker in board.content.stickers]
    counted = 0
    for lesson in asked(lessons.exhibits(task, 4)[0]):
        if not lesson.question.startswith("How many"):
            continue
        named = lesson.question.removeprefix("How many ").removesuffix(" are there?")
        *colour, plural = named.split()
        shape = {"shapes": "", "crosses": "cross"}.get(plural, plural[:-1])
        fitting = [k for k in kinds if shape in ("", k[1]) and (not colour or colour[0] == k[0])]
        assert lesson.response.startswith(f"I see {len(fitting)}. ")
        counted += 1
    assert counted > 20


def test_boxes_hold_the_middle_of_what_is_asked_for(task):
    board = task.board(4)
    found = 0
    for lesson in asked(lessons.exhibits(task, 4)[0]):
        for number, card in enumerate(board.content.cards):
            name = f"{card.colour} card"
            line = "[" if lesson.question == f"Where is the {name}?" else f"{name} ["
            if line not in lesson.response or name not in lesson.question:
                continue
            written = lesson.response.split(line)[1].split("]")[0]
            x1, y1, x2, y2 = map(float, written.split(", "))
            place = board.card_box(number)
            assert x1 <= (place[0] + place[2]) / 2 <= x2
            assert y1 <= (place[1] + place[3]) / 2 <= y2
            found += 1
    assert found > 10


def test_a_card_in_close_up_is_counted_right_and_its_tokens_hold_its_marks(task):
    whole = 0
    for index in range(6):
        for exhibit in lessons.exhibits(task, index):
            if not isinstance(exhibit, lessons.CardCrop):
                continue
            card = exhibit._card
            for lesson in asked(exhibit, 8):
                kind = lesson.question.split()[2]
                if kind in MARKS:
                    assert lesson.response.startswith(f"I see {card.marks.count(kind)}. ")
            labels = exhibit.labels[-1]
            counts = [labels[:, list(HEADS).index(kind)].sum() for kind in MARKS]
            assert sum(counts) <= 2 * 6
            whole += counts == [card.marks.count(kind) for kind in MARKS]
    assert whole >= 12  # of 24; others lie over an edge, or two cards are close


def test_marks_are_where_the_board_is_drawn_dark(task):
    board = task.board(2)
    picture = np.asarray(lessons.draw(board.content, task.difficulty).convert("L"))
    card, place = board.content.cards[0], board.cards[0]
    found = mark_places(card, place, board.content.places, task.difficulty)
    assert len(found) == task.difficulty.marks_per_card
    assert all(picture[int(y), int(x)] < 100 for _, (x, y) in found)
