"""Lessons of every twin: labels by hand, truth against the task's own grader, no test content."""

import gymnasium as gym
import numpy as np
import pytest

from pixel_env.tasks.synthetic.clip import lessons as clip
from pixel_env.tasks.synthetic.counting import lessons as counting
from pixel_env.tasks.synthetic.infographic import lessons as infographic
from pixel_env.tasks.synthetic.lessons import HEADS, IGNORED, Lesson, TokenLabels, quiz
from pixel_env.tasks.synthetic.search import exhibits as search
from pixel_env.tasks.synthetic.search import scene
from pixel_env.tasks.synthetic.stickers import COLOURS, SHAPES

TAUGHT = {
    "SyntheticSearch": search.exhibits,
    "SmallCounting": counting.exhibits,
    "SmallInfographic": infographic.exhibits,
    "SmallClip": clip.exhibits,
}
HEAD = list(HEADS).index


@pytest.fixture(params=TAUGHT, scope="module")
def shown(request):
    """The exhibits of a few contents of a twin."""
    task = gym.make(f"PixelReason-{request.param}-v0").unwrapped.task
    return [each for index in range(3) for each in TAUGHT[request.param](task, index)]


def test_labels_by_hand():
    """Two rows of three tokens; a rectangle over the first token and a half of the second."""
    labels = TokenLabels((84, 56), "colour", "dots")
    labels.put((0.0, 0.0, 0.5, 0.5), colour="red")
    labels.count(0.99, 0.51, "dots")
    labels.count(0.7, 0.6, "dots")
    labels.count(1.2, 0.6, "dots")  # outside the picture
    nothing = len(HEADS["colour"]) - 1
    assert labels.values[:, HEAD("colour")].tolist() == [0, 0, *[nothing] * 4]
    assert labels.values[:, HEAD("dots")].tolist() == [0, 0, 0, 0, 0, 2]
    assert (labels.values[:, HEAD("letter")] == IGNORED).all()


def test_a_thing_smaller_than_a_token_labels_the_token_that_holds_most_of_it():
    labels = TokenLabels((56, 56))
    labels.put((0.45, 0.1, 0.65, 0.2), shape="star")  # a quarter of it lies in the first token
    star = HEADS["shape"].index("star")
    assert labels.values[:, HEAD("shape")].tolist() == [IGNORED, star, IGNORED, IGNORED]


def test_the_classes_have_every_name_of_the_twins():
    assert set(HEADS["colour"]) == {*scene.COLOURS, ""}
    assert {*scene.SHAPES, *SHAPES} < set(HEADS["shape"])
    assert {*COLOURS, "yellow", "pink"} < set(HEADS["colour"])


def test_options_hold_the_right_answer_once_and_the_response_names_its_letter():
    rng = np.random.default_rng(0)
    drawn = [quiz(rng, (), "Which?", "b", "abcde") for _ in range(60)]
    with_options = [each for each in drawn if each.choices]
    assert 5 < len(with_options) < 35
    for each in with_options:
        assert sorted(each.choices).count("b") == 1
        assert each.response == rf"I see b. \boxed{{{'ABCD'[each.choices.index('b')]}}}"
    assert {each.response for each in drawn if not each.choices} == {r"I see b. \boxed{b}"}


def test_kinds_tell_requests_apart_but_not_the_things_in_them():
    def kind(question):
        return Lesson((), question, (), "").kind

    assert kind("How many red circles are there?") == "How many there"
    assert kind("How many dots are on the pink card?") == "How many card"
    assert kind("Where is blue, red?") == kind("Where is pink?") == "Where is"


def test_every_token_of_every_picture_has_labels(shown):
    for exhibit in shown:
        for picture, labels in zip(exhibit.pictures, exhibit.labels, strict=True):
            height, width, _ = picture.shape
            assert labels.shape == (height // 28 * (width // 28), len(HEADS))
            for head, classes in enumerate(HEADS.values()):
                known = labels[labels[:, head] != IGNORED, head]
                assert ((known >= 0) & (known < len(classes))).all()
    assert any((each.labels[-1] != IGNORED).any() for each in shown)


def test_lessons_show_pictures_of_their_exhibit_and_repeat(shown):
    for exhibit in shown:
        rngs = np.random.default_rng(5), np.random.default_rng(5)
        for _ in range(6):
            first, second = (exhibit.lesson(rng) for rng in rngs)
            assert (first.question, first.response) == (second.question, second.response)
            mine = {id(picture) for picture in exhibit.pictures}
            assert {id(picture) for picture in first.pictures} <= mine
            assert len(first.observation["images"]) >= max(first.n_frames, 1)


@pytest.mark.parametrize("name", TAUGHT)
def test_a_sample_gives_the_same_exhibits_and_other_samples_others(name):
    task = gym.make(f"PixelReason-{name}-v0").unwrapped.task
    one, again, other = (TAUGHT[name](task, index)[-1] for index in (7, 7, 8))
    assert all(np.array_equal(a, b) for a, b in zip(one.pictures, again.pictures, strict=True))
    assert not np.array_equal(one.pictures[0], other.pictures[0])
