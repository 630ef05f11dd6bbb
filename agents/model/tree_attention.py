"""Attention over rollouts that share what they begin with: one row of tokens, each once.

The row holds stretches of tokens; each reads the stretches before it in its own conversation, then
itself. So a group's prompt is computed once, nothing is padded, and layers may be recomputed in
the backward pass, as there is no cache: keys and values are of the layer that is at work.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from torch.nn.functional import scaled_dot_product_attention
from transformers.masking_utils import ALL_MASK_ATTENTION_FUNCTIONS
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

_PREFIX = "tree_"
_BASES = ("sdpa", "eager")
"""What can be extended; flash-attn's functions read their own name in the config."""

_MOST_ALONE = 2**17
"""Products of a query and a key up to which a stretch is a short one."""

_MOST_PADDED = 1.3
"""How many products short stretches may compute together, as a multiple of what they need."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of the row that no conversation branches off within.

    Attributes:
        start: its first column in the row, from 0.
        stop: the column after its last.
        before: (start, stop) of the stretches that it follows, in their order in the conversation.
    """

    start: int
    stop: int
    before: tuple[tuple[int, int], ...] = ()

    def __len__(self) -> int:
        return self.stop - self.start

    @property
    def n_keys(self) -> int:
        """How many tokens its last token reads, itself included."""
        return sum(stop - start for start, stop in self.before) + len(self)


class Tree:
    """The stretches of a row, which cover it in order without a gap.

    Long stretches attend one by one. Short ones attend together, padded to each other, for a
    kernel that is started for each of many short ones takes longer than what is computed in vain.
    """

    def __init__(self, segments: tuple[Segment, ...], device: torch.device) -> None:
        """Makes masks and indices, once for all layers."""
        self.segments = segments
        groups = _groups(segments)
        self._blocks = [
            _Alone(each[0], device) if len(each) == 1 else _Together(each, device)
            for each in groups
        ]
        columns = np.concatenate([np.arange(s.start, s.stop) for each in groups for s in each])
        is_in_order = bool((columns[1:] > columns[:-1]).all())
        self._order = None if is_in_order else torch.from_numpy(np.argsort(columns)).to(device)

    def __call__(
        self,
        query: torch.Tensor,
        key: torch.Tensor,
        value: torch.Tensor,
        dropout: float = 0.0,
        scaling: float | None = None,
    ) -> torch.Tensor:
        """Attends from each token to those before it in its conversation.

        Args:
            query: (1, heads, length, head size).
            key: (1, key heads, length, head size); their number divides that of the heads.
            value: as `key`.
            dropout: the share of weights that is left out.
            scaling: of the products; None for 1 / sqrt(head size).

        Returns:
            (1, length, heads, head size).
        """
        parts = [block(query, key, value, dropout, scaling) for block in self._blocks]
        attended = torch.cat(parts, dim=2)
        if self._order is not None:
            attended = attended.index_select(2, self._order)
        return attended.transpose(1, 2)


class _Alone:
    """One stretch; what it reads is put together from slices of the row."""

    def __init__(self, segment: Segment, device: torch.device) -> None:
        self._start, self._stop = segment.start, segment.stop
        self._spans = [*segment.before, (segment.start, segment.stop)]
        self._mask = None
        if segment.before:
            shape, n_before = (len(segment), segment.n_keys), segment.n_keys - len(segment)
            self._mask = torch.ones(shape, dtype=torch.bool, device=device).tril(n_before)

    def __call__(
        self,
        query: torch.Tensor,
        key: torch.Tensor,
        value: torch.Tensor,
        dropout: float,
        scaling: float | None,
    ) -> torch.Tensor:
        """Returns (1, heads, length of the stretch, head size)."""
        own = query[:, :, self._start : self._stop]
        return _attended(own, self._read(key), self._read(value), self._mask, dropout, scaling)

    def _read(self, values: torch.Tensor) -> torch.Tensor:
        parts = [values[:, :, start:stop] for start, stop in self._spans]
        return parts[0] if len(parts) == 1 else torch.cat(parts, dim=2)


class _Together:
    """Several stretches, padded in front to the longest one and to the most tokens read."""

    def __init__(self, segments: Sequence[Segment], device: torch.device) -> None:
        most, most_keys = max(map(len, segments)), max(each.n_keys for each in segments)
        self._count = len(segments)
        queries = np.zeros((len(segments), most), np.int64)
        keys = np.zeros((len(segments), most_keys), np.int64)
        mask = np.zeros((len(segments), most, most_keys), np.bool_)
        is_real = np.zeros(queries.shape, np.bool_)
        for row, each in enumerate(segments):
            spans = (*each.before, (each.start, each.stop))
            read = np.concatenate([np.arange(*span) for span in spans])
            queries[row, most - len(each) :] = read[len(read) - len(each) :]
            keys[row, most_keys - len(read) :] = read
            is_real[row, most - len(each) :] = True
            # With padding in front the last query reads the last key in every row.
            mask[row] = np.tri(most, most_keys, most_keys - most, dtype=np.bool_)
            mask[row, :, : most_keys - len(read)] = False
            mask[row, : most - len(each), -1] = True  # padding reads something, or gives NaN
        flat = (queries.reshape(-1), keys.reshape(-1), np.flatnonzero(is_real))
        self._queries, self._keys, self._real = (torch.from_numpy(n).to(device) for n in flat)
        self._mask = torch.from_numpy(mask)[:, None].to(device)

    def __call__(
        self,
        query: torch.Tensor,
        key: torch.Tensor,
        value: torch.Tensor,
        dropout: float,
        scaling: float | None,
    ) -> torch.Tensor:
        """Returns (1, heads, length of all stretches, head size)."""
        own, read = self._rows(query, self._queries), self._rows(key, self._keys)
        given = self._rows(value, self._keys)
        attended = _attended(own, read, given, self._mask, dropout, scaling)
        return attended.transpose(0, 1).flatten(1, 2).index_select(1, self._real)[None]

    def _rows(self, values: torch.Tensor, columns: torch.Tensor) -> torch.Tensor:
        """Returns (count, heads, columns a row, head size)."""
        heads, _, size = values.shape[1:]
        taken = values[0].index_select(1, columns)
        return taken.view(heads, self._count, -1, size).transpose(0, 1)


def _attended(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    mask: torch.Tensor | None,
    dropout: float,
    scaling: float | None,
) -> torch.Tensor:
    """Returns softmax attention, (rows, heads, queries, head size); causal without a mask.

    Args:
        query: (rows, heads, queries, head size).
        key: (rows, key heads, keys, head size).
        value: as `key`.
        mask: (..., queries, keys) bool, True where a query reads a key.
        dropout: the share of weights that is left out.
        scaling: of the products; None for 1 / sqrt(head size).
    """
    n_repeats = query.shape[1] // key.shape[1]
    return scaled_dot_product_attention(
        query,
        key.repeat_interleave(n_repeats, 1),
        value.repeat_interleave(n_repeats, 1),
        attn_mask=mask,
        dropout_p=dropout,
        is_causal=mask is None,
        scale=scaling,
    )


def _groups(segments: Sequence[Segment]) -> list[list[Segment]]:
    """Divides stretches into those that attend together, long ones first."""
    ordered = sorted(segments, key=lambda each: (-each.n_keys, -len(each), each.start))
    groups: list[list[Segment]] = []
    needed = 0
    for each in ordered:
        own = len(each) * each.n_keys
        if groups and own <= _MOST_ALONE:
            group = [*groups[-1], each]
            padded = len(group) * max(map(len, group)) * group[0].n_keys
            if padded <= _MOST_PADDED * (needed + own):
                groups[-1], needed = group, needed + own
                continue
        groups.append([each])
        needed = own
    return groups


def allow_trees(config: Any) -> bool:
    """Lets a language model's attention take a `Tree`, by the keyword `tree`.

    Without a tree the model attends as before.

    Args:
        config: of the language model; the name of its attention changes.

    Returns:
        Whether the attention can be extended: "sdpa" and "eager" can.
    """
    base = config._attn_implementation or "eager"
    if base.startswith(_PREFIX):
        return True
    kinds = set(getattr(config, "layer_types", None) or ())
    if base not in _BASES or kinds - {
        "full_attention"
    }:  # windows and recurrent layers can't branch
        return False
    ALL_ATTENTION_FUNCTIONS.register(_PREFIX + base, partial(_attend, base))
    ALL_MASK_ATTENTION_FUNCTIONS.register(_PREFIX + base, ALL_MASK_ATTENTION_FUNCTIONS[base])
    config._attn_implementation = _PREFIX + base
    return True


def _attend(
    base: str,
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    *,
    tree: Tree | None = None,
    **settings: Any,
) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Is an attention function of transformers."""
    if tree is not None:
        dropout, scaling = settings.get("dropout", 0.0), settings.get("scaling")
        return tree(query, key, value, dropout, scaling), None
    functions: Mapping[str, Callable[..., Any]] = ALL_ATTENTION_FUNCTIONS
    # Each model's file has an `eager` of its own.
    own = vars(sys.modules[type(module).__module__]).get("eager_attention_forward")
    attend = functions.get(base, own)
    assert attend is not None
    out: tuple[torch.Tensor, torch.Tensor | None] = attend(
        module, query, key, value, attention_mask, **settings
    )
    return out
