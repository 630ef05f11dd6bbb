"""Loads a vision-language model for training: weights, tokenizer, image processor.

The parts are loaded one by one: the stock processors of Qwen2.5-VL and Qwen3-VL need
torchvision for a video processor that is not used here (a clip's frames are pictures).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from pixel_env.errors import ConfigError, unknown_name

from .backbone import Backbone

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
TINY = "tiny"
"""Name of the model that ships with the package."""

BASE_WEIGHTS = Path(__file__).parents[1] / "base_weights"
"""Its folder."""

PROJECTIONS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


@dataclass(frozen=True, slots=True)
class LoraSettings:
    """Low-rank adapters on the language model (Hu et al., arXiv 2106.09685).

    Attributes:
        rank: rank of an adapter, at least 1.
        alpha: an adapter's output is scaled by alpha / rank.
        dropout: share of an adapter's inputs dropped in training, in [0, 1). Over 0,
            log-probabilities in training differ from those recorded while generating.
        projections: names of the language model's linear layers that get one.
    """

    rank: int = 32
    alpha: float = 64.0
    dropout: float = 0.0
    projections: tuple[str, ...] = PROJECTIONS

    def __post_init__(self) -> None:
        """Checks every value.

        Raises:
            ConfigError: a value is out of its range.
        """
        if self.rank < 1:
            raise ConfigError(f"expected a LoRA rank of at least 1, got {self.rank}")
        if not 0 <= self.dropout < 1:
            raise ConfigError(f"expected a LoRA dropout in [0, 1), got {self.dropout}")
        for projection in self.projections:
            if projection not in PROJECTIONS:
                raise unknown_name("a LoRA projection", projection, PROJECTIONS)


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """How a model is loaded.

    Attributes:
        dtype: "float32", "bfloat16" or "float16".
        device: a torch device, such as "cpu" or "cuda:0".
        attention: transformers' attention implementation: "sdpa", "eager" or
            "flash_attention_2" (needs the flash-attn package).
        gradient_checkpointing: recompute layers in the backward pass, to save memory.
        lora: adapters to train instead of the weights; None trains the weights.
    """

    dtype: str = "float32"
    device: str = "cpu"
    attention: str = "sdpa"
    gradient_checkpointing: bool = False
    lora: LoraSettings | None = None

    def __post_init__(self) -> None:
        """Checks the dtype.

        Raises:
            ConfigError: the dtype is not known.
        """
        if self.dtype not in DTYPES:
            raise unknown_name("dtype", self.dtype, DTYPES)


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
        ConfigError: nothing can be loaded under that name (it says what was tried), or the
            model is neither a Qwen2.5-VL nor a Qwen3-VL.
    """
    from transformers import AutoModelForImageTextToText, AutoTokenizer, Qwen2VLImageProcessorPil

    settings = settings or ModelSettings()
    path = str(BASE_WEIGHTS if str(name) == TINY else name)
    try:
        tokenizer = AutoTokenizer.from_pretrained(path)
        image_processor = Qwen2VLImageProcessorPil.from_pretrained(path)
        model = AutoModelForImageTextToText.from_pretrained(
            path, dtype=DTYPES[settings.dtype], attn_implementation=settings.attention
        )
    except (OSError, ValueError, ImportError) as fault:
        raise ConfigError(_not_loaded(name, fault)) from fault
    return LoadedModel(prepared(model, settings), tokenizer, image_processor)


def prepared(model: Any, settings: ModelSettings) -> Any:
    """Returns a bare model as the settings want it trained: on its device, with adapters or not.

    Raises:
        ConfigError: the model is neither a Qwen2.5-VL nor a Qwen3-VL.
    """
    Backbone(model)  # refuses other architectures
    model = use_matrix_patch_embedding(model).to(settings.device)
    if settings.gradient_checkpointing:
        model.gradient_checkpointing_enable({"use_reentrant": False})
    if settings.lora is not None:
        model = add_adapters(model, settings.lora)
    return model


def folder_of(name: str | Path) -> Path | None:
    """Returns where a model's files are: the folder itself, or the hub's cache; None if nowhere."""
    if str(name) == TINY:
        return BASE_WEIGHTS
    if Path(name).is_dir():
        return Path(name)
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(str(name), local_files_only=True))
    except (OSError, ValueError):
        return None


def add_adapters(model: Any, settings: LoraSettings) -> Any:
    """Wraps a model so that only adapters on its language model are trained."""
    from peft import LoraConfig, get_peft_model

    names = "|".join(settings.projections)
    config = LoraConfig(
        r=settings.rank,
        lora_alpha=settings.alpha,  # type: ignore[arg-type]  # annotated int, used as a number
        lora_dropout=settings.dropout,
        target_modules=rf".*language_model\.layers\..*\.({names})",
    )
    return get_peft_model(model, config)


def export(
    parts: LoadedModel, folder: str | Path, weights: Mapping[str, torch.Tensor] | None = None
) -> None:
    """Writes a folder in the hub's layout, as `from_pretrained` and `vlm:PATH` take it.

    Args:
        parts: of adapters the sum with the weights under them is written. They are merged in
            place: the model is not to be trained any more.
        folder: where to.
        weights: instead of the model's own, where it lies spread over processes.
    """
    model = parts.model
    if hasattr(model, "merge_and_unload"):
        model = model.merge_and_unload()
    model.save_pretrained(folder, state_dict=weights)
    parts.tokenizer.save_pretrained(folder)
    parts.image_processor.save_pretrained(folder)


class MatrixPatchEmbed(nn.Module):
    """A patch embedding as one matrix product.

    The stock one is a Conv3d whose kernel covers its whole input: the same numbers at several
    times the cost on a CPU. It keeps the convolution as the holder of the weights, so a
    checkpoint's names stay.
    """

    def __init__(self, proj: nn.Conv3d) -> None:
        super().__init__()
        self.proj = proj

    def forward(self, patches: torch.Tensor) -> torch.Tensor:
        """Embeds (n, channels * temporal * patch * patch) patches; gives (n, hidden)."""
        weight = self.proj.weight.flatten(1)
        return nn.functional.linear(patches.to(weight.dtype), weight, self.proj.bias)


def use_matrix_patch_embedding(model: Any) -> Any:
    """Replaces a model's patch embedding by the faster one, in place; returns the model."""
    visual = Backbone(model).visual
    if not isinstance(visual.patch_embed, MatrixPatchEmbed):
        visual.patch_embed = MatrixPatchEmbed(visual.patch_embed.proj)
    return model


def _not_loaded(name: str | Path, fault: Exception) -> str:
    reason = str(fault).strip().splitlines()[0] if str(fault).strip() else type(fault).__name__
    if Path(name).is_dir():
        return (
            f"expected a model in the hub's layout (config.json, model.safetensors, "
            f"tokenizer.json, preprocessor_config.json) in {name}: {reason}"
        )
    return (
        f"expected a folder with a model, or a name on the hub that is cached or can be reached; "
        f"got {str(name)!r}: {reason} (with a connection: hf download {name})"
    )
