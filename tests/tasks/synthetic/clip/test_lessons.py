"""Lessons about clips say which frames show a letter, as the task's evidence does."""

import json

import gymnasium as gym
import numpy as np
import pytest

from pixel_env.tasks.synthetic.clip import lessons
from pixel_env.tasks.synthetic.lessons import HEADS, IGNORED

COLUMN = list(HEADS).index


@pytest.fixture(scope="module")
def env():
    return gym.make("PixelReason-SmallClip-v0", category="hard").unwrapped


def test_frames_are_those_that_the_environment_finds_the_evidence_in(env):
    for index in range(4):
        env.reset(options={"index": index})
        sample, views = env.sample, env.views
        evidence = {each.image for each in sample.evidence}
        wanted = [k for k, view in enumerate(views, start=1) if view.source in evidence]
        mover = env.task.content(index).movers[0]
        assert lessons.shown_in(mover, env.task.difficulty) == wanted
        assert len(wanted) == 2


def test_lessons_name_frames_ways_and_the_still_shape(env):
    content = env.task.content(3)
    by_name = {f"{mover.colour} {mover.shape}": mover for mover in content.movers}
    rng, kinds = np.random.default_rng(1), set()
    overview = lessons.exhibits(env.task, 3)[0]
    for lesson in (overview.lesson(rng) for _ in range(60)):
        kinds.add(lesson.kind)
        assert lesson.n_frames == len(lesson.pictures) == 16
        named = next((m for name, m in by_name.items() if name in lesson.question), content.still)
        when = lessons.shown_in(named, env.task.difficulty)
        if lesson.kind == "In which letter":
            assert json.loads(lesson.response.removeprefix("Here: ")) == {"target_frames": when}
        elif lesson.kind == "Which way":
            assert lesson.response.startswith(f"I see {named.way}. ")
        elif lesson.kind == "What colour still":
            assert lesson.response.startswith(f"I see {content.still.colour}. ")
        else:
            assert f"{named.colour} {named.shape} {when}" in lesson.response
    assert kinds == {"In which letter", "Which way", "What colour still", "When is"}


def test_large_frames_are_asked_for_letters_that_they_show(env):
    rng, n_letters = np.random.default_rng(0), 0
    for exhibit in lessons.exhibits(env.task, 5):
        if not isinstance(exhibit, lessons.LargeFrame):
            continue
        for lesson in (exhibit.lesson(rng) for _ in range(8)):
            assert lesson.pictures[-1].shape == (168, 168, 3)
            assert lesson.n_frames == (16 if len(lesson.pictures) > 2 else 0)
            if lesson.kind == "Which letter moment":
                (mover,) = [
                    each
                    for each in env.task.content(5).movers
                    if f"{each.colour} {each.shape} show" in lesson.question
                ]
                assert lesson.response.startswith(f"I see {mover.letter}. ")
                letters = exhibit.labels[-1][:, COLUMN("letter")]
                seen = {HEADS["letter"][i] for i in letters[letters != IGNORED]}
                assert mover.letter in seen
                n_letters += 1
    assert n_letters > 8


def test_badges_are_labelled_in_the_frames_of_the_event(env):
    overview = lessons.exhibits(env.task, 3)[0]
    movers, yes = env.task.content(3).movers, HEADS["badge"].index("yes")
    events = {k for mover in movers for k in lessons.shown_in(mover, env.task.difficulty)}
    badges = [labels[:, COLUMN("badge")] == yes for labels in overview.labels]
    assert {k for k, badge in enumerate(badges, start=1) if badge.any()} == events
