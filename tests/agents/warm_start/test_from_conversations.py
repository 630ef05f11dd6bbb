"""Recorded conversations are played through the environment, and kept word for word or left out."""

import re

import gymnasium as gym
import numpy as np
import pytest
from dataset_folders.pixel_reasoner import (
    QUARTERS,
    recorded,
    select_call,
    write_recorded,
    zoom_call,
)
from tiny_models import tiny_processor, tiny_tokenizer

import pixel_env  # noqa: F401  # registers the environments
from pixel_env import PixelReasoningEnv
from pixel_env.actions import zoom_in
from pixel_env.agents.tokens.encoder import Encoder
from pixel_env.agents.warm_start.demonstration import encode, load, save, with_observations
from pixel_env.agents.warm_start.from_conversations import RecordedDemonstrations
from pixel_env.dialects import get_dialect
from pixel_env.errors import ConfigError
from pixel_env.tasks import PixelReasonerSFT
from pixel_env.types import Grade

ANSWER = "It is blue:\n\\boxed{B}"
TOP_LEFT, BOTTOM_RIGHT = (0.0, 0.0, 0.4, 0.4), (0.6, 0.6, 1.0, 1.0)
KINDS = {
    "single_pass": recorded(zoom_call(*TOP_LEFT), ANSWER),
    "recrop": recorded(zoom_call(*BOTTOM_RIGHT), zoom_call(*TOP_LEFT), ANSWER),
    "recrop_twice": recorded(
        zoom_call(*BOTTOM_RIGHT), zoom_call(0.6, 0, 1, 0.4), zoom_call(*TOP_LEFT), ANSWER
    ),
    "zoom_further": recorded(
        zoom_call(0, 0, 0.6, 0.6), zoom_call(0.2, 0.2, 0.7, 0.7, image=2), ANSWER
    ),
    "text_only": recorded(ANSWER),
    "select_frames": recorded(select_call(2, 3), r"\boxed{waves}", clip=16),
    "reselect_frames": recorded(select_call(4), select_call(2, 3), r"\boxed{waves}", clip=4),
}
MASKS = {  # all but errors; the last call alone
    "single_pass": ([True, True], [True, True]),
    "recrop": ([False, True, True], [False, True, True]),
    "recrop_twice": ([False, False, True, True], [False, False, True, True]),
    "zoom_further": ([True, True, True], [False, True, True]),
    "text_only": ([True], [True]),
    "select_frames": ([True, True], [True, True]),
    "reselect_frames": ([False, True, True], [False, True, True]),
}
PRESET = "pixel-reasoner-train"


def maker(folder, imitate="right", **settings):
    arguments = {"data_dir": str(folder), "preset": PRESET} | settings
    env = gym.make("PixelReason-PixelReasonerSFT-v0", **arguments)
    return RecordedDemonstrations(env, imitate=imitate)


@pytest.fixture(scope="module")
def kinds(tmp_path_factory):
    conversations = {f"sa1b-{kind}": messages for kind, messages in KINDS.items()}
    return write_recorded(tmp_path_factory.mktemp("kinds"), conversations)


@pytest.fixture(scope="module")
def made(kinds):
    recordings = maker(kinds)
    demonstrations = [recordings.make(number) for number in range(len(recordings))]
    assert not recordings.dropped
    return {each.kind: each for each in demonstrations}


def test_every_kind_is_recognised_and_keeps_its_words(made):
    assert list(made) == list(KINDS)
    for number, (kind, each) in enumerate(made.items()):
        written = [m["content"][0]["text"] for m in KINDS[kind] if m["role"] == "assistant"]
        assert list(each.messages) == written
        assert (each.number, each.sample_id, each.category) == (number, f"sa1b-{kind}", "sa1b")
        assert (each.score, each.dialect) == (1.0, "pixel-reasoner")


@pytest.mark.parametrize("kind", KINDS)
def test_errors_stand_in_the_context_and_outside_the_loss(kinds, made, kind):
    right, last_two = MASKS[kind]
    assert list(made[kind].imitate) == right
    number = made[kind].number
    assert list(maker(kinds, "last-two").make(number).imitate) == last_two
    assert all(maker(kinds, "all").make(number).imitate)


def test_a_finer_box_in_the_first_picture_goes_further_too(tmp_path):
    written = (zoom_call(0, 0, 0.6, 0.6), zoom_call(0.2, 0.2, 0.4, 0.4), ANSWER)
    demonstration = maker(write_recorded(tmp_path, {"sa1b-1": recorded(*written)})).make(0)
    assert (demonstration.kind, list(demonstration.imitate)) == ("zoom_further", [True] * 3)


def test_what_is_seen_is_what_the_environment_shows_and_not_what_was_recorded(kinds, made):
    env = PixelReasoningEnv(PixelReasonerSFT(kinds), preset=PRESET, option_order="as_given")
    seen = made["recrop"].observations
    expected = [env.reset(options={"id": "sa1b-recrop"})[0]]
    expected += [env.step(zoom_in(box))[0] for box in (BOTTOM_RIGHT, TOP_LEFT)]
    assert len(seen) == 3
    for ours, theirs in zip(seen, expected, strict=True):
        assert ours.keys() == theirs.keys()
        for name in ("question", "choices", "feedback", "turn", "turns_left", "first_image"):
            assert ours[name] == theirs[name], name
        for image, other in zip(ours["images"], theirs["images"], strict=True):
            assert np.array_equal(image, other)
    assert seen[0]["question"] == "Which colour is the cup?"
    assert seen[0]["choices"] == ("red", "blue")
    # Padded by a tenth on each side, both boxes end at the middle, where the quarters meet.
    for observation, quarter in zip(seen[1:], (3, 0), strict=True):
        assert (observation["images"][0] == QUARTERS[quarter]).all()


def test_tokens_to_learn_are_the_recorded_words_and_nothing_else(made):
    dialect = get_dialect("pixel-reasoner")
    encoder = Encoder(tiny_tokenizer(), tiny_processor("qwen2_5_vl"), dialect, "brief")
    demonstration = made["recrop"]
    trajectory = encode(demonstration, encoder)
    written = [turn for turn in trajectory.turns if turn.role == "assistant"]
    ids = [trajectory.ids[turn.start : turn.stop] for turn in written]
    assert encoder.texts(ids) == list(demonstration.messages)
    marked = [trajectory.trainable[turn.start : turn.stop] for turn in written]
    assert [bool(marks.all()) for marks in marked] == [False, True, True]
    assert trajectory.trainable.sum() == len(ids[1]) + len(ids[2])


def test_lines_of_a_file_are_played_again_to_the_same_pictures(tmp_path, made, kinds):
    path = tmp_path / "demonstrations.jsonl"
    save(path, made.values())
    env = gym.make("PixelReason-PixelReasonerSFT-v0", data_dir=str(kinds), preset=PRESET)
    for before, line in zip(made.values(), load(path), strict=True):
        after = with_observations(line, env)
        assert after == before
        assert line.env_kwargs == {"data_dir": str(kinds), "preset": PRESET}
        for one, other in zip(before.observations, after.observations, strict=True):
            assert all(map(np.array_equal, one["images"], other["images"]))


def mixed(*written, **changes):
    """A conversation in which one message was changed, by its number among all."""
    messages = recorded(*written)
    for number, change in changes.items():
        messages[int(number.removeprefix("m"))].update(change)
    return messages


@pytest.mark.parametrize(
    ("messages", "reason", "example"),
    [
        (recorded(zoom_call(10, 10, 90, 90), ANSWER), r"refuses a message \(bad_box\)", "bbox"),
        (
            recorded(zoom_call(*TOP_LEFT, image=2), ANSWER),
            r"refuses a message \(bad_image\)",
            "target_image must be 1, got 2",
        ),
        (
            recorded(zoom_call(0, 0, 0.001, 0.001, name="crop_image"), ANSWER),
            r"refuses a message \(unknown_operation\)",
            "crop_image",
        ),
        (
            recorded(zoom_call(*TOP_LEFT) + zoom_call(*TOP_LEFT), ANSWER),
            r"refuses a message \(several_calls\)",
            "got 2",
        ),
        (
            recorded(*[zoom_call(*TOP_LEFT)] * 5, ANSWER),
            "takes more turns than the environment has",
            "row 1",
        ),
        (recorded(ANSWER, ANSWER), "answer is not its last message", "row 1"),
        (mixed(ANSWER, m0={"role": "user"}), "don't take turns", "user, user, assistant"),
        (
            mixed(
                zoom_call(*TOP_LEFT),
                ANSWER,
                m2={"content": [{"text": "Look."}, {"image": "images/recorded.png"}]},
            ),
            "of the policy holds a picture",
            "row 1",
        ),
        (recorded("It is blue."), "row or its files can't be read", "declares an answer"),
        (
            mixed(ANSWER, m1={"content": [{"text": "What?"}, {"image": "images/none.png"}]}),
            "row or its files can't be read",
            "no file 'images/none.png'",
        ),
        (recorded(zoom_call(*TOP_LEFT) + "\ud800", ANSWER), "no valid Unicode", "row 1"),
        (
            recorded(select_call(2), zoom_call(0, 0, 1, 1, image=2), r"\boxed{x}", clip=4),
            "zooms after a call into a clip",
            "row 1",
        ),
        (recorded(r"\boxed{x}", clip=18), "more frames than are shown", "18 frames"),
    ],
)
def test_what_cannot_be_played_is_left_out_by_reason(tmp_path, messages, reason, example):
    good = recorded(zoom_call(*TOP_LEFT), ANSWER)
    recordings = maker(write_recorded(tmp_path, {"sa1b-1": messages, "sa1b-2": good}))
    assert recordings.make(0) is None
    assert recordings.make(1).kind == "single_pass"
    ((why, count),) = recordings.dropped.items()
    assert count == 1
    assert re.search(reason, why)
    assert recordings.examples[why].startswith("release.json row 1")
    assert example in recordings.examples[why]


def test_an_answer_that_is_graded_wrong_is_left_out(tmp_path, monkeypatch):
    monkeypatch.setattr(PixelReasonerSFT, "grade", lambda *_: Grade(0.5, False, None))
    recordings = maker(write_recorded(tmp_path, {"sa1b-1": recorded(ANSWER)}))
    assert recordings.make(0) is None
    assert recordings.examples == {
        "its answer is graded wrong": "release.json row 1: 'B' scored 0.5"
    }


def test_what_holds_no_conversations_or_shuffles_options_is_refused(kinds, picture_task):
    with pytest.raises(ConfigError, match="such as PixelReasonerSFT, got PictureTask"):
        RecordedDemonstrations(PixelReasoningEnv(picture_task))
    with pytest.raises(ConfigError, match="option_order='as_given'"):
        maker(kinds, option_order="seeded")
    with pytest.raises(ConfigError, match="imitate"):
        maker(kinds, imitate="everything")
