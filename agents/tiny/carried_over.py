"""Carries what a model knows over to one with another tokenizer."""

from __future__ import annotations

from typing import Any

import torch
from transformers import PreTrainedTokenizerFast

from pixel_env.errors import ConfigError

_TIED = ("lm_head.weight", "model.language_model.embed_tokens.weight")


@torch.no_grad()
def carry_over(
    old: Any,
    old_tokenizer: PreTrainedTokenizerFast,
    new: Any,
    new_tokenizer: PreTrainedTokenizerFast,
) -> int:
    """Copies all weights; a token that both tokenizers have keeps its embedding.

    Args:
        old: a model.
        old_tokenizer: its tokenizer.
        new: a model of the same sizes but for its vocabulary; changed in place.
        new_tokenizer: its tokenizer.

    Returns:
        How many tokens kept their embedding; the others have that of the new model.

    Raises:
        ConfigError: the models are not of the same sizes.
    """
    weights = {name: w for name, w in old.state_dict().items() if name not in _TIED}
    try:
        missing = new.load_state_dict(weights, strict=False)
    except RuntimeError as fault:
        raise ConfigError(f"expected two models of the same sizes: {fault}") from fault
    unknown = set(missing.missing_keys) - set(_TIED)
    if unknown or missing.unexpected_keys:
        named = sorted({*unknown, *missing.unexpected_keys})[0]
        raise ConfigError(f"expected two models of the same sizes; only one has {named}")
    known = old_tokenizer.get_vocab()
    both = [
        (known[text], place) for text, place in new_tokenizer.get_vocab().items() if text in known
    ]
    sources, places = (torch.tensor(each) for each in zip(*both, strict=True))
    new.get_input_embeddings().weight[places] = old.get_input_embeddings().weight[sources]
    return len(both)
