"""Conversations: the past stays, every turn's news is added once, calls get their results."""

import copy
import json

import gymnasium as gym
import pytest

import pixel_env
from pixel_env import answer, zoom_in
from pixel_env.chat import AsArray, Conversation
from pixel_env.dialects import DIALECTS
from pixel_env.errors import ConfigError
from pixel_env.wrappers import TextAction

ID = "PixelReason-SyntheticSearch-v0"
BOX = [0.25, 0.25, 0.75, 0.75]


def call(name="zoom_in", arguments='{"bbox_2d": [0, 0, 1, 1]}', **entry):
    return {"type": "function", "function": {"name": name, "arguments": arguments}, **entry}


def message(*calls, content=None):
    return json.dumps({"role": "assistant", "content": content, "tool_calls": calls})


def begin(dialect, **settings):
    env = TextAction(gym.make(ID), dialect)
    observation, _ = env.reset(seed=3)
    conversation = Conversation(env.dialect, picture=AsArray(), **settings)
    conversation.observe(observation)
    return env, conversation


def text_of(content):
    return "".join(part["text"] for part in content if part["type"] == "text")


@pytest.mark.parametrize("name", DIALECTS)
def test_the_past_is_never_changed_and_keeps_its_pictures(name):
    env, conversation = begin(name)
    past = copy.deepcopy(conversation.messages)
    assert [each["role"] for each in past] == ["system", "user"]
    assert past[0]["content"] == env.dialect.system_prompt()
    for turn in range(2):
        written = env.dialect.render(zoom_in(BOX), env.shown)
        conversation.respond(written)
        observation = env.step(written)[0]
        conversation.observe(observation)
        assert conversation.n_pictures == turn + 2
        for before, after in zip(past, conversation.messages, strict=False):
            assert str(before) == str(after)
        past = copy.deepcopy(conversation.messages)


@pytest.mark.parametrize("name", [name for name in DIALECTS if name != "openai"])
def test_a_text_dialect_has_user_and_assistant_in_turn(name):
    env, conversation = begin(name, system="none")
    written = env.dialect.render(zoom_in(BOX), env.shown)
    conversation.respond(written)
    conversation.observe(env.step(written)[0])
    assert [each["role"] for each in conversation.messages] == ["user", "assistant", "user"]
    assert conversation.messages[1] == {"role": "assistant", "content": written}


def test_a_call_is_answered_by_a_tool_message_and_its_picture_follows():
    env, conversation = begin("openai", system="brief")
    written = message(call(id="call_x"), content="Closer.")
    conversation.respond(written)
    conversation.observe(env.step(written)[0])
    _, _, assistant, tool, user = conversation.messages
    assert assistant == {
        "role": "assistant",
        "content": "Closer.",
        "tool_calls": [call(id="call_x")],
    }
    assert tool["role"] == "tool"
    assert tool["tool_call_id"] == "call_x"
    assert text_of(tool["content"]).startswith("Image 2 is the region")
    assert [part["type"] for part in user["content"]] == ["image"]


def test_a_tool_message_can_hold_the_picture_itself():
    env, conversation = begin("openai", tool_pictures=True)
    written = message(call(id="call_x"))
    conversation.respond(written)
    conversation.observe(env.step(written)[0])
    assert [part["type"] for part in conversation.messages[-1]["content"]] == ["text", "image"]
    assert conversation.messages[-1]["role"] == "tool"


def test_every_one_of_several_calls_is_answered():
    env, conversation = begin("openai")
    written = message(call(), call(), content="Both.")
    conversation.respond(written)
    observation = env.step(written)[0]
    assert "one" in observation["feedback"]  # refused: one call a message
    conversation.observe(observation)
    answered = [each["tool_call_id"] for each in conversation.messages if each["role"] == "tool"]
    assert answered == ["call_0", "call_1"]
    for each in conversation.messages[-2:]:
        assert text_of(each["content"]) == observation["feedback"]


@pytest.mark.parametrize(
    "broken",
    [
        call(arguments='{"bbox_2d": [0, 0'),
        call(arguments="[1]"),
        call(name=""),
        call(name=None),
        {"function": "zoom_in"},
        "zoom_in",
    ],
    ids=str,
)
def test_a_call_that_no_server_takes_back_becomes_text(broken):
    env, conversation = begin("openai")
    written = message(broken, content="Hm.")
    conversation.respond(written)
    conversation.observe(env.step(written)[0])
    assistant, user = conversation.messages[-2:]
    assert "tool_calls" not in assistant
    assert assistant["content"] == f"Hm.\n{json.dumps(broken)}"
    assert user["role"] == "user"


def test_two_calls_of_one_id_become_text():
    _, conversation = begin("openai")
    conversation.respond(message(call(id="a"), call(id="a")))
    assert "tool_calls" not in conversation.messages[-1]


def test_arguments_as_an_object_are_written_as_text():
    _, conversation = begin("openai")
    conversation.respond(message(call(arguments={"bbox_2d": [0, 0, 1, 1]})))
    made = conversation.messages[-1]["tool_calls"][0]["function"]["arguments"]
    assert json.loads(made) == {"bbox_2d": [0, 0, 1, 1]}


def test_an_answer_is_content_and_extra_fields_go_along():
    env, conversation = begin("openai")
    conversation.respond(env.dialect.render(answer("B"), env.shown), {"reasoning_content": "Blue."})
    assert conversation.messages[-1] == {
        "role": "assistant",
        "content": "B",
        "reasoning_content": "Blue.",
    }


def test_text_that_is_no_message_is_kept_as_it_is():
    _, conversation = begin("openai")
    conversation.respond('{"content": ')
    assert conversation.messages[-1]["content"] == '{"content": '


def test_an_unknown_system_message_is_refused():
    with pytest.raises(ConfigError, match="system"):
        Conversation(pixel_env.dialects.get_dialect("openai"), system="long")
