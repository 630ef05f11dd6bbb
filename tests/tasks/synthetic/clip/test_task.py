"""SyntheticClip: a letter shows in few frames of a real video, readable only in large ones."""

import sys
from collections import Counter
from dataclasses import replace

import gymnasium as gym
import numpy as np
import pytest
from synthetic_twins import change

import pixel_env
from pixel_env import ClipSource, PixelReasoningEnv
from pixel_env.errors import ConfigError
from pixel_env.evidence import widened
from pixel_env.tasks.synthetic.clip.drawing import frames
from pixel_env.tasks.synthetic.clip.encoding import encoded
from pixel_env.tasks.synthetic.clip.motion import ClipDifficulty, box_of, frames_of, sampled_frames
from pixel_env.tasks.synthetic.clip.task import SyntheticClip, clip_file
from pixel_env.tasks.synthetic.stickers import COLOURS

LIGHT = {"side_px": 192, "shape_px": 46, "letter_px": 6, "clip_frames": 16, "n_shapes": 2}
"""Knobs of clips that are quick to make."""


@pytest.fixture(scope="module")
def task():
    return SyntheticClip(split="test", category="hard")


def test_a_clip_is_an_mp4_that_the_decoder_reads_back(task):
    content, difficulty = task.content(0), task.difficulty
    file = clip_file(content, difficulty)
    assert file[4:8] == b"ftyp"
    assert len(file) < 200_000
    clip = task[0].media[0]
    assert isinstance(clip, ClipSource)
    assert clip.n_frames == 48
    drawn = list(frames(content, difficulty))
    for number in (1, 20, 48):
        read = clip.frame(number).overview((384, 384)).astype(int)
        assert abs(read - np.asarray(drawn[number - 1])).mean() < 3


def test_the_same_clip_has_the_same_bytes():
    task = SyntheticClip(**LIGHT)
    content = task.content(4)
    files = {encoded(frames(content, task.difficulty)) for _ in range(3)}
    assert len(files) == 1
    assert clip_file(content, task.difficulty) in files
    assert clip_file(task.content(5), task.difficulty) not in files


@pytest.mark.parametrize("seen_in", [1, 2, 4])
def test_a_letter_shows_in_as_many_sampled_frames_as_asked_for(seen_in):
    task = SyntheticClip(category="hard", seen_in=seen_in)
    sampled = set(sampled_frames(task.difficulty))
    assert len(sampled) == 16
    for index in range(30):
        numbers = [evidence.image for evidence in task[index].evidence]
        assert numbers == list(range(numbers[0], numbers[-1] + 1))
        assert len(sampled & set(numbers)) == seen_in
        for number in numbers:  # the sampled frame that stands for it shows the letter too
            assert min(sampled, key=lambda frame: abs(frame - number)) in numbers


def test_the_environment_samples_the_frames_that_the_task_counts_on(task):
    assert task[0].media[0].sample_numbers(16) == sampled_frames(task.difficulty)


def test_the_letter_can_be_read_in_a_selected_frame_and_not_in_a_sampled_one(task):
    """Clips that differ in one letter, decoded: nearly equal small frames, plainly other large."""
    for index, letter in ((0, "M"), (1, "X")):
        content = task.content(index)
        subject = content.movers[0]
        other = replace(content, movers=(replace(subject, letter=letter), *content.movers[1:]))
        assert subject.letter != letter
        clips = [ClipSource(clip_file(each, task.difficulty)) for each in (content, other)]
        shown = frames_of(subject, task.difficulty)
        sampled = [n for n in sampled_frames(task.difficulty) if n in shown]
        assert len(sampled) == 2
        for number in sampled:
            small = change(*(clip.frame(number).overview((84, 84)) for clip in clips))
            large = change(*(clip.frame(number).overview((224, 224)) for clip in clips))
            box = widened(box_of(subject, number, task.difficulty), 0.5)
            zoom = change(*(clip.frame(number).region(box, (224, 224)) for clip in clips))
            assert (small > 60).sum() <= 10  # a blot of 3 x 3 pixels
            assert (large > 60).sum() >= 14
            assert (zoom > 60).sum() >= 60
        hidden = next(
            n for n in sampled_frames(task.difficulty) if n > shown[-1] + 12 or n < shown[0]
        )
        assert change(*(clip.frame(hidden).overview((84, 84)) for clip in clips)).max() < 24


def centre(picture, colour):
    """Returns the middle (x, y) of the pixels of a colour."""
    close = abs(picture.astype(int) - COLOURS[colour]).max(axis=-1) < 30
    rows, columns = np.nonzero(close)
    return columns.mean(), rows.mean()


def test_shapes_move_as_the_answers_say():
    task = SyntheticClip(category="easy", **{**LIGHT, "n_shapes": 3})
    kinds = Counter()
    for index in range(24):
        sample, clip = task[index], task[index].media[0]
        first, last = (clip.frame(number).overview((192, 192)) for number in (1, 16))
        moved = {}
        for mover in task.content(index).movers:
            (x1, y1), (x2, y2) = (centre(frame, mover.colour) for frame in (first, last))
            moved[mover.colour] = (x2 - x1, y2 - y1)
        if "stands still" in sample.question:
            kinds["still"] += 1
            still = [
                colour for colour, by in moved.items() if np.hypot(*by) < 10
            ]  # a badge hides some
            assert still == [sample.answers[0]]
        else:
            colour, (x, y) = sample.question.split()[4], moved[sample.question.split()[4]]
            named = ("left", "right")[int(x > 0)] if abs(x) > abs(y) else ("up", "down")[int(y > 0)]
            kinds[named] += 1
            assert np.hypot(x, y) > 20, colour
            assert sample.answers[0] == named
    assert set(kinds) == {"still", "left", "right", "up", "down"}


def test_shapes_never_cover_each_other():
    task = SyntheticClip(n_shapes=4)
    for index in range(10):
        for number in (1, 24, 48):
            boxes = [box_of(m, number, task.difficulty) for m in task.content(index).movers]
            for i, one in enumerate(boxes):
                assert min(one) > 0
                assert max(one) < 1
                for other in boxes[:i]:
                    apart_x = one[0] > other[2] or other[0] > one[2]
                    assert apart_x or one[1] > other[3] or other[1] > one[3]


def test_colours_differ_and_exactly_one_shape_stands_still(task):
    for index in range(60):
        movers = task.content(index).movers
        assert len({mover.colour for mover in movers}) == len(movers)
        assert len({mover.window for mover in movers}) == len(movers)
        assert [mover.way for mover in movers].count("") == 1
        assert movers[0].way


def test_answers_may_name_the_way_in_words():
    task = SyntheticClip(category="easy")
    index = next(i for i in range(80) if task[i].answers[0] == "left")
    assert task.grade(task[index], "To the left.").correct
    assert not task.grade(task[index], "right").correct


def test_selecting_the_frame_shows_it_larger():
    env = PixelReasoningEnv(
        SyntheticClip(**LIGHT), clip_px=(84 * 84, 84 * 84), frame_px=(168 * 168, 168 * 168)
    )
    observation, _ = env.reset(options={"index": 3})
    assert observation["n_frames"] == 16
    assert {image.shape for image in observation["images"]} == {(84, 84, 3)}
    observation, *_ = env.step(pixel_env.select_frames([2, 9]))
    assert [image.shape for image in observation["images"]] == [(168, 168, 3)] * 2


def test_without_pyav_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(ConfigError, match=r"pixel-reason\[video\]"):
        encoded(frames(SyntheticClip(**LIGHT).content(0), ClipDifficulty(**LIGHT)))


@pytest.mark.parametrize(
    ("knobs", "told"),
    [
        ({"clip_frames": 15}, "clip_frames from 16 to 240"),
        ({"n_shapes": 5}, "n_shapes from 2 to 4"),
        ({"n_shapes": 1}, "n_shapes"),
        ({"seen_in": 5}, "seen_in from 1 to 4"),
        ({"side_px": 385}, "even"),
        ({"side_px": 2000}, "side_px"),
        ({"shape_px": 200}, "shape_px"),
        ({"letter_px": 30}, "letter_px"),
        ({"letters": "ABC"}, "letters"),
        ({"letters": "AABC"}, "letters"),
        ({"letters": "abcd"}, "letters"),
        ({"letters": "ABÇD"}, "letters"),
    ],
)
def test_a_knob_out_of_its_range_is_named(knobs, told):
    with pytest.raises(ConfigError, match=told):
        SyntheticClip(**knobs)


def test_gym_make_sets_the_length_of_the_clip_and_the_frames_that_are_shown():
    env = gym.make("PixelReason-SyntheticClip-v0", clip_frames=24, n_frames=8)
    observation, _ = env.reset(options={"index": 0})
    assert env.unwrapped.sample.media[0].n_frames == 24
    assert observation["n_frames"] == 8
