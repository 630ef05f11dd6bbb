"""A message is split: its content, its thinking, where it ends."""

import pytest

from pixel_env import OperationError
from pixel_env.dialects.grammar.calls import MAX_MESSAGE_CHARS
from pixel_env.dialects.grammar.thinking import split_thinking


@pytest.mark.parametrize(
    ("text", "content", "thinking"),
    [
        ("red", "red", ""),
        ("<think>a</think>red", "red", "a"),
        ("<think>a</think>\n \n", "", "a"),
        ("a</think>red", "red", "a"),
        ("<think>a", "", "a"),
        ("red<think>a", "red", "a"),
        ("<think>a<think>b</think>c</think>red", "red", "a<think>b\nc"),
        ("<think>a</think>red<think>b</think>blue", "red\nblue", "a\nb"),
        ("<THINK>a</Think>red", "red", "a"),
        ("<thinking>a</thinking>red", "red", "a"),
        ("red<tool_response>blue</tool_response>", "red", ""),
        ("a<tool_response>b</tool_response>c<tool_response>d</tool_response>e", "ace", ""),
        ("<tool_response>red", "<tool_response>red", ""),
        ("red</tool_response>", "red</tool_response>", ""),
        ("red<|im_end|>blue", "red", ""),
        ("red<|endoftext|><|im_end|>", "red", ""),
        ("red<|eot_id|>", "red", ""),
        ("red<|end_of_text|>", "red", ""),
        ("<|im_start|>assistant\nred<|im_end|>", "red", ""),
    ],
)
def test_content_and_thinking(text, content, thinking):
    parts = split_thinking(text)
    assert (parts.content, parts.thinking) == (content, thinking)


def test_the_last_part_is_what_follows_the_thinking():
    assert split_thinking("red<think>a</think>blue").last == "blue"
    assert split_thinking("red<think>a</think> \n").last == "red"
    assert split_thinking("<think>a</think>").last == ""


def test_a_message_has_a_limit():
    assert len(split_thinking("x" * MAX_MESSAGE_CHARS).content) == MAX_MESSAGE_CHARS
    with pytest.raises(OperationError, match="may hold 1000000 characters, got 1000001") as caught:
        split_thinking("x" * (MAX_MESSAGE_CHARS + 1))
    assert caught.value.kind == "malformed"
