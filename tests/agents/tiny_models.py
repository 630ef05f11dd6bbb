"""Tiny random models of every architecture, a tokenizer made on the spot, a plain dialect."""

from __future__ import annotations

import functools

import numpy as np
import torch
from tokenizers import Tokenizer, decoders, pre_tokenizers, trainers
from tokenizers import models as token_models
from transformers import (
    PreTrainedTokenizerFast,
    Qwen2_5_VLConfig,
    Qwen2_5_VLForConditionalGeneration,
    Qwen2VLImageProcessorPil,
    Qwen3VLConfig,
    Qwen3VLForConditionalGeneration,
    Qwen3VLMoeConfig,
    Qwen3VLMoeForConditionalGeneration,
)

from pixel_env.agents.tokens.encoder import Encoder
from pixel_env.dialects.grammar.dialect import Dialect
from pixel_env.types import Observation

ARCHITECTURES = ("qwen2_5_vl", "qwen3_vl")
EXPERTS = "qwen3_vl_moe"
"""Qwen3-VL with a mixture of experts; the same parts, so fewer tests run on it."""
CONTROL = [
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<|vision_start|>",
    "<|vision_end|>",
    "<|image_pad|>",
    "<|video_pad|>",
]
VOCABULARY = 320  # rows of the output layer; the tokenizer has fewer


@functools.cache
def tiny_tokenizer() -> PreTrainedTokenizerFast:
    tokenizer = Tokenizer(token_models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=300,
        special_tokens=CONTROL,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(["system user assistant which colour is the ball zoom"], trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        additional_special_tokens=[CONTROL[1], *CONTROL[3:]],
    )


def tiny_processor(architecture: str) -> Qwen2VLImageProcessorPil:
    patch = 14 if architecture == "qwen2_5_vl" else 16
    return Qwen2VLImageProcessorPil(patch_size=patch, temporal_patch_size=2, merge_size=2)


def side(architecture: str) -> int:
    """Pixels along one side of an image token."""
    return 28 if architecture == "qwen2_5_vl" else 32


def tiny_model(architecture: str, seed: int = 0, scale: float = 3.0) -> torch.nn.Module:
    """A random model whose matrices are scaled up, so that every input matters."""
    torch.manual_seed(seed)
    ids = tiny_tokenizer().convert_tokens_to_ids
    tokens = {
        "image_token_id": ids("<|image_pad|>"),
        "video_token_id": ids("<|video_pad|>"),
        "vision_start_token_id": ids("<|vision_start|>"),
        "vision_end_token_id": ids("<|vision_end|>"),
    }
    text = {
        "vocab_size": VOCABULARY,
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 3,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "initializer_range": 0.1,
        "bos_token_id": None,
        "eos_token_id": ids("<|im_end|>"),
        "rope_parameters": {
            "rope_type": "default",
            "rope_theta": 10_000.0,
            "mrope_section": [2, 1, 1],
        },
    }
    vision = {
        "depth": 3,
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_heads": 2,
        "out_hidden_size": 32,
        "initializer_range": 0.1,
    }
    if architecture == "qwen2_5_vl":
        vision |= {"fullatt_block_indexes": [1], "window_size": 56, "patch_size": 14}
        model = Qwen2_5_VLForConditionalGeneration(
            Qwen2_5_VLConfig(text_config=text, vision_config=vision, **tokens)
        )
    else:
        text |= {"head_dim": 8}
        text["rope_parameters"]["mrope_interleaved"] = True
        vision |= {
            "deepstack_visual_indexes": [0, 1],
            "num_position_embeddings": 64,
            "patch_size": 16,
        }
        config, kind = Qwen3VLConfig, Qwen3VLForConditionalGeneration
        if architecture == EXPERTS:
            config, kind = Qwen3VLMoeConfig, Qwen3VLMoeForConditionalGeneration
            text |= {"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 32}
        model = kind(config(text_config=text, vision_config=vision, **tokens))
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim > 1:
                parameter.mul_(scale)
    return model.eval()


class PlainDialect(Dialect):
    """Tells pictures first, then the question and the feedback."""

    name = "plain-test"

    def tool_schemas(self):
        return []

    def system_prompt(self, brief=False):
        return "system zoom" if brief else "system zoom zoom zoom"

    def parse(self, text, shown):
        raise NotImplementedError

    def render(self, action, shown):
        raise NotImplementedError

    def tell(self, observation):
        return (*observation["images"], observation["question"] + observation["feedback"])


def tiny_encoder(architecture: str, system: str = "full") -> Encoder:
    return Encoder(tiny_tokenizer(), tiny_processor(architecture), PlainDialect(), system)


def picture(rng: np.random.Generator, architecture: str, rows: int = 2, columns: int = 2):
    """Random pixels, `rows` x `columns` image tokens large."""
    unit = side(architecture)
    return rng.integers(0, 256, (rows * unit, columns * unit, 3), dtype=np.uint8)


def observation(question: str, images=(), feedback: str = "", turn: int = 0) -> Observation:
    return Observation(
        question=question,
        choices=(),
        images=tuple(images),
        first_image=1,
        feedback=feedback,
        turn=turn,
        turns_left=5 - turn,
        n_frames=0,
    )
