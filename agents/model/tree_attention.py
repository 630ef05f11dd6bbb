"""Attention over rollouts that share what they begin with: one row of tokens, each once.

The row holds stretches of tokens; each reads the stretches before it in its own conversation, then
itself. So a group's prompt is computed once, nothing is padded, and layers may be recomputed in
the backward pass, as there is no cache: keys and values are of the layer that is at work.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch.nn.functional import scaled_dot_product_attention
from transformers.masking_utils import ALL_MASK_ATTENTION_FUNCTIONS
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

_PREFIX = "tree_"
_BASES = ("sdpa", "eager")
"""What can be extended; flash-attn's functions read their own name in the config."""


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
    """The stretches of a row, which cover it in order without a gap."""

    def __init__(self, segments: tuple[Segment, ...], device: torch.device) -> None:
        """Makes the masks, once for all layers."""
        self.segments = segments
        self._masks: dict[int, torch.Tensor] = {
            number: torch.ones(len(each), each.n_keys, dtype=torch.bool, device=device).tril(
                each.n_keys - len(each)
            )
            for number, each in enumerate(segments)
            if each.before
        }

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
        n_repeats = query.shape[1] // key.shape[1]
        key, value = (each.repeat_interleave(n_repeats, 1) for each in (key, value))
        attended = []
        for number, segment in enumerate(self.segments):
            spans = [*segment.before, (segment.start, segment.stop)]
            mask = self._masks.get(number)
            attended.append(
                scaled_dot_product_attention(
                    query[:, :, segment.start : segment.stop],
                    _columns(key, spans),
                    _columns(value, spans),
                    attn_mask=mask,
                    dropout_p=dropout,
                    is_causal=mask is None,
                    scale=scaling,
                )
            )
        return torch.cat(attended, dim=2).transpose(1, 2)


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
    if base not in _BASES or "sliding_attention" in (getattr(config, "layer_types", None) or ()):
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


def _columns(values: torch.Tensor, spans: list[tuple[int, int]]) -> torch.Tensor:
    """Returns these spans of columns of (1, heads, length, head size), one after the other."""
    parts = [values[:, :, start:stop] for start, stop in spans]
    return parts[0] if len(parts) == 1 else torch.cat(parts, dim=2)
