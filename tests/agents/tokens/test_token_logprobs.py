"""Sampled tokens as texts: put together they are the message, each with its log-probability."""

import numpy as np
import pytest
from tiny_models import tiny_encoder, tiny_tokenizer

from pixel_env.agents.tokens.token_logprobs import message_logprobs, token_texts
from pixel_env.agents.tokens.trajectory import Piece, TrajectoryBuilder


@pytest.mark.parametrize("text", ["zoom in", "", "é", "a€b\U0001f600", " two  blanks\n", "\ufffd!"])
def test_texts_of_tokens_are_the_text(text):
    ids = tiny_encoder("qwen2_5_vl").message_ids(text)
    texts = token_texts(ids, tiny_tokenizer())
    assert len(texts) == len(ids)
    assert "".join(texts) == text + "<|im_end|>"


def test_a_character_is_in_its_last_token():
    ids = tiny_encoder("qwen2_5_vl").message_ids("a€")  # three bytes, a token each
    assert token_texts(ids, tiny_tokenizer()) == ["a", "", "", "€", "<|im_end|>"]


def test_a_character_that_was_cut_off_is_written_as_such():
    ids = tiny_encoder("qwen2_5_vl").message_ids("a€")[:3]
    assert token_texts(ids, tiny_tokenizer()) == ["a", "", "\ufffd"]


def test_each_response_has_its_own_log_probabilities():
    tokens = tiny_tokenizer()
    encoder = tiny_encoder("qwen2_5_vl")
    record = TrajectoryBuilder()
    prompt = Piece(encoder.message_ids("ab"))
    record.add_prompt(prompt)
    record.add_response(encoder.message_ids("b"), np.array([-0.1, -2.5], np.float32))
    record.add_prompt(prompt)
    record.add_response(encoder.message_ids("")[:0], np.zeros(0, np.float32))
    record.add_prompt(prompt)
    record.add_response(encoder.message_ids("ba")[:-1], np.array([-1e-7, -3], np.float32))
    assert message_logprobs(record.build(), tokens) == [
        [("b", -0.1), ("<|im_end|>", -2.5)],
        [],
        [("b", -1e-7), ("a", -3.0)],
    ]
