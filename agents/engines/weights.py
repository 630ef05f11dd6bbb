"""The weights of a trained model as an engine takes them: by their names in a checkpoint."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch

from ..model.backbone import Backbone


@torch.no_grad()
def named_weights(model: Any) -> Iterator[tuple[str, torch.Tensor]]:
    """Yields each weight once, under the name that it has in a checkpoint.

    Adapters are added to the weights under them, one layer at a time and in new memory: merging in
    place and taking back would leave rounding errors in bfloat16 weights, update after update.

    Args:
        model: a Qwen2.5-VL or Qwen3-VL model, bare or wrapped by peft, whose weights are all here.
    """
    adapted = ""
    seen: set[int] = set()
    for path, module in Backbone(model).model.named_modules():
        if adapted and path.startswith(adapted):
            continue  # the parts of an adapted layer, which was yielded whole
        adapted = ""
        if hasattr(module, "get_delta_weight"):
            adapted = f"{path}."
            yield from _merged(path, module)
            continue
        for name, weight in module.named_parameters(recurse=False):
            if id(weight) not in seen:  # an output layer may share the embedding's
                seen.add(id(weight))
                yield f"{path}.{name}", weight.detach()


def _merged(path: str, layer: Any) -> Iterator[tuple[str, torch.Tensor]]:
    """Yields the weights of an adapted linear layer, adapters added."""
    weight = layer.base_layer.weight.detach()
    total = weight.float()
    for adapter in layer.active_adapters:
        total = total + layer.get_delta_weight(adapter).float()
    yield f"{path}.weight", total.to(weight.dtype)
    if layer.base_layer.bias is not None:
        yield f"{path}.bias", layer.base_layer.bias.detach()
