"""The one place where something is loaded by transformers: no code of a folder is ever run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from pixel_env.errors import DataError

from .files.border import foreign_files
from .files.json_files import read_object
from .files.model_files import CONFIG, PROCESSOR, TOKENIZER, ModelFiles, check_config
from .shapes import ModelShape, shape_of

_ROOM = 1.1
"""By how much weights may be more than the files hold: those that are missing are named later."""
_SMALL = 10**7
"""So many weights are always built."""
_PACKED = 16
"""A stored number stands for at most so many weights."""


def load_config(folder: Path) -> Any:
    """Loads a configuration.

    Raises:
        ConfigError: it is of another architecture.
        DataError: it can't be read.
    """
    from transformers import AutoConfig

    check_config(folder / CONFIG, read_object(folder / CONFIG))
    with foreign_files(str(folder / CONFIG)):
        return AutoConfig.from_pretrained(folder, trust_remote_code=False)


def stored_shape(folder: Path) -> ModelShape:
    """Returns the shape of a model in a folder; raises what `load_config` does."""
    return _shape(load_config(folder), folder)


def load_tokenizer(folder: Path) -> Any:
    """Loads a tokenizer.

    Raises:
        DataError: it can't be read.
    """
    from transformers import AutoTokenizer

    with foreign_files(str(folder / TOKENIZER)):
        return AutoTokenizer.from_pretrained(folder, trust_remote_code=False)


def load_image_processor(folder: Path) -> Any:
    """Loads a Qwen2-VL image processor.

    Raises:
        DataError: it can't be read.
    """
    from transformers import Qwen2VLImageProcessorPil

    with foreign_files(str(folder / PROCESSOR)):
        return Qwen2VLImageProcessorPil.from_pretrained(folder, trust_remote_code=False)


def load_model(files: ModelFiles, dtype: torch.dtype, attention: str) -> Any:
    """Loads the model itself; builds nothing that is much larger than what the files hold.

    Args:
        files: what `check_files` gave.
        dtype: of the weights.
        attention: the attention of transformers.

    Raises:
        DataError: configuration and weights don't fit each other, or can't be read.
    """
    from transformers import AutoModelForImageTextToText, GenerationConfig

    config = load_config(files.folder)
    _check_size(config, files)
    if (files.folder / "generation_config.json").exists():
        with foreign_files(str(files.folder / "generation_config.json")):
            GenerationConfig.from_pretrained(files.folder, trust_remote_code=False)
    with foreign_files(f"the weights in {files.weights}"):
        loaded: Any = AutoModelForImageTextToText.from_pretrained(
            files.folder,
            config=config,
            dtype=dtype,
            attn_implementation=attention,
            trust_remote_code=False,
            use_safetensors=True,
            weights_only=True,
            output_loading_info=True,
        )
        model, info = loaded
    for what in ("missing_keys", "mismatched_keys"):
        if found := info[what]:
            first = min(map(str, found))
            trouble = "lack" if what == "missing_keys" else "have another shape of"
            raise DataError(f"{files.weights}: the weights {trouble} {first} of {CONFIG}")
    return model


def _shape(config: Any, folder: Path) -> ModelShape:
    with foreign_files(str(folder / CONFIG)):
        return shape_of(config)


def _check_size(config: Any, files: ModelFiles) -> None:
    """Refuses a configuration of far more weights than there are, before they are allocated."""
    from transformers import AutoModelForImageTextToText

    path = files.folder / CONFIG
    shape = _shape(config, files.folder)
    if max(shape.layers, shape.vision_depth) > len(files.tensors):
        raise DataError(f"{path}: it has more layers than {files.weights.name} has tensors")
    with foreign_files(str(path)):
        with torch.device("meta"):  # shapes without memory
            built = AutoModelForImageTextToText.from_config(  # type: ignore[no-untyped-call]
                config, trust_remote_code=False
            )
        n_weights = sum(each.numel() for each in built.parameters())
    n_stored = files.n_numbers * (_PACKED if files.is_quantized else 1)
    if n_weights > max(_ROOM * n_stored, _SMALL):
        raise DataError(
            f"{path}: it describes {n_weights:,} weights, and {files.weights.name} holds "
            f"{files.n_numbers:,}"
        )
