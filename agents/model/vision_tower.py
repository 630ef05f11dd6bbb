"""A vision tower's slow parts in faster forms: the same numbers, under the same names of weights.

A tower attends within a picture, in most layers within windows of it. The stock code starts the
kernels anew for every window: for a photograph that is hundreds of calls a layer, each of a few
microseconds of work, and on a GPU the starts are all that takes time. Windows are of a handful of
lengths, so a layer needs one call for each length.
"""

from __future__ import annotations

import weakref
from itertools import pairwise
from typing import Any

import torch
from torch import nn
from torch.nn.functional import scaled_dot_product_attention
from transformers.models.qwen2_5_vl.modeling_qwen2_5_vl import apply_rotary_pos_emb_vision

from .backbone import Backbone

_KERNEL = "sdpa"
"""The implementation that is replaced; flash-attn's takes stretches of any lengths as it is."""


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


class Stretches:
    """The stretches of a row of patches, sorted by length.

    Attributes:
        groups: of each length, (rows of the patches, stretches, patches of each); the rows are
            None where the stretches lie in one piece, in their order.
        order: where the patches of all groups, one after the other, belong; None for in order.
    """

    def __init__(self, ends: torch.Tensor) -> None:
        """Takes the stretches' limits, (n + 1,) of integers, from 0 on."""
        limits = ends.tolist()
        by_length: dict[int, list[int]] = {}
        for start, stop in pairwise(limits):
            if stop > start:
                by_length.setdefault(stop - start, []).append(start)
        self.groups: list[tuple[torch.Tensor | None, int, int]] = []
        self.order: torch.Tensor | None = None
        if len(by_length) == 1:
            ((length, starts),) = by_length.items()
            self.groups.append((None, len(starts), length))
            return
        rows = []
        for length, starts in by_length.items():
            first = torch.tensor(starts, device=ends.device)
            row = (first[:, None] + torch.arange(length, device=ends.device)).flatten()
            rows.append(row)
            self.groups.append((row, len(starts), length))
        if rows:
            self.order = torch.cat(rows).argsort()


class StretchAttention(nn.Module):
    """The attention of one layer of a Qwen tower, with its weights and its names."""

    def __init__(self, stock: Any, known: KnownStretches) -> None:
        super().__init__()
        self.qkv = stock.qkv
        self.proj = stock.proj
        self._heads = int(stock.num_heads)
        self._known = known
        self.train(stock.training)

    def forward(
        self,
        hidden_states: torch.Tensor,
        cu_seqlens: torch.Tensor,
        position_embeddings: tuple[torch.Tensor, torch.Tensor],
        **_: Any,
    ) -> torch.Tensor:
        """Attends within each stretch; takes what the stock layer takes.

        Args:
            hidden_states: (patches, width).
            cu_seqlens: (stretches + 1,) limits of the stretches.
            position_embeddings: cosines and sines, (patches, head size) each.

        Returns:
            (patches, width).
        """
        n = len(hidden_states)
        parts = self.qkv(hidden_states).reshape(n, 3, self._heads, -1).unbind(1)
        query, key = _rotated(parts[0], parts[1], *position_embeddings)
        stretches = self._known(cu_seqlens)
        attended = [
            _attend(query, key, parts[2], rows, count, length)
            for rows, count, length in stretches.groups
        ]
        together = torch.cat(attended) if len(attended) > 1 else attended[0]
        if stretches.order is not None:
            together = together.index_select(0, stretches.order)
        projected: torch.Tensor = self.proj(together)
        return projected


class KnownStretches:
    """Sorts the stretches of a pass once, not in every layer: that would wait for the device."""

    def __init__(self) -> None:
        self._known: list[tuple[weakref.ref[torch.Tensor], Stretches]] = []

    def __call__(self, ends: torch.Tensor) -> Stretches:
        """Returns the stretches with these limits.

        A pass has one tensor of windows and one of pictures, and nothing writes into them.
        """
        for made_of, stretches in self._known:
            if made_of() is ends:
                return stretches
        stretches = Stretches(ends)
        self._known = [(weakref.ref(ends), stretches), *self._known[:1]]
        return stretches


def use_fast_tower(model: Any) -> Any:
    """Replaces the patch embedding and the attention of a model's tower, in place; returns it.

    The attention stays where it computes with another implementation than `sdpa`.

    Raises:
        ConfigError: the model is neither a Qwen2.5-VL nor a Qwen3-VL.
    """
    visual = Backbone(model).visual
    if not isinstance(visual.patch_embed, MatrixPatchEmbed):
        visual.patch_embed = MatrixPatchEmbed(visual.patch_embed.proj)
    known = KnownStretches()
    for block in visual.blocks if visual.config._attn_implementation == _KERNEL else ():
        if not isinstance(block.attn, StretchAttention):
            block.attn = StretchAttention(block.attn, known)
    return model


def _attend(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    rows: torch.Tensor | None,
    count: int,
    length: int,
) -> torch.Tensor:
    """Returns (count * length, width) of the stretches of one length."""

    def batched(values: torch.Tensor) -> torch.Tensor:
        """Returns (count, heads, length, head size)."""
        chosen = values if rows is None else values[rows]
        return chosen.view(count, length, *values.shape[1:]).transpose(1, 2)

    attended = scaled_dot_product_attention(batched(query), batched(key), batched(value))
    return attended.transpose(1, 2).reshape(count * length, -1)


def _rotated(
    query: torch.Tensor, key: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Turns queries and keys, (patches, heads, head size), by their places, in float32."""
    return apply_rotary_pos_emb_vision(query, key, cos, sin)
