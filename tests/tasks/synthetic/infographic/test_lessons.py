"""Lessons about pages ask for what the page holds, in crops that show it."""

import gymnasium as gym
import numpy as np
import pytest

from pixel_env.tasks.synthetic.infographic import lessons
from pixel_env.tasks.synthetic.infographic.small_print import line_of, small_lines
from pixel_env.tasks.synthetic.infographic.task import QUESTIONS
from pixel_env.tasks.synthetic.lessons import HEADS, IGNORED


@pytest.fixture(scope="module")
def task():
    return gym.make("PixelReason-SmallInfographic-v0").unwrapped.task


def test_facts_are_those_of_the_page(task):
    small = task.content(2).small
    rng, asked = np.random.default_rng(0), set()
    for exhibit in lessons.exhibits(task, 2):
        if isinstance(exhibit, lessons.SmallPrint):
            for lesson in (exhibit.lesson(rng) for _ in range(6)):
                (fact,) = [name for name, text in QUESTIONS.items() if text == lesson.question]
                assert lesson.response.startswith(f"I see {getattr(small, fact)}. ")
                asked.add(fact)
    assert len(asked) == lessons.N_CROPS


def test_titles_figures_and_places_are_those_of_the_page(task):
    layout = task.layout(2)
    rng, kinds = np.random.default_rng(0), set()
    overview = lessons.exhibits(task, 2)[0]
    for lesson in (overview.lesson(rng) for _ in range(60)):
        kinds.add(lesson.kind)
        if lesson.kind == "What is title":
            assert lesson.response.startswith(f"I see {layout.content.title}. ")
        elif lesson.kind == "Which figure digits":
            assert lesson.response.startswith(f"I see {layout.content.figure}. ")
        elif lesson.question == "Where is the ring?":
            written = lesson.response.split("[")[1].split("]")[0]
            x1, y1, x2, y2 = map(float, written.split(", "))
            ring = layout.share(layout.ring)
            assert max(x1 - ring[0], y1 - ring[1]) < 1e-6
            assert min(x2 - ring[2], y2 - ring[3]) > -1e-6
    assert {"What is title", "Which figure digits", "Where is"} <= kinds


def test_characters_stand_in_their_order_under_the_line_that_is_asked_for(task):
    """Of a crop with a single line: the labels of its tokens, in order, are a part of its text."""
    layout = task.layout(3)
    number = line_of(layout.content, "source")
    text = small_lines(layout.content)[number]
    x1, y1, x2, y2 = layout.share(layout.small_line(number, text))
    box = (x1, y1, x1 + (x2 - x1) / 3, y2)
    labels = lessons._characters(layout, box, (560, 28))
    heads = [list(HEADS).index(f"{place}_character") for place in ("first", "second", "third")]
    found = "".join(
        HEADS["first_character"][value] for value in labels[:, heads].ravel() if value != IGNORED
    )
    letters = "".join(each for each in text if each not in " .;:")
    assert len(found) >= 12
    assert letters.startswith(found)


def test_only_what_is_named_is_asked_about():
    kinds = {"category": "hard", "page_px": 560, "small_px": 11, "large_px": 23}
    env = gym.make("PixelReason-SyntheticInfographic-v0", about=["edition", "title"], **kinds)
    task = env.unwrapped.task
    assert {task[index].question for index in range(12)} == {QUESTIONS["edition"]}
    easy = gym.make("PixelReason-SyntheticInfographic-v0", about=["edition"], category="easy")
    assert len({easy.unwrapped.task[index].question for index in range(12)}) > 3
    plain = gym.make("PixelReason-SyntheticInfographic-v0", **kinds).unwrapped.task
    assert task.fingerprint() == plain.fingerprint() + ":about=('edition', 'title')"
