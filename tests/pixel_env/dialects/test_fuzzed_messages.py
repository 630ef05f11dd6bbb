"""Random messages, spliced from real ones: the outcome is an action or one plain sentence."""

import json
import random
import time
from pathlib import Path

import numpy as np
import pytest

from pixel_env import OperationError
from pixel_env.dialects import DIALECTS, Shown, get_dialect
from pixel_env.dialects.grammar.lookalikes import looks_like_call

SHOWN = Shown(sizes=((1000, 800), (112, 112)), n_frames=16)
KINDS = {
    *("malformed", "unknown_operation", "bad_arguments", "bad_box", "bad_image", "bad_frames"),
    *("several_calls", "no_answer"),
}
FORMS = [
    json.loads(line)["text"][:2000]
    for name in ("real_forms.jsonl", "forms.jsonl")
    for line in (Path(__file__).parent / name).read_text("utf-8").splitlines()
]
MARKS = [
    *("<tool_call>", "</tool_call>", "<TOOL_CALL>", "<grounding>", "</grounding>", "<tools>"),
    *("<think>", "</think>", "<answer>", "</answer>", "<tool_response>", "</tool_response>"),
    *("<function=image_zoom_in_tool>", "</function>", "<parameter=bbox_2d>", "</parameter>"),
    *("\\boxed{", "}", "{", '{"name": "zoom_in", "arguments": ', '"bbox_2d": [0, 0, 1, 1]', "]"),
    *("<|im_end|>", "<|endoftext|>", "```json\n", "\n```", '"', "\\", "\ud800", "\x00", "1e999"),
    *("NaN", "-", "B", " ", "\n", "'", ",", "observation_0", '{"content": ', '"tool_calls": ['),
]


PIECES = ['{"name": ', "<think></think>", "<function=a><parameter=b>", "<tool_call>{", "<answer>"]


def random_message(rng):
    """Makes a message: a real one with changes, pieces of several, or marks alone."""
    text = rng.choice(FORMS) if rng.random() < 0.9 else ""
    for _ in range(rng.randrange(5)):
        place = rng.randrange(len(text) + 1)
        change = rng.randrange(4)
        if change == 0:
            text = text[:place] + rng.choice(MARKS) + text[place:]
        elif change == 1:
            text = text[:place] + text[place + rng.randrange(20) :]
        elif change == 2:
            other = rng.choice(FORMS)
            text = text[:place] + other[rng.randrange(len(other)) :]
        else:
            text = text[:place]
    return text


def read_or_refusal(dialect, text):
    try:
        return dialect.read(text, SHOWN)
    except OperationError as refusal:
        return refusal


def check_message(dialect, text):
    """Reads a message, and checks what holds for any; returns what it was read as."""
    reading = read_or_refusal(dialect, text)
    if isinstance(reading, OperationError):
        sentence = str(reading)
        assert reading.kind in KINDS
        assert sentence.isascii()
        assert "\n" not in sentence
        assert 0 < len(sentence) < 300
        return reading.kind
    action = reading.action
    if action["operation"] == 0:
        answer = action["text"]
        assert 0 < len(answer) <= 4096
        assert "\\{" in text or not (looks_like_call(answer) and answer in text)
    elif action["operation"] == 1:
        assert np.isfinite(action["bbox"]).all()
        assert reading.written_box is not None
    return str(action["operation"])


def check_many(n_messages, seed):
    """Reads random messages in every dialect in turn; returns how many were read as what."""
    rng = random.Random(seed)
    dialects = [get_dialect(name) for name in DIALECTS]
    counts = {}
    for number in range(n_messages):
        outcome = check_message(dialects[number % len(dialects)], random_message(rng))
        counts[outcome] = counts.get(outcome, 0) + 1
    return counts


def test_ten_thousand_random_messages_are_read_or_refused():
    counts = check_many(10_000, seed=0)
    assert counts.keys() >= KINDS - {"bad_frames"} | {"0", "1"}
    assert min(counts[kind] for kind in ("0", "1", "malformed", "several_calls")) > 200


@pytest.mark.slow
def test_a_million_random_messages_are_read_or_refused():
    assert sum(check_many(1_000_000, seed=1).values()) == 1_000_000


@pytest.mark.parametrize("name", DIALECTS)
@pytest.mark.parametrize("piece", PIECES)
def test_a_million_signs_are_read_in_proportion_to_their_length(name, piece):
    dialect = get_dialect(name)

    def seconds(n_signs):
        started = time.process_time()
        check_message(dialect, piece * (n_signs // len(piece)))
        return time.process_time() - started

    assert seconds(1_000_000) < 50 * max(seconds(100_000), 0.02)
