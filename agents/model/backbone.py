"""The parts of a Qwen2.5-VL or Qwen3-VL model, called one by one.

The stock forward runs the vision tower on every picture of every row and guesses positions
from token types. Called in parts, a picture that several rows share is encoded once, positions
are passed, and the output layer runs on the tokens that are asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from pixel_env.errors import ConfigError

from ..tokens.trajectory import EncodedImage
from .files.model_files import MODEL_TYPES
from .tree_attention import Tree, allow_trees


@dataclass(frozen=True, slots=True)
class Features:
    """What the vision tower gives for some pictures, one after the other.

    Attributes:
        tokens: (n_tokens, hidden), put in the place of image tokens.
        deepstack: (n_tokens, hidden) each, added after the first layers of Qwen3-VL.
        offsets: by a picture's identity, the row of its first token.
    """

    tokens: torch.Tensor
    deepstack: tuple[torch.Tensor, ...]
    offsets: dict[int, int]

    def rows(self, images: Sequence[EncodedImage]) -> torch.Tensor:
        """Returns the rows of these pictures' tokens, in order, (n,) int64."""
        spans = [(self.offsets[id(image)], image.n_tokens) for image in images]
        index = [np.arange(first, first + n) for first, n in spans]
        return torch.from_numpy(np.concatenate(index)).to(self.tokens.device)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Tokens for one forward pass, rows padded behind.

    Attributes:
        ids: (rows, length) int64.
        positions: (3, rows, length) int64.
        real: (rows, length) bool, False on padding.
        images: the pictures of all rows, row by row, in reading order.
        is_image: (rows, length) bool, True on image tokens; needed where there are pictures.
    """

    ids: torch.Tensor
    positions: torch.Tensor
    real: torch.Tensor
    images: tuple[EncodedImage, ...] = ()
    is_image: torch.Tensor | None = None


class Backbone:
    """A model's vision tower, language model and output layer.

    Attributes:
        model: the model without the wrappers of peft and of parallel training.
        visual: the vision tower.
        vocab_size: how many rows the output layer has.
        n_layers: how many layers the language model has.
        packs: whether it can read a `Tree` of rollouts in one row.
    """

    def __init__(self, model: Any) -> None:
        """Finds the parts.

        Raises:
            ConfigError: the model is of another architecture.
        """
        self.model = _unwrap(model)
        base: Any = getattr(self.model, "model", None)
        # Others have parts of these names too (Qwen3.5), and layers that this can't run.
        kind = getattr(getattr(self.model, "config", None), "model_type", None)
        if kind not in MODEL_TYPES or not hasattr(base, "visual"):
            raise ConfigError(
                "expected a Qwen2.5-VL or Qwen3-VL model for conditional generation, "
                f"got {type(self.model).__name__}"
            )
        self.visual = base.visual
        self._language = base.language_model
        self.vocab_size = int(self.model.config.text_config.vocab_size)
        self.n_layers = int(self.model.config.text_config.num_hidden_layers)
        self.packs = allow_trees(self._language.config)

    @property
    def device(self) -> torch.device:
        """Where the token embedding lies."""
        device: torch.device = self._language.embed_tokens.weight.device
        return device

    @property
    def blocks(self) -> list[torch.nn.Module]:
        """The layers of the vision tower, then those of the language model."""
        return [*self.visual.blocks, *self._language.layers]

    def see(
        self, images: Sequence[EncodedImage], patches: torch.Tensor | None = None
    ) -> Features | None:
        """Runs the vision tower once on each different picture; None where there are none.

        Args:
            images: in any order, also the same one several times.
            patches: those of the different pictures, one after the other in the order of their
                first places, where they are at hand as a tensor; the pictures' own are not read.
        """
        unique = list({id(image): image for image in images}.values())
        if not unique:
            return None
        if patches is None:
            patches = torch.from_numpy(np.concatenate([image.patches for image in unique]))
        grids = torch.tensor([image.grid for image in unique], device=self.device)
        seen = self.visual(patches.to(device=self.device, dtype=self.visual.dtype), grid_thw=grids)
        ends = np.cumsum([0, *(image.n_tokens for image in unique)])
        offsets = {id(image): int(end) for image, end in zip(unique, ends[:-1], strict=True)}
        deepstack = tuple(getattr(seen, "deepstack_features", None) or ())
        return Features(seen.pooler_output, deepstack, offsets)

    def read(
        self,
        stretch: Stretch,
        features: Features | None = None,
        mask: torch.Tensor | None = None,
        kv: Any = None,
        tree: Tree | None = None,
    ) -> torch.Tensor:
        """Runs the language model over new tokens.

        Args:
            stretch: the new tokens.
            features: what the vision tower gave, for at least the stretch's pictures.
            mask: (rows, cached + length) bool, True where a token may be attended to; the
                stretch's own padding mask where nothing is cached.
            kv: a cache, which is read and appended to; None for a pass without one.
            tree: which of the one row's tokens each of them reads, in place of a mask and a cache.

        Returns:
            The last hidden states, (rows, length, hidden).
        """
        embedded = self._language.embed_tokens(stretch.ids)
        extra: dict[str, Any] = {}
        if stretch.images and features is not None and stretch.is_image is not None:
            rows = features.rows(stretch.images)
            place = stretch.is_image[..., None].expand_as(embedded)
            embedded = embedded.masked_scatter(place, features.tokens[rows].to(embedded.dtype))
            if features.deepstack:
                extra["visual_pos_masks"] = stretch.is_image
                extra["deepstack_visual_embeds"] = [level[rows] for level in features.deepstack]
        if tree is not None:
            extra["tree"] = tree
        elif mask is None:
            mask = stretch.real
        out = self._language(
            inputs_embeds=embedded,
            position_ids=stretch.positions,
            attention_mask=mask,
            past_key_values=kv,
            use_cache=kv is not None,
            **extra,
        )
        hidden: torch.Tensor = out.last_hidden_state
        return hidden

    def logits(self, hidden: torch.Tensor) -> torch.Tensor:
        """Runs the output layer on (..., hidden); gives (..., vocab) float32."""
        logits: torch.Tensor = self.model.lm_head(hidden)
        return logits.float()


def log_probabilities(
    logits: torch.Tensor, forbidden: torch.Tensor, temperature: float
) -> torch.Tensor:
    """Returns log-probabilities of the tokens that may be sampled, the same in every use.

    Args:
        logits: (n, vocab) float32.
        forbidden: (vocab,) bool, tokens that can't be sampled: they get probability 0.
        temperature: positive; divides the logits.
    """
    lowest = torch.finfo(logits.dtype).min
    return (logits / temperature).masked_fill(forbidden, lowest).log_softmax(-1)


def _unwrap(model: Any) -> Any:
    while isinstance(getattr(model, "module", None), torch.nn.Module):
        model = model.module
    return model.get_base_model() if hasattr(model, "peft_config") else model
