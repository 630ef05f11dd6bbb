"""The openai dialect's own syntax: the JSON of a message, or its content."""

import json

import pytest
from dialect_calls import TWO, ZOOMS

from pixel_env import OperationError
from pixel_env.dialects import get_dialect

DIALECT = get_dialect("openai")
ARGUMENTS = '{"bbox_2d": [0, 0, 0.5, 0.5]}'


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
        message(refusal=None, reasoning_content="Hm.", annotations=[], audio=None),
        message(name="crop_image_normalized"),
    ],
)
def test_one_call_is_read_whatever_else_a_server_sends(text):
    assert DIALECT.parse(text, TWO)["bbox"].tolist() == [0, 0, 0.5, 0.5]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("The mug is red.", "The mug is red."),
        (message(content=" red ", tool_calls=None), "red"),
        (message(content="red", tool_calls=[]), "red"),
        ('{"content": "It is <answer>red</answer>"}', "red"),
        (r'{"content": "\\boxed{red}"}', "red"),
        (r'{"content": "a\ud800b"}', "a?b"),
        ("[1, 2]", "[1, 2]"),
    ],
)
def test_the_content_of_a_message_without_a_call_is_the_answer(text, said):
    assert DIALECT.parse(text, TWO)["text"] == said


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (message(tool_calls=json.loads(message())["tool_calls"] * 2), "several_calls"),
        (message(content=r"\boxed{B}"), "several_calls"),
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
