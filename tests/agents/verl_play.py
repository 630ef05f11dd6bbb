"""A scripted episode through verl's agent loop, as one play of all adapters."""

from __future__ import annotations

import asyncio
import functools
import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tiny_models import tiny_processor, tiny_tokenizer
from verl_parts import Server, agent_loop, processor

from pixel_env.agents.tokens.encoder import Encoder
from pixel_env.dialects import get_dialect

BEFORE, AFTER = "\nuser\n", "\nassistant\n"
"""What stands around an observation, without the special tokens."""


@functools.cache
def made() -> Any:
    with tempfile.TemporaryDirectory() as folder:
        return processor(Path(folder))


def play(
    env_id: str, env_args: Mapping[str, Any], index: int, messages: Sequence[str]
) -> tuple[list[float], list[str], list[np.ndarray], bool]:
    """Returns what verl was handed: rewards, texts after messages, pictures, whether left out."""
    dialect = get_dialect("pixel-reasoner")
    encoder = Encoder(tiny_tokenizer(), tiny_processor("qwen2_5_vl"), dialect)
    server = Server(encoder, messages)
    row = {
        **{"uid": "u", "env_id": env_id, "env_args": json.dumps(dict(env_args))},
        **{"dialect": dialect.name, "sample_index": index},
        "raw_prompt": [{"role": "system", "content": dialect.system_prompt()}],
    }

    async def run() -> Any:
        return await agent_loop(server, made()).run({}, **row)

    out = asyncio.run(run())
    left_out = out == []
    rewards = [] if left_out else [out.extra_fields["reward_extra_info"]["acc"]]
    shown = server.handed[-1]["images"] if server.handed else []
    pictures = [np.asarray(each) for each in shown]
    texts, known = [], 0
    for number, turn in enumerate(server.handed):
        if number:
            told = encoder.tokenizer.decode(turn["ids"][known:], skip_special_tokens=True)
            texts.append(told.removeprefix(BEFORE).removesuffix(AFTER))
        known = len(turn["ids"]) + len(encoder.message_ids(messages[number]))
    return rewards, texts, pictures, left_out
