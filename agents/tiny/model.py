"""A vision-language policy for laptops: a real Qwen2.5-VL of 1.6 million parameters.

It has the architecture, the image processing and the chat format of Qwen2.5-VL, in small, and a
tokenizer of its own that is trained on the texts of the task it is made for. Blank it can't see:
`scripts/dev/pretrain_tiny.py` teaches it to name what is in synthetic scenes, `pretrain_twins.py`
boards, pages and clips, and the weights that come of it ship in `agents/base_weights`, in the hub's
layout. They stand where Qwen2.5-VL-7B-Instruct stands in the paper.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    PreTrainedTokenizerFast,
    Qwen2_5_VLConfig,
    Qwen2_5_VLForConditionalGeneration,
)
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

from pixel_env.files.whole_folder import whole_folder

from ..tokens.encoder import END, IMAGE, START, VIDEO, VISION_END, VISION_START
from ..tokens.serving import write_serving_files

PAD = "<|endoftext|>"
SPECIAL_TOKENS = (PAD, START, END, VISION_START, VISION_END, IMAGE, VIDEO)
PATCH_PX = 14
MERGE = 2

_CHUNKS = (
    r"</?tool_call>"
    r"| ?\\boxed\{"
    r'| ?[\[{]*"[a-z_0-9]+"[:,]?'  # a JSON name with what opens it
    r"| ?\([A-Z]\)"
    r"| ?\d+\.\d+"
    r"|(?<!\d) ?[12]?\d(?![\d%])"  # counts and frames; longer numbers are read digit by digit
    r"|\d"
    r"| ?[A-Za-z]+"
    r"| ?[^\sA-Za-z0-9]+"
    r"|\s"
)
"""What may become one token: a word, a fraction, a count, a digit, an option, a JSON name."""


@dataclass(frozen=True, slots=True)
class TinyConfig:
    """Sizes of the model."""

    hidden: int = 128
    """Width of the language model."""
    layers: int = 4
    """Layers of the language model."""
    heads: int = 4
    """Attention heads of both towers."""
    vision_hidden: int = 96
    """Width of the vision tower."""
    vision_layers: int = 3
    """Layers of the vision tower."""
    max_vocabulary: int = 4096
    """Largest vocabulary of the tokenizer."""


def train_tokenizer(texts: Iterable[str], max_vocabulary: int = 4096) -> PreTrainedTokenizerFast:
    """Trains a byte-level BPE tokenizer; any text can be written in it, known words are short.

    Args:
        texts: what the policy will read and write; a chunk that occurs twice becomes one token.
        max_vocabulary: largest number of tokens.
    """
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_CHUNKS), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=max_vocabulary,
        min_frequency=2,
        special_tokens=list(SPECIAL_TOKENS),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    made: PreTrainedTokenizerFast = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer,
        pad_token=PAD,
        eos_token=END,
        additional_special_tokens=[START, VISION_START, VISION_END, IMAGE, VIDEO],
        padding_side="right",
        clean_up_tokenization_spaces=False,
    )
    return made


def image_processor() -> Any:
    """Returns the image processor: patches of 14 px, 2 x 2 of them to a token, [-1, 1] values."""
    return Qwen2VLImageProcessorPil(
        patch_size=PATCH_PX,
        merge_size=MERGE,
        temporal_patch_size=2,
        image_mean=[0.5, 0.5, 0.5],
        image_std=[0.5, 0.5, 0.5],
    )


def blank_model(
    tokenizer: PreTrainedTokenizerFast, config: TinyConfig | None = None, seed: int = 0
) -> Qwen2_5_VLForConditionalGeneration:
    """Builds a model with random weights.

    Args:
        tokenizer: decides the size of the vocabulary and the ids of the special tokens.
        config: the sizes.
        seed: of the weights; the global generator of torch is left as it was.
    """
    config = config or TinyConfig()
    half = config.hidden // config.heads // 2
    side = half * 3 // 8
    ids: dict[str, Any] = {t: tokenizer.convert_tokens_to_ids(t) for t in SPECIAL_TOKENS}
    text = {
        "vocab_size": len(tokenizer),
        "hidden_size": config.hidden,
        "intermediate_size": 3 * config.hidden,
        "num_hidden_layers": config.layers,
        "num_attention_heads": config.heads,
        "num_key_value_heads": config.heads,
        "max_position_embeddings": 4096,
        "rope_parameters": {
            "rope_type": "default",
            "rope_theta": 1_000_000.0,
            "mrope_section": [half - 2 * side, side, side],
        },
        "bos_token_id": None,
        "eos_token_id": ids[END],
        "pad_token_id": ids[PAD],
        "tie_word_embeddings": True,
    }
    vision = {
        "depth": config.vision_layers,
        "hidden_size": config.vision_hidden,
        "intermediate_size": 2 * config.vision_hidden,
        "num_heads": config.heads,
        "out_hidden_size": config.hidden,
        "patch_size": PATCH_PX,
        "spatial_merge_size": MERGE,
        "temporal_patch_size": 2,
        "fullatt_block_indexes": list(range(config.vision_layers)),
    }
    full = Qwen2_5_VLConfig(
        text_config=text,
        vision_config=vision,
        image_token_id=ids[IMAGE],
        video_token_id=ids[VIDEO],
        vision_start_token_id=ids[VISION_START],
        vision_end_token_id=ids[VISION_END],
        tie_word_embeddings=True,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Qwen2_5_VLForConditionalGeneration(full)


def save(folder: Path, model: Any, tokenizer: PreTrainedTokenizerFast) -> None:
    """Writes a checkpoint in the hub's layout: weights, config, tokenizer, image processor."""
    with whole_folder(folder) as writing:
        model.save_pretrained(writing, safe_serialization=True)
        tokenizer.save_pretrained(writing)
        image_processor().save_pretrained(writing)
        write_serving_files(writing, model.config.model_type)
