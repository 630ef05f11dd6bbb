"""Adapters whose weights have 32 bits and whose products are as wide as the model's own."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn.functional import linear


class AdapterMatrix(nn.Linear):
    """A matrix of an adapter: kept in its own dtype, multiplied in that of its input.

    Optimizers add small steps to it, which 16 bits would round away. But peft widens the inputs of
    every adapted layer to the adapter's 32 bits too: on a GPU the products of rank 32 then take
    about as long as those of the model, which have a hundred times the operations.
    """

    def forward(self, input: torch.Tensor) -> torch.Tensor:  # as nn.Linear calls it
        """Multiplies (..., inputs); gives (..., outputs) in the same dtype."""
        bias = None if self.bias is None else self.bias.to(input.dtype)
        return linear(input, self.weight.to(input.dtype), bias)


def compute_in_dtype_of_input(model: Any) -> Any:
    """Lets the adapters of a peft model compute in the dtype of their inputs; returns the model."""
    from peft.tuners.lora import LoraLayer

    for layer in model.modules():
        if isinstance(layer, LoraLayer):
            layer.cast_input_dtype_enabled = False
            for matrix in (*layer.lora_A.values(), *layer.lora_B.values()):
                if type(matrix) is nn.Linear:
                    matrix.__class__ = AdapterMatrix
    return model
