"""Weights and optimizer states on disk; of spread weights, whole tensors in the first process."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, load_model, save_file, save_model

from pixel_env.errors import ConfigError
from pixel_env.media.files import open_regular

from ...model.files.border import foreign_files
from ...model.files.safetensors_headers import read_header
from ..placement import ALONE, Placement

_WEIGHTS, _ADAPTER = "model.safetensors", "adapter.safetensors"
WEIGHT_FILES = (_WEIGHTS, _ADAPTER)
"""The files of a checkpoint that a policy is made of; it holds one of them."""


def save_weights(folder: Path, model: Any, whole: dict[str, Any] | None = None) -> None:
    """Writes an adapter, or the whole model with tied weights once.

    Args:
        folder: where to.
        model: the model.
        whole: what `Placement.whole_state_dict` gave.
    """
    module = _unwrapped(model)
    if whole is not None:
        save_file({name: w.contiguous().clone() for name, w in whole.items()}, folder / _WEIGHTS)
    elif hasattr(module, "peft_config"):
        from peft import get_peft_model_state_dict

        adapter = get_peft_model_state_dict(module)
        save_file({name: w.detach().contiguous() for name, w in adapter.items()}, folder / _ADAPTER)
    else:
        save_model(module, str(folder / _WEIGHTS))


def load_tensors(path: Path) -> dict[str, torch.Tensor]:
    """Reads a safetensors file.

    Raises:
        DataError: it is damaged; the message names it.
    """
    read_header(path)
    with foreign_files(str(path)):
        return load_file(path)


def load_weights(path: Path, model: Any, placement: Placement = ALONE) -> None:
    """Puts a checkpoint's weights, or its adapter, into a model, and nothing else.

    Args:
        path: the checkpoint's folder.
        model: the model.
        placement: where it is trained; where its weights are spread, all processes must call.

    Raises:
        ConfigError: the weights are of another model.
        DataError: their file is damaged.
    """
    module = _unwrapped(model)
    has_adapter = (path / _ADAPTER).is_file()
    if has_adapter != hasattr(module, "peft_config"):
        got = "none" if has_adapter else "one"
        raise ConfigError(
            f"{path} holds {'an adapter' if has_adapter else 'no adapter'}, the model has {got}"
        )
    try:
        if has_adapter:
            from peft import set_peft_model_state_dict

            result: Any = set_peft_model_state_dict(module, load_tensors(path / _ADAPTER))
            if result.unexpected_keys:
                raise RuntimeError(f"it has no {result.unexpected_keys[0]}")
        elif placement.sharding:
            is_first = placement.processes.is_first
            placement.sharding.load_state_dict(load_tensors(path / _WEIGHTS) if is_first else {})
        else:
            read_header(path / _WEIGHTS)
            load_model(module, path / _WEIGHTS)
    except RuntimeError as fault:
        raise ConfigError(f"{path} holds the weights of another model: {fault}") from fault


def load_optimizer(
    path: Path, optimizer: torch.optim.Optimizer, placement: Placement = ALONE
) -> None:
    """Puts back what `Placement.optimizer_state_dict` gave and `torch.save` wrote.

    Raises:
        ConfigError: there is no such file, or it is the state of another optimizer.
        DataError: the file is damaged.
    """
    if not path.is_file():
        raise ConfigError(f"{path.parent} was saved without an optimizer")
    sharding = placement.sharding
    state: Any = {}
    if sharding is None or placement.processes.is_first:
        with foreign_files(str(path)), open_regular(path) as file:
            state = torch.load(file, map_location="cpu", weights_only=True)
    try:
        if sharding is not None:
            sharding.load_optimizer_state_dict(optimizer, state)
        else:
            optimizer.load_state_dict(state)
    except (ValueError, KeyError, TypeError, AttributeError) as fault:
        raise ConfigError(f"{path} is the state of another optimizer: {fault}") from fault


def _unwrapped(model: Any) -> Any:
    """Takes off the wrappers of parallel training, but not peft's."""
    while isinstance(getattr(model, "module", None), torch.nn.Module):
        model = model.module
    return model
