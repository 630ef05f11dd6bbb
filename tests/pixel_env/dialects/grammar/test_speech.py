"""A message is taken apart: what is spoken, what is thought, where it ends."""

import pytest

from pixel_env import OperationError
from pixel_env.dialects.grammar.calls import MAX_MESSAGE_CHARS
from pixel_env.dialects.grammar.speech import heard


@pytest.mark.parametrize(
    ("text", "spoken", "thought"),
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
def test_what_is_spoken_and_what_is_thought(text, spoken, thought):
    speech = heard(text)
    assert (speech.spoken, speech.thought) == (spoken, thought)


def test_the_last_part_is_what_follows_the_thinking():
    assert heard("red<think>a</think>blue").last == "blue"
    assert heard("red<think>a</think> \n").last == "red"
    assert heard("<think>a</think>").last == ""


def test_a_message_has_a_limit():
    assert len(heard("x" * MAX_MESSAGE_CHARS).spoken) == MAX_MESSAGE_CHARS
    with pytest.raises(OperationError, match="may hold 1000000 characters, got 1000001") as caught:
        heard("x" * (MAX_MESSAGE_CHARS + 1))
    assert caught.value.kind == "malformed"
