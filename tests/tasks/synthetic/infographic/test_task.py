"""SyntheticInfographic: pages say what the answers say, where the evidence says it."""

import re
import zlib
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import PIL
import pytest
from synthetic_twins import change

from pixel_env.errors import ConfigError
from pixel_env.evidence import widened
from pixel_env.media.geometry import fit
from pixel_env.media.pictures import ImageSource
from pixel_env.tasks.synthetic.infographic.drawing import PALETTES, draw
from pixel_env.tasks.synthetic.infographic.layout import lay_out
from pixel_env.tasks.synthetic.infographic.page import BLOCKS, N_PALETTES, PageDifficulty
from pixel_env.tasks.synthetic.infographic.small_print import FACTS, small_lines
from pixel_env.tasks.synthetic.infographic.task import SyntheticInfographic
from pixel_env.tasks.synthetic.infographic.topics import PLACES, TOPICS
from pixel_env.tasks.synthetic.lettering import fitting_size, font, width_of

OTHER = {"source": "Quill Bureau", "asked": "8,361", "when": "May 2004", "edition": "K-358"}
"""Facts that replace others, to see where that changes a page."""


def with_other_answer(task, index):
    """Returns the page of a hard sample with another answer to its question, and its old one."""
    content, sample = task.content(index), task[index]
    if "table" in sample.question:
        place, heading = re.fullmatch(r'.* for (\w+) under "(\w+)"\?', sample.question).groups()
        column = content.about.columns.index(heading)
        rows = []
        for name, numbers in content.rows:
            changed = tuple("8,361" if i == column else each for i, each in enumerate(numbers))
            assert name != place or sample.answers == (numbers[column],)
            rows.append((name, changed if name == place else numbers))
        return replace(content, rows=tuple(rows))
    fact = next(fact for fact in FACTS if getattr(content.small, fact) == sample.answers[0])
    return replace(content, small=replace(content.small, **{fact: OTHER[fact]}))


def test_hard_answers_are_written_in_the_evidence_only_and_can_be_read_in_a_zoom_only():
    """Pages that differ in one answer: the same but for the evidence, and there only in a zoom."""
    task = SyntheticInfographic(category="hard")
    asked = Counter()
    for index in range(5):
        sample = task[index]
        asked["table" in sample.question] += 1
        pages = [task.content(index), with_other_answer(task, index)]
        sources = [ImageSource(draw(page, task.difficulty)) for page in pages]
        whole = change(*(source.overview((1120, 2240)) for source in sources)) > 0
        inside = np.zeros_like(whole)
        x1, y1, _, y2 = sample.evidence[0].box
        inside[round(y1 * 2240) - 4 : round(y2 * 2240) + 4, round(x1 * 1120) - 4 :] = True
        assert whole.any()
        assert not (whole & ~inside).any()
        overview = change(*(source.overview((224, 448)) for source in sources))
        assert overview.max() <= 110
        assert (overview > 50).sum() <= 40
        box = widened(sample.evidence[0].box, 0.5)
        sides = ((box[2] - box[0]) * 1120, (box[3] - box[1]) * 2240)
        size = fit(round(sides[0]), round(sides[1]), 224 * 224, 336 * 336, 28)
        zoom = change(*(source.region(box, size) for source in sources))
        assert zoom.max() >= 120
        assert (zoom > 50).sum() >= 3 * max((overview > 50).sum(), 20)
    assert len(asked) == 2


def test_the_evidence_of_a_cell_holds_its_heading_and_its_row():
    task = SyntheticInfographic(category="hard")
    index = next(i for i in range(50) if "table" in task[i].question)
    cell, row, heading = (evidence.box for evidence in task[index].evidence)
    assert (cell[1], cell[3]) == (row[1], row[3])
    assert (cell[0], cell[2]) == (heading[0], heading[2])
    assert row[2] <= cell[0]
    assert heading[3] <= cell[1]


def longest_run(picture, rect, fill):
    """Returns how many pixels of a colour the fullest row of a rectangle has."""
    left, top, right, bottom = rect
    part = np.asarray(picture.crop((left, top, right, bottom))).astype(int)
    return int((abs(part - fill).max(axis=-1) < 6).sum(axis=1).max())


def test_easy_answers_are_what_the_charts_show():
    task = SyntheticInfographic(category="easy")
    asked = set()
    for index in range(60):
        sample, content, layout = task[index], task.content(index), task.layout(index)
        kind = sample.question.split()[-1]
        asked.add(kind)
        if kind in ("longest?", "shortest?") and index < 20:
            picture = draw(content, task.difficulty)
            fill = PALETTES[content.palette].accents[1]
            lengths = [longest_run(picture, layout.bar(i), fill) for i in range(5)]
            end = np.argmax(lengths) if kind == "longest?" else np.argmin(lengths)
            assert sample.answers == (content.bars[end][0],)
            assert sorted(lengths)[1] - min(lengths) > 15
        elif kind == "largest?":
            percents = dict(content.parts)
            assert sum(percents.values()) == 100
            assert percents[sample.answers[0]] == max(percents.values()) > 35
        elif kind == "highest?":
            heights = dict(content.years)
            assert heights[sample.answers[0]] == max(heights.values())
        elif kind == "title?":
            assert sample.answers == (content.title,)
            assert content.about.subject in content.title
        elif kind == "digits?":
            assert sample.answers == (content.figure,)
    assert asked == {"longest?", "shortest?", "largest?", "highest?", "title?", "digits?"}


def test_large_texts_are_larger_than_eight_pixels_in_the_overview_and_small_ones_under_four():
    difficulty = PageDifficulty()
    scale = 224 / difficulty.page_px
    assert difficulty.large_px * scale > 8
    assert difficulty.small_px * scale < 4


def test_every_text_fits_where_it_is_written():
    difficulty = PageDifficulty()
    layout = lay_out(SyntheticInfographic().content(0), difficulty)
    left, _, right, _ = layout.legend(0)
    for topic in TOPICS:
        assert all(width_of(thing, difficulty.large_px) < 262 for thing in topic.things)
        for part in topic.parts:  # a dot and a gap of 44 px stand before it
            assert fitting_size(part, difficulty.large_px, right - left - 44) >= 40
        widths = [layout.cell(0, i)[2] - layout.cell(0, i)[0] for i in range(4)]
        assert all(width_of(name, 18) < widths[1] - 4 for name in topic.columns)
    assert all(width_of(place, 18) < widths[0] - 4 for place in PLACES)


def test_panels_keep_apart_in_every_order_of_blocks():
    task = SyntheticInfographic()
    seen = set()
    for index in range(60):
        layout = task.layout(index)
        seen.add((layout.content.blocks, layout.content.is_mirrored))
        panels = [layout.head, layout.figure, layout.ring, layout.bars, layout.line, layout.table]
        panels.append(layout.foot)
        for i, one in enumerate(panels):
            assert one[2] <= 1120
            assert one[3] <= 2240
            for other in panels[:i]:
                apart_x = one[0] >= other[2] or other[0] >= one[2]
                assert apart_x or one[1] >= other[3] or other[1] >= one[3]
    assert len(seen) == 12
    lines = small_lines(layout.content)
    assert layout.small_line(len(lines) - 1, lines[-1])[3] < 2240 - 10


def test_every_order_and_palette_occurs():
    task = SyntheticInfographic()
    contents = [task.content(index) for index in range(120)]
    assert {content.blocks[0] for content in contents} == set(BLOCKS)
    assert {content.palette for content in contents} == set(range(N_PALETTES))
    assert len(PALETTES) == N_PALETTES
    assert {content.topic for content in contents} == set(range(len(TOPICS)))


def pinned(name):
    constraints = (Path(__file__).parents[4] / "constraints.txt").read_text()
    return re.search(rf"^{name}==(\S+)$", constraints, re.MULTILINE)[1]


@pytest.mark.skipif(PIL.__version__ != pinned("pillow"), reason="another Pillow, another font")
def test_pages_are_the_same_on_every_machine_with_the_pinned_pillow():
    task = SyntheticInfographic(split="test")
    picture = draw(task.content(0), task.difficulty)
    assert zlib.crc32(picture.tobytes()) == 1726215466


def test_pages_of_another_size_scale():
    task = SyntheticInfographic(page_px=800, small_px=12, large_px=32, bars=6, rows=8)
    picture = draw(task.content(1), task.difficulty)
    assert picture.size == (800, 1600)
    assert len(task.content(1).bars) == 6
    assert len(task.content(1).rows) == 8


@pytest.mark.parametrize(
    ("knobs", "told"),
    [
        ({"page_px": 100}, "page_px from 560"),
        ({"bars": 3}, "bars from 4 to 6"),
        ({"rows": 9}, "rows from 4 to 8"),
        ({"small_px": 40}, "small_px from 11 to 22 where page_px is 1120"),
        ({"large_px": 60}, "large_px"),
    ],
)
def test_a_knob_out_of_its_range_is_named(knobs, told):
    with pytest.raises(ConfigError, match=told):
        SyntheticInfographic(**knobs)


def test_a_nearly_right_answer_scores_by_anls():
    task = SyntheticInfographic(split="test")
    sample = replace(task[0], answers=("Harlow Institute",))
    grade = task.grade(sample, "Harlow Institut")
    assert grade.score == pytest.approx(1 - 1 / 16)
    assert not grade.correct
    assert task.score_name == "ANLS"


def test_text_is_drawn_without_a_system_library():
    assert font(20).layout_engine == 0  # basic, not Raqm
    assert fitting_size("wide" * 30, 40, 300) < 12
    assert fitting_size("a", 40, 300) == 40
