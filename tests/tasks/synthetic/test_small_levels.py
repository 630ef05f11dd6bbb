"""Small levels: a hard question's detail is faint in the overview and plain in the right view."""

from dataclasses import replace

import gymnasium as gym
import pytest
from synthetic_twins import change

from pixel_env.media.pictures import ImageSource
from pixel_env.tasks.synthetic.clip.drawing import frames
from pixel_env.tasks.synthetic.clip.motion import box_of, frames_of
from pixel_env.tasks.synthetic.counting.drawing import draw as draw_board
from pixel_env.tasks.synthetic.infographic.drawing import draw as draw_page
from pixel_env.tasks.synthetic.infographic.small_print import line_of, small_lines

WHOLE = (0.0, 0.0, 1.0, 1.0)
OTHER_MARK = {"dots": "triangles", "triangles": "crosses", "crosses": "dots", "": ""}


def boards(task):
    """Two boards that differ in the kinds of marks on the first card, and the card's box."""
    content = task.content(3)
    card = content.cards[0]
    other = replace(card, marks=tuple(OTHER_MARK[mark] for mark in card.marks))
    changed = replace(content, cards=(other, *content.cards[1:]))
    drawn = [draw_board(each, task.difficulty) for each in (content, changed)]
    x1, y1, *_ = task.board(3).card_box(0)
    return drawn, (x1 - 0.02, y1 - 0.02, x1 + 0.13, y1 + 0.13), (112, 112), (112, 112)


def pages(task):
    """Two pages that differ in the edition, and the box of its line."""
    content = task.content(3)
    edition = content.small.edition
    other = "B" if edition[0] != "B" else "S"
    changed = replace(content, small=replace(content.small, edition=f"{other}-{edition[2:]}"))
    drawn = [draw_page(each, task.difficulty) for each in (content, changed)]
    layout = task.layout(3)
    number = line_of(content, "edition")
    box = layout.share(layout.small_line(number, small_lines(content)[number]))
    return drawn, box, (112, 224), (420, 56)


def clips(task):
    """One frame of two clips that differ in the letter that it shows, and the shape's box."""
    content, knobs = task.content(3), task.difficulty
    mover = content.movers[0]
    number = frames_of(mover, knobs)[0]
    movers = [(replace(mover, letter=letter), *content.movers[1:]) for letter in "XZ"]
    changed = [replace(content, movers=each) for each in movers]
    drawn = [list(frames(each, knobs))[number - 1] for each in changed]
    return drawn, box_of(mover, number, knobs), (56, 56), (56, 56)


LEVELS = {"SmallCounting": boards, "SmallInfographic": pages, "SmallClip": clips}


@pytest.mark.parametrize("name", LEVELS)
def test_a_detail_is_faint_in_the_overview_and_plain_in_the_view(name):
    task = gym.make(f"PixelReason-{name}-v0").unwrapped.task
    drawn, box, small, large = LEVELS[name](task)
    sources = [ImageSource(each) for each in drawn]
    faint = change(*(source.region(WHOLE, small) for source in sources))
    plain = change(*(source.region(box, large) for source in sources))
    assert faint.max() < 0.75 * plain.max()
    assert (faint > 40).sum() < 0.25 * (plain > 40).sum()
    assert (plain > 40).sum() >= 8


@pytest.mark.parametrize("name", LEVELS)
def test_a_level_is_its_twin_with_other_settings(name):
    small = gym.make(f"PixelReason-{name}-v0").unwrapped
    twin = gym.make(f"PixelReason-{name.replace('Small', 'Synthetic')}-v0").unwrapped
    assert type(small.task) is type(twin.task)
    assert small.task.fingerprint() != twin.task.fingerprint()
    sizes = [each.config.clip_px or each.config.overview_px for each in (small, twin)]
    assert sizes[0][1] < sizes[1][1]
    assert len({small.task[index].category for index in range(20)}) == 2
