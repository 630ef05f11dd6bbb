"""The pixel-reasoner dialect: its prompt, question and feedback."""

import json

import numpy as np
import pytest

from pixel_env.dialects import PixelReasonerDialect, Shown
from pixel_env.types import Observation

PICTURE = Shown(sizes=((640, 480),))
dialect = PixelReasonerDialect()


def observe(**changes) -> Observation:
    image = np.zeros((28, 28, 3), dtype=np.uint8)
    news = Observation(
        question="What colour is the mug?",
        choices=("red", "blue"),
        images=(image, image),
        first_image=1,
        feedback="",
        turn=0,
        turns_left=5,
        n_frames=0,
    )
    return news | changes


def test_pictures_come_before_the_question_and_its_options():
    first, second, text = dialect.tell(observe())
    assert first.shape == second.shape == (28, 28, 3)
    assert text.startswith("What colour is the mug?\n(A) red\n(B) blue\n")
    assert r"\boxed{}" in text
    assert "letter" in text


def test_a_free_question_asks_for_no_letter():
    text = dialect.tell(observe(choices=()))[-1]
    assert "(A)" not in text
    assert "letter" not in text


def test_a_clip_says_how_many_frames_it_shows():
    assert "frames 1 to 16" in dialect.tell(observe(n_frames=16))[-1]
    assert "frames 1 to 4" in dialect.tell(observe(n_frames=4))[-1]
    assert "frames" not in dialect.tell(observe())[-1]


def test_later_turns_tell_the_feedback_before_the_pictures():
    feedback, image, _ = dialect.tell(observe(turn=1, feedback="Image 2 shows the region."))
    assert feedback == "Image 2 shows the region."
    assert image.shape == (28, 28, 3)


@pytest.mark.parametrize("turn", [0, 4])
def test_the_last_turn_is_announced_and_no_other(turn):
    messages = {left: dialect.tell(observe(turn=turn, turns_left=left)) for left in (0, 1, 2)}
    texts = {left: next(p for p in parts if isinstance(p, str)) for left, parts in messages.items()}
    assert texts[1].endswith("answer now.")
    assert not texts[0].endswith("answer now.")
    assert not texts[2].endswith("answer now.")


def test_the_system_prompt_holds_the_schemas_unless_brief():
    full, brief = dialect.system_prompt(), dialect.system_prompt(brief=True)
    for schema in dialect.tool_schemas():
        assert json.dumps(schema) in full
        assert schema["function"]["name"] in brief
    assert '{"name": "...", "arguments": {...}}' in full
    assert len(brief) < 100


def test_the_call_that_the_system_prompt_shows_has_the_form_that_is_read():
    shown = dialect.system_prompt()
    start = shown.index("<tool_call>")
    example = shown[start:].split("\n  The next")[0]
    filled = example.replace('"..."', '"zoom_in"').replace("{...}", '{"bbox_2d": [0, 0, 1, 1]}')
    assert dialect.parse(filled, PICTURE)["operation"] == 1
