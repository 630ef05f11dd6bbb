"""Models of public shapes with random weights, made where they will run: nothing is downloaded.

They take the time and the memory of the real ones. What they say is noise.
"""

from __future__ import annotations

import functools
from typing import Any

import torch
from transformers import (
    AutoModelForImageTextToText,
    PreTrainedTokenizerFast,
    Qwen2_5_VLConfig,
    Qwen2VLImageProcessorPil,
    Qwen3VLConfig,
)

from pixel_env.dialects import get_dialect

from ..model.loading import DTYPES, LoadedModel, prepared
from ..model.settings import ModelSettings
from ..model.shapes import ModelShape
from ..tiny.model import PAD, train_tokenizer
from ..tiny.texts import dialect_texts
from ..tokens.encoder import END, IMAGE, VIDEO, VISION_END, VISION_START
from ..warm_start.wording import FULL

INITIAL_STD = 0.02
"""Standard deviation of the random weights: `initializer_range` of the public configurations."""

VISION_HEADS = 16


def config_of(shape: ModelShape, tokenizer: PreTrainedTokenizerFast) -> Any:
    """Returns a configuration of transformers with a shape; the rest is as published.

    Args:
        shape: all sizes.
        tokenizer: knows the ids of the special tokens; may know fewer tokens than the shape has.
    """
    ids: Any = tokenizer.convert_tokens_to_ids
    shared = {
        "image_token_id": ids(IMAGE),
        "video_token_id": ids(VIDEO),
        "vision_start_token_id": ids(VISION_START),
        "vision_end_token_id": ids(VISION_END),
        "tie_word_embeddings": shape.tied,
    }
    text = _text_config(shape) | {"eos_token_id": ids(END), "pad_token_id": ids(PAD)}
    kind = Qwen3VLConfig if shape.family == "qwen3_vl" else Qwen2_5_VLConfig
    return kind(text_config=text, vision_config=_vision_config(shape), **shared)


def _text_config(shape: ModelShape) -> dict[str, Any]:
    """Returns the settings of the language model, without its special tokens."""
    is_third = shape.family == "qwen3_vl"
    rope: dict[str, Any] = {
        "rope_type": "default",
        "rope_theta": 5e6 if is_third else 1e6,
        "mrope_section": [24, 20, 20] if is_third else [16, 24, 24],
    }
    text = {
        "hidden_size": shape.hidden,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.heads,
        "num_key_value_heads": shape.kv_heads,
        "intermediate_size": shape.intermediate,
        "vocab_size": shape.vocab,
        "max_position_embeddings": 128_000,
        "rms_norm_eps": 1e-6,
        "initializer_range": INITIAL_STD,
        "bos_token_id": None,
        "rope_parameters": rope,
    }
    if is_third:
        rope["mrope_interleaved"] = True
        text |= {"head_dim": shape.head_dim, "tie_word_embeddings": shape.tied}
    return text


def _vision_config(shape: ModelShape) -> dict[str, Any]:
    """Returns the settings of the vision tower."""
    vision: dict[str, Any] = {
        "depth": shape.vision_depth,
        "hidden_size": shape.vision_hidden,
        "intermediate_size": shape.vision_intermediate,
        "num_heads": VISION_HEADS,
        "out_hidden_size": shape.hidden,
        "patch_size": shape.patch,
        "initializer_range": INITIAL_STD,
    }
    if shape.family == "qwen3_vl":
        vision["num_position_embeddings"] = shape.vision_positions
        vision["deepstack_visual_indexes"] = _deepstack_layers(shape)
    else:
        vision["fullatt_block_indexes"] = _full_attention_layers(shape.vision_depth)
    return vision


def random_model(shape: ModelShape, settings: ModelSettings, seed: int = 0) -> LoadedModel:
    """Builds a model with random weights in its own dtype on its own device.

    Args:
        shape: all sizes.
        settings: as for `models.load`.
        seed: of the weights and adapters; torch's global generators are left as they were.
    """
    tokenizer, processor = text_and_picture_tools(shape)
    config = config_of(shape, tokenizer)
    device = torch.device(settings.device)
    devices = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices), device:
        torch.manual_seed(seed)
        bare = AutoModelForImageTextToText.from_config(  # type: ignore[no-untyped-call]
            config,
            dtype=DTYPES[settings.dtype],
            attn_implementation=settings.attention,
            trust_remote_code=False,
        )
        model = prepared(bare, settings).eval()
    return LoadedModel(model, tokenizer, processor)


def text_and_picture_tools(shape: ModelShape) -> tuple[PreTrainedTokenizerFast, Any]:
    """Returns a tokenizer, made on the spot, and the image processor of a shape's patches."""
    processor = Qwen2VLImageProcessorPil(
        patch_size=shape.patch, merge_size=2, temporal_patch_size=2
    )
    return made_tokenizer(), processor


@functools.cache
def made_tokenizer() -> PreTrainedTokenizerFast:
    """Trains a tokenizer on the environment's prompts, so that texts are about as long as real.

    Its tokens are fewer than a published model's; the output layer has rows for those all the same.
    """
    dialect = get_dialect("pixel-reasoner")
    texts = [dialect.system_prompt(brief=False), *dialect_texts(dialect)]
    texts += [sentence for sentences in FULL.values() for sentence in sentences]
    return train_tokenizer(texts)


def _full_attention_layers(depth: int) -> list[int]:
    """Returns the layers of a vision tower without windows: every fourth part's last one.

    Example:
        >>> _full_attention_layers(32), _full_attention_layers(2)
        ([7, 15, 23, 31], [0, 1])
    """
    part = max(depth // 4, 1)
    return list(range(part - 1, depth, part))


def _deepstack_layers(shape: ModelShape) -> list[int]:
    """Returns the layers of a vision tower whose features are added later on.

    The published towers of 24 and 27 layers have 5, 11, 17 and 8, 16, 24; shallow ones the first.
    """
    if shape.vision_depth < 24:
        return list(range(shape.deepstack))
    step = 6 if shape.vision_depth == 24 else 8
    first = 5 if shape.vision_depth == 24 else 8
    return [first + step * number for number in range(shape.deepstack)]
