"""Replies are read at one border: whatever JSON comes, it is a reply or refused."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scripted_server import chunks, completion, tool_call

from pixel_env.agents.served.reply import MalformedReplyError, Pieces, Reply, read_reply
from pixel_env.chat.assistant import assistant_message

LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=6,
)
PLACES = [
    ("choices",), ("choices", 0), ("choices", 0, "message"), ("choices", 0, "finish_reason"),
    ("choices", 0, "message", "content"), ("choices", 0, "message", "tool_calls"),
    ("choices", 0, "message", "tool_calls", 0, "function"),
    ("choices", 0, "message", "reasoning_content"), ("usage",), ("model",),
    ("usage", "prompt_tokens"), ("choices", 0, "stop_reason"),
]  # fmt: skip


def changed(whole, place, value):
    """Returns a copy with one value replaced."""
    copy = json.loads(json.dumps(whole))
    inner = copy
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    return copy


@settings(max_examples=40, deadline=None)
@given(place=st.sampled_from(PLACES), value=VALUES, native=st.booleans())
def test_a_reply_of_any_values_is_read_or_refused(place, value, native):
    body = changed(completion("B", tool_call("{}"), reasoning_content="So."), place, value)
    try:
        reply = read_reply(body)
    except MalformedReplyError:
        return
    assert isinstance(reply, Reply)
    assert all(isinstance(text, str) for text in (reply.content, reply.reasoning, reply.model))
    message = reply.message(native)
    back = assistant_message("openai" if native else "pixel-reasoner", message)
    json.dumps(back, ensure_ascii=False).encode("utf-8")  # as a client sends it


@settings(max_examples=40, deadline=None)
@given(number=st.integers(0, 5), place=st.sampled_from([
    ("choices",), ("choices", 0), ("choices", 0, "delta"), ("choices", 0, "delta", "content"),
    ("choices", 0, "delta", "tool_calls"), ("usage",), ("model",)]), value=VALUES)  # fmt: skip
def test_pieces_of_any_values_are_read_or_refused(number, place, value):
    stream = chunks(completion("B" * 9, tool_call("{}")))
    stream[number] = changed(stream[number], place, value)
    pieces = Pieces()
    try:
        for piece in stream:
            pieces.add(piece)
        reply = pieces.reply()
    except MalformedReplyError:
        return
    assert isinstance(reply, Reply)


@pytest.mark.parametrize("body", [None, [], "B", 3, {}, {"choices": None}, {"choices": [{}]}])
def test_what_is_no_completion_is_refused(body):
    with pytest.raises(MalformedReplyError):
        read_reply(body)


def test_half_a_character_becomes_a_sign_in_text_and_in_calls():
    body = completion("a\ud800", tool_call('{"x": "\ud800"}'))
    reply = read_reply(body)
    assert reply.content == "a?"
    assert reply.tool_calls[0]["function"]["arguments"] == '{"x": "?"}'


def test_a_content_in_parts_is_one_text():
    parts = [{"type": "text", "text": "The "}, {"type": "text", "text": "cat"}]
    assert read_reply(completion(parts)).content == "The cat"


def test_an_older_call_is_a_call():
    function = {"name": "zoom_in", "arguments": "{}"}
    assert read_reply(completion(None, function_call=function)).tool_calls == (
        {"function": function},
    )


def test_what_a_server_does_not_count_is_nothing():
    body = completion("B") | {"usage": {"prompt_tokens": -3, "completion_tokens": "many"}}
    reply = read_reply(body)
    assert (reply.prompt_tokens, reply.completion_tokens, reply.cached_tokens) == (0, 0, 0)
    details = {"prompt_tokens": 9, "prompt_tokens_details": {"cached_tokens": 7}}
    assert read_reply(body | {"usage": details}).cached_tokens == 7
