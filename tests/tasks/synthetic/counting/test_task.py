"""SyntheticCounting: the picture shows as many as the answer says, where the evidence says."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from synthetic_twins import change

from pixel_env.errors import ConfigError
from pixel_env.evidence import widened
from pixel_env.media.pictures import ImageSource
from pixel_env.tasks.synthetic.counting.board import MARKS, BoardDifficulty, Subject
from pixel_env.tasks.synthetic.counting.drawing import CARD_COLOURS, draw, mark_mask
from pixel_env.tasks.synthetic.counting.layout import lay_out
from pixel_env.tasks.synthetic.counting.task import SyntheticCounting
from pixel_env.tasks.synthetic.stickers import COLOURS, SHAPES, sticker_masks


def blots(dark):
    """Returns (pixels, height, width) of each connected dark blot of a boolean picture."""
    left, found = {(int(y), int(x)) for y, x in zip(*np.nonzero(dark), strict=True)}, []
    while left:
        waiting, blot = [left.pop()], []
        while waiting:
            y, x = waiting.pop()
            blot.append((y, x))
            for near in ((y + dy, x + dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)):
                if near in left:
                    left.remove(near)
                    waiting.append(near)
        height, width = (max(axis) - min(axis) + 1 for axis in zip(*blot, strict=True))
        found.append((len(blot), height, width))
    return found


def form(blot):
    """Names a mark by how much of its rectangle is dark and how that rectangle is shaped."""
    n_pixels, height, width = blot
    if n_pixels / (height * width) > 0.7:
        return "dots"
    return "crosses" if height == width and n_pixels / (height * width) < 0.56 else "triangles"


def region(picture, box):
    x1, y1, x2, y2 = (round(edge * picture.width) for edge in box)
    return np.asarray(picture.crop((x1, y1, x2, y2))).astype(int)


def test_as_many_marks_are_drawn_on_the_card_as_the_answer_says():
    task = SyntheticCounting(category="hard", mark_px=18, card_px=200, marks_per_card=9)
    for index in range(12):
        sample, content = task[index], task.content(index)
        card = region(draw(content, task.difficulty), sample.evidence[0].box)
        assert abs(card[100, 3] - CARD_COLOURS[content.cards[0].colour][0]).max() < 12
        kinds = Counter(form(blot) for blot in blots(card.max(axis=-1) < 110))
        assert kinds.total() == 9
        assert sample.answers == (str(kinds[content.mark]),)
        assert (
            sample.question == f"How many {content.mark} are on the {content.cards[0].colour} card?"
        )


def visible_shares(board):
    """Returns for each sticker which part of it no later one covers."""
    side = board.difficulty.scene_px
    top, areas = np.full((side, side), -1), []
    for number, (sticker, (x, y)) in enumerate(
        zip(board.content.stickers, board.stickers, strict=True)
    ):
        rim = np.asarray(sticker_masks(sticker.shape, sticker.size_px, sticker.turn).rim) > 127
        row, column = y - rim.shape[0] // 2, x - rim.shape[1] // 2
        assert min(row, column) >= 0
        assert max(row + rim.shape[0], column + rim.shape[1]) <= side
        top[row : row + rim.shape[0], column : column + rim.shape[1]][rim] = number
        areas.append(rim.sum())
    return [(top == number).sum() / area for number, area in enumerate(areas)], top


@pytest.mark.parametrize("visible", [0.35, 0.6, 0.85])
def test_overlaps_leave_the_share_visible_that_is_asked_for(visible):
    task = SyntheticCounting(visible=visible, overlaps=1.0, distractors=8)
    least = 1.0
    for index in range(8):
        board = task.board(index)
        shares, top = visible_shares(board)
        least = min(least, *shares)
        for number in range(len(board.cards)):  # no sticker lies on a card
            x1, y1, x2, y2 = (
                int(edge * task.difficulty.scene_px) for edge in board.card_box(number)
            )
            assert (top[y1:y2, x1:x2] == -1).all()
    assert visible <= least < visible + 0.25


def test_no_overlaps_where_none_are_asked_for():
    task = SyntheticCounting(visible=1.0, overlaps=0.0)
    for index in range(5):
        assert min(visible_shares(task.board(index))[0]) > 0.97


def test_easy_answers_are_what_the_board_holds():
    task = SyntheticCounting(category="easy", overlaps=0.0, visible=1.0)
    asked = set()
    for index in range(40):
        sample, content = task[index], task.content(index)
        words = sample.question.removeprefix("How many ").removesuffix(" are there?").split()
        colour = words[0] if words[0] in COLOURS else ""
        noun = words[-1].removesuffix("s").removesuffix("e") if words[-1] != "shapes" else ""
        shape = next((name for name in SHAPES if noun and name.startswith(noun)), "")
        assert colour or shape
        asked.add((bool(colour), bool(shape)))
        counted = [
            sticker
            for sticker in content.stickers
            if colour in ("", sticker.colour) and shape in ("", sticker.shape)
        ]
        assert sample.answers == (str(len(counted)),) == (str(len(sample.evidence)),)
        if index < 12:
            picture = draw(content, task.difficulty)
            for evidence in sample.evidence:
                seen = region(picture, evidence.box).reshape(-1, 3)
                named = [COLOURS[colour]] if colour else list(COLOURS.values())
                assert max((abs(seen - fill).max(axis=1) < 8).mean() for fill in named) > 0.2
    assert asked == {(True, True), (True, False), (False, True)}


def test_every_count_is_as_likely():
    task = SyntheticCounting()
    contents = [task.content(index) for index in range(800)]
    for counted in ([each.n_subjects for each in contents], [each.n_marks for each in contents]):
        counts = Counter(counted)
        assert set(counts) == set(range(1, 9))
        assert all(60 <= count <= 145 for count in counts.values()), counts


def test_marks_can_be_told_apart_in_a_zoom_and_not_in_the_overview():
    """Boards that differ in the form of the marks asked for alone."""
    task = SyntheticCounting()
    forms = dict(zip(MARKS, MARKS[1:] + MARKS[:1], strict=True))
    for index in range(5):
        content, board = task.content(index), task.board(index)
        card = content.cards[0]
        turned = tuple(forms[mark] if mark == content.mark else mark for mark in card.marks)
        others = replace(content, cards=(replace(card, marks=turned), *content.cards[1:]))
        sources = [ImageSource(draw(each, task.difficulty)) for each in (content, others)]
        overview = change(*(source.overview((224, 224)) for source in sources))
        assert overview.max() <= 40
        assert (overview > 24).sum() <= 3
        box = widened(board.card_box(0), 0.5)
        zoom = change(*(source.region(box, (224, 224)) for source in sources))
        assert zoom.max() >= 110
        assert (zoom > 60).sum() >= 14 * content.n_marks


def test_every_kind_of_mark_takes_the_same_ink():
    for size in (9, 11, 16, 24):
        ink = [np.asarray(mark_mask(kind, size)).sum() for kind in MARKS]
        assert max(ink) / min(ink) < 1.05


@pytest.mark.parametrize(
    "knobs",
    [
        {"distractors": 13, "overlaps": 0.0, "visible": 1.0},
        {"n_cards": 4, "distractors": 12},
        {"n_cards": 1, "distractors": 0, "max_count": 4},
        {"scene_px": 256, "sticker_px": 32, "card_px": 48, "mark_px": 5, "distractors": 2},
        {"max_count": 9, "marks_per_card": 25, "distractors": 4},
    ],
)
def test_boards_are_laid_out_at_the_ends_of_the_knobs(knobs):
    difficulty = BoardDifficulty(**knobs)
    task = SyntheticCounting(**knobs)
    for index in range(6):
        content = task.content(index)
        board = lay_out(content, difficulty)
        assert len(board.stickers) == len(content.stickers)
        assert len(content.cards) == difficulty.n_cards
        assert draw(content, difficulty).size == (difficulty.scene_px,) * 2


@pytest.mark.parametrize(
    ("knobs", "told"),
    [
        ({"max_count": 3}, "max_count from 4 to 9"),
        ({"max_count": 10}, "max_count"),
        ({"distractors": 41}, "distractors"),
        ({"n_cards": 5}, "n_cards from 1 to 4"),
        ({"marks_per_card": 8}, "marks_per_card from 9"),
        ({"marks_per_card": 26}, "marks_per_card"),
        ({"mark_px": 40}, "mark_px"),
        ({"sticker_px": 400}, "sticker_px"),
        ({"card_px": 20}, "card_px"),
        ({"scene_px": 10_000}, "scene_px"),
        ({"visible": 0.2}, r"visible in \[0.3, 1\]"),
        ({"overlaps": 1.1}, "overlaps"),
        ({"distractors": 40}, "cover at most 40% of the board"),
    ],
)
def test_a_knob_out_of_its_range_is_named(knobs, told):
    with pytest.raises(ConfigError, match=told):
        SyntheticCounting(**knobs)


@pytest.mark.parametrize(
    ("subject", "plural"),
    [
        (Subject("red", "circle"), "red circles"),
        (Subject("", "cross"), "crosses"),
        (Subject("black", ""), "black shapes"),
    ],
)
def test_subjects_are_named_in_the_plural(subject, plural):
    assert subject.plural == plural


def test_counts_may_be_written_in_words():
    task = SyntheticCounting(category="hard")
    index = next(i for i in range(50) if task[i].answers == ("4",))
    assert task.grade(task[index], "four").score == 1.0
    assert task.grade(task[index], "5").error == 1.0
