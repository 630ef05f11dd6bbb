"""Chat messages and tokens show a policy the same, part for part."""

import gymnasium as gym
import numpy as np
import pytest
from tiny_models import side, tiny_processor, tiny_tokenizer

from pixel_env import zoom_in
from pixel_env.agents.tokens.encoder import Encoder
from pixel_env.chat import AsArray, Conversation
from pixel_env.dialects import DIALECTS
from pixel_env.wrappers import TextAction


def as_ids(encoder, messages):
    """Writes messages in ChatML by the rules of docs/training.md, one pad for each picture."""
    tokenizer = encoder.tokenizer

    def text(written):
        return tokenizer.encode(written, add_special_tokens=False, split_special_tokens=True)

    start, end, vision, vision_end, pad = tokenizer.convert_tokens_to_ids(
        ["<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>", "<|image_pad|>"]
    )
    ids = []
    for message in messages:
        ids += [start, *text(message["role"] + "\n")]
        content = message["content"]
        parts = [{"type": "text", "text": content}] if isinstance(content, str) else content
        for part in parts:
            ids += text(part["text"]) if part["type"] == "text" else [vision, pad, vision_end]
        ids += [end, *text("\n")]
    return [*ids, start, *text("assistant\n")]


def collapsed(encoder, ids):
    """Leaves one pad of each run."""
    is_pad = ids == encoder.image_id
    return ids[~(is_pad & np.append(False, is_pad[:-1]))].tolist()


@pytest.mark.parametrize("system", ["full", "brief", "none"])
@pytest.mark.parametrize("name", [name for name in DIALECTS if name != "openai"])
def test_chat_and_tokens_show_the_same(name, system):
    env = TextAction(
        gym.make("PixelReason-SyntheticSearch-v0", side_multiple=side("qwen2_5_vl")), name
    )
    encoder = Encoder(tiny_tokenizer(), tiny_processor("qwen2_5_vl"), env.dialect, system)
    conversation = Conversation(env.dialect, system, AsArray())
    observation, _ = env.reset(seed=5)
    conversation.observe(observation)
    ids = encoder.open(observation).ids
    for _ in range(2):
        assert collapsed(encoder, ids) == as_ids(encoder, conversation.messages)
        written = env.dialect.render(zoom_in([0.25, 0.25, 0.75, 0.75]), env.shown)
        conversation.respond(written)
        observation = env.step(written)[0]
        conversation.observe(observation)
        ids = np.concatenate([ids, encoder.message_ids(written), encoder.follow(observation).ids])
    assert collapsed(encoder, ids) == as_ids(encoder, conversation.messages)
    shown = [
        part["image"]
        for message in conversation.messages
        if not isinstance(message["content"], str)
        for part in message["content"]
        if part["type"] == "image"
    ]
    assert len(shown) == 3
