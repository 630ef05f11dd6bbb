"""The openai dialect's own syntax: the JSON of a message, or its content."""

import json

import pytest
from dialect_calls import TWO, ZOOMS

from pixel_env import OperationError
from pixel_env.dialects import get_dialect

DIALECT = get_dialect("openai")
ARGUMENTS = '{"bbox_2d": [0, 0, 0.5, 0.5]}'
CALL = f'{{"name": "zoom_in", "arguments": {ARGUMENTS}}}'


def message(arguments=ARGUMENTS, name="zoom_in", **changes):
    function = {"name": name, "arguments": arguments}
    calls = [{"id": "call_7", "type": "function", "function": function}]
    return json.dumps({"role": "assistant", "content": None, "tool_calls": calls} | changes)


@pytest.mark.parametrize(
    "text",
    [
        message(),
        " \n" + message() + "\n",
        message(json.loads(ARGUMENTS)),
        message(content="I look closer, it may be (B)."),
        message(content=""),
        message(content=r"I would say \boxed{B}."),
        message(content="B<|im_end|>"),
        message() + "<|im_end|>\n",
        message(content=[{"type": "text", "text": "I look closer."}]),
        message(content=[]),
        message(tool_calls=None, function_call={"name": "zoom_in", "arguments": ARGUMENTS}),
        message(tool_calls=None, reasoning_content=f"Hm. <tool_call>{CALL}</tool_call>"),
        message(tool_calls=None, content=f"I look. <tool_call>{CALL}</tool_call>"),
        message(tool_calls=None, content=CALL),
        CALL,
        message(refusal=None, reasoning_content="Hm.", annotations=[], audio=None),
        message(name="crop_image_normalized"),
    ],
)
def test_one_call_is_read_whatever_else_a_server_sends(text):
    assert DIALECT.parse(text, TWO)["bbox"].tolist() == [0, 0, 0.5, 0.5]


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("The mug is red.", "The mug is red."),
        (message(content=" red ", tool_calls=None), "red"),
        (message(content="red", tool_calls=[]), "red"),
        ('{"content": "It is <answer>red</answer>"}', "red"),
        (r'{"content": "\\boxed{red}"}', "red"),
        (r'{"content": "a\ud800b"}', "a?b"),
        ("[1, 2]", "[1, 2]"),
        ('{"content": "red<|endoftext|>"}<|im_end|>', "red"),
        ('{"content": [{"type": "text", "text": "r"}, {"type": "text", "text": "ed"}]}', "red"),
        ('{"content": [{"type": "reasoning"}, {"type": "output_text", "text": "red"}]}', "red"),
        ('{"content": "", "reasoning_content": "Hm. <answer>red</answer>"}', "red"),
        ('{"content": "red", "reasoning_content": "<answer>blue</answer>"}', "red"),
        ('{"name": "bot", "role": "assistant", "content": "red"}', "red"),
    ],
)
def test_the_content_of_a_message_without_a_call_is_the_answer(text, answer):
    assert DIALECT.parse(text, TWO)["text"] == answer


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (message(tool_calls=json.loads(message())["tool_calls"] * 2), "several_calls"),
        (message(content=f"<tool_call>{CALL}</tool_call>"), "several_calls"),
        (message(function_call={"name": "zoom_in", "arguments": ARGUMENTS}), "several_calls"),
        (message(tool_calls=None, content=f"{CALL}\n{CALL}"), "several_calls"),
        (message(tool_calls=None, content=CALL[:-9]), "malformed"),
        (CALL[:-9], "malformed"),
        (message(content=[{"type": "tool_use", "name": "zoom_in"}], tool_calls=None), "malformed"),
        (message(tool_calls=None, function_call="zoom_in"), "malformed"),
        (message(tool_calls=None, content=None, reasoning_content="Hm."), "no_answer"),
        (message()[:-1], "malformed"),
        ("{red}", "malformed"),
        (message("{"), "malformed"),
        (message("[]"), "malformed"),
        (message("null"), "malformed"),
        (message(None), "malformed"),
        (message(name=None), "malformed"),
        (message(tool_calls={}), "no_answer"),
        (message(tool_calls={"a": 1}), "malformed"),
        (message(tool_calls="zoom_in"), "malformed"),
        (message(tool_calls=[None]), "malformed"),
        (message(tool_calls=[{"function": "zoom_in"}]), "malformed"),
        (message(content=["red"], tool_calls=None), "malformed"),
        (message(content=7, tool_calls=None), "malformed"),
        (message(content=None, tool_calls=None), "no_answer"),
        ("{}", "no_answer"),
        (message(ARGUMENTS.replace("0.5]", "NaN]")), "bad_arguments"),
        (message('{"x": ' + "[" * 20 + "]" * 20 + "}"), "malformed"),
        (message(ARGUMENTS + " " * 10_000), "malformed"),
    ],
)
def test_what_is_no_message_is_refused(text, kind):
    with pytest.raises(OperationError) as caught:
        DIALECT.parse(text, TWO)
    assert caught.value.kind == kind


def test_a_call_is_written_as_a_request_takes_it_back():
    written = json.loads(DIALECT.render(DIALECT.parse(ZOOMS["openai"], TWO), TWO))
    assert written["role"] == "assistant"
    assert written["content"] is None
    (call,) = written["tool_calls"]
    assert (call["type"], call["function"]["name"]) == ("function", "zoom_in")
    assert json.loads(call["function"]["arguments"]) == {
        "bbox_2d": [0.25, 0.5, 0.75, 1],
        "target_image": 2,
    }
