"""Loads a vision-language model for training: weights, tokenizer, image processor.

The parts are loaded one by one: the stock processors of Qwen2.5-VL and Qwen3-VL need
torchvision for a video processor that is not used here (a clip's frames are pictures).
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from pixel_env.files.whole_folder import whole_folder

from ..tokens.serving import write_serving_files
from .adapters import compute_in_dtype_of_input
from .device import checked_device
from .files.model_files import check_files
from .fit import check_fit
from .folders import check_model, fetched_folder
from .pretrained import load_image_processor, load_model, load_tokenizer
from .settings import DTYPE_NAMES, LoraSettings, ModelSettings
from .trained_with import TrainedWith
from .vision_tower import use_fast_tower

DTYPES: dict[str, torch.dtype] = {name: getattr(torch, name) for name in DTYPE_NAMES}


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model with what turns text and pictures into its inputs.

    Attributes:
        model: the model, wrapped by peft where adapters were asked for.
        tokenizer: its tokenizer.
        image_processor: a Qwen2-VL image processor with the model's patch sizes.
    """

    model: Any
    tokenizer: Any
    image_processor: Any


def load(name: str | Path, settings: ModelSettings | None = None) -> LoadedModel:
    """Loads a folder in the hub's layout, or a model by its name on the hub.

    Args:
        name: a folder, a name such as "Qwen/Qwen2.5-VL-7B-Instruct", or "tiny".
        settings: dtype, device and so on; the defaults where None.

    Raises:
        ConfigError: nothing can be loaded under that name (it names what was tried), or the
            model is neither a Qwen2.5-VL nor a Qwen3-VL.
        DataError: a file of the model is damaged; the message names it.
    """
    settings = settings or ModelSettings()
    checked_device(settings.device)
    check_model(name)
    files = check_files(fetched_folder(name))
    tokenizer = load_tokenizer(files.folder)
    image_processor = load_image_processor(files.folder)
    model = load_model(files, DTYPES[settings.dtype], settings.attention)
    parts = LoadedModel(prepared(model, settings), tokenizer, image_processor)
    check_fit(files.folder, parts.model, tokenizer, image_processor)
    return parts


def load_tools(name: str | Path) -> tuple[Any, Any]:
    """Returns the tokenizer and the image processor of a model that is loaded elsewhere.

    Raises:
        ConfigError: there is no such model.
        DataError: a file of the model is damaged; the message names it.
    """
    check_model(name)
    files = check_files(fetched_folder(name))
    return load_tokenizer(files.folder), load_image_processor(files.folder)


def prepared(model: Any, settings: ModelSettings) -> Any:
    """Returns a bare model as the settings want it trained: on its device, with adapters or not.

    Raises:
        ConfigError: the model is neither a Qwen2.5-VL nor a Qwen3-VL.
    """
    model = use_fast_tower(model).to(checked_device(settings.device))
    if settings.gradient_checkpointing:
        recompute_layers(model)
    if settings.lora.rank:
        model = add_adapters(model, settings.lora)
    return model


def recompute_layers(model: Any) -> None:
    """Makes the backward pass compute layers again instead of keeping what they computed.

    transformers renames this: the old name warns where the new one is there, and goes with v6.
    """
    enable = getattr(model, "activation_checkpointing_enable", None)
    (enable or model.gradient_checkpointing_enable)({"use_reentrant": False})


def add_adapters(model: Any, settings: LoraSettings) -> Any:
    """Wraps a model so that only adapters on its language model are trained."""
    from peft import LoraConfig, get_peft_model

    names = "|".join(settings.projections)
    config = LoraConfig(
        r=settings.rank,
        lora_alpha=settings.scale,  # type: ignore[arg-type]  # annotated int, used as a number
        lora_dropout=settings.dropout,
        target_modules=rf".*language_model\.layers\..*\.({names})",
    )
    with warnings.catch_warnings():  # peft asks the model by a name that transformers gives up
        warnings.filterwarnings("ignore", "`is_gradient_checkpointing`", FutureWarning)
        return compute_in_dtype_of_input(get_peft_model(model, config))


def export(
    parts: LoadedModel,
    folder: str | Path,
    weights: Mapping[str, torch.Tensor] | None = None,
    trained_with: TrainedWith | None = None,
) -> None:
    """Writes a folder in the hub's layout, as `from_pretrained`, `vlm:PATH` and servers take it.

    Args:
        parts: of adapters the sum with the weights under them is written. They are merged in
            place: the model is not to be trained any more.
        folder: where to; a new one appears whole, in another each file is replaced whole.
        weights: instead of the model's own, where it lies spread over processes.
        trained_with: written beside them.
    """
    model = parts.model
    if hasattr(model, "merge_and_unload"):
        model = model.merge_and_unload()
    with whole_folder(Path(folder)) as writing:
        model.save_pretrained(writing, state_dict=weights)
        parts.tokenizer.save_pretrained(writing)
        parts.image_processor.save_pretrained(writing)
        write_serving_files(writing, model.config.model_type)
        if trained_with is not None:
            trained_with.write(writing)
