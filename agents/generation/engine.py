"""Token-in, token-out generation over many lanes, with keys and values kept in a cache.

A lane gets observations and gives messages. Its tokens are never encoded again: a turn feeds the
last sampled token and the new piece, then samples. Lanes that begin with the same observation
share one prefill. Nothing here calls `generate`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ..model.backbone import Backbone, Stretch, log_probabilities
from ..model.positions import Positions
from ..model.scoring import pad_rows
from ..tokens.encoder import Encoder
from ..tokens.trajectory import EncodedImage, Ids
from .cache import LaneCache
from .config import GenerationConfig

FEWEST_ROWS = 8
"""Below this many rows a decoding step costs the same, so finished rows are kept in it."""


@dataclass(frozen=True, slots=True, eq=False)
class Fresh:
    """What one row has not read yet.

    Attributes:
        ids: (length,) int64, at least one.
        positions: (3, length) int64.
        images: the pictures in it, in reading order.
    """

    ids: Ids
    positions: Positions
    images: tuple[EncodedImage, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Start:
    """Where each row's message starts, and what its sampling may use.

    Attributes:
        positions: (rows,) int64, the position that the message's first token gets.
        limits: (rows,) int64, how many tokens the message may have, at least 1.
        uniform: (rows, steps) float64 in [0, 1), one random number a token.
    """

    positions: Ids
    limits: Ids
    uniform: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Responses:
    """One message of each of some rows.

    Attributes:
        ids: each row's tokens, (length,) int64.
        logprobs: each row's log-probabilities, (length,) float32.
        caches: the rows' keys and values now, under their lanes' names: rows that finish early
            are put aside. The last token of each message is not in them yet.
    """

    ids: list[Ids]
    logprobs: list[NDArray[np.float32]]
    caches: list[LaneCache]


class Engine:
    """A model that continues the prompts of many rows at once.

    Attributes:
        encoder: turns observations into tokens and tokens into text.
        config: how messages are sampled.
    """

    def __init__(
        self, model: Any, encoder: Encoder, config: GenerationConfig | None = None
    ) -> None:
        """Takes a Qwen2.5-VL or Qwen3-VL model, bare or wrapped by peft.

        Raises:
            ConfigError: the model is of another architecture.
        """
        self.encoder = encoder
        self.config = config or GenerationConfig()
        self._backbone = Backbone(model)
        forbidden = encoder.forbidden_mask(self._backbone.vocab_size)
        self._last_id = int((~forbidden).nonzero()[-1])
        self._forbidden = forbidden.to(self._backbone.device)

    @contextmanager
    def generating(self) -> Iterator[None]:
        """Turns gradients and dropout off, and gradient checkpointing with them."""
        model = self._backbone.model
        was_training = model.training
        model.eval()
        try:
            with torch.no_grad():
                yield
        finally:
            model.train(was_training)

    def feed(self, cache: LaneCache, fresh: Sequence[Fresh]) -> torch.Tensor:
        """Appends new tokens to each row of a cache; returns the last state, (rows, hidden)."""
        device = self._backbone.device
        lengths = [len(row.ids) for row in fresh]
        positions = np.zeros((3, len(fresh), max(lengths)), np.int64)
        for number, row in enumerate(fresh):
            positions[:, number, : lengths[number]] = row.positions
        ids = pad_rows([row.ids for row in fresh], device)
        stretch = Stretch(
            ids,
            torch.from_numpy(positions).to(device),
            pad_rows([np.ones(n, np.bool_) for n in lengths], device),
            tuple(image for row in fresh for image in row.images),
            ids == self.encoder.image_id,
        )
        cache.valid = torch.cat([cache.valid, stretch.real], dim=1)
        seen = self._backbone.see(stretch.images)
        hidden = self._backbone.read(stretch, seen, cache.valid, cache.kv)
        rows = torch.arange(len(fresh), device=device)
        return hidden[rows, torch.tensor(lengths, device=device) - 1]

    def new_cache(self, lanes: Sequence[int]) -> LaneCache:
        """Returns an empty cache for these lanes."""
        return LaneCache.empty(lanes, self._backbone.n_layers, self._backbone.device)

    def sample(
        self, hidden: torch.Tensor, uniform: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Draws one token a row.

        Args:
            hidden: (rows, hidden size), the last state of each row.
            uniform: (rows,) float64 in [0, 1): where in the distribution to draw.

        Returns:
            Tokens, (rows,) int64, and their log-probabilities, (rows,) float32.
        """
        config = self.config
        logits = self._backbone.logits(hidden)
        logprobs = log_probabilities(logits, self._forbidden, config.temperature)
        if config.greedy:
            tokens = logprobs.argmax(-1)
        else:
            # In float32 a running sum over 150,000 tokens would swallow the rare ones. It is scaled
            # by its own end, not 1 after rounding or top-p; `right` skips tokens of no mass.
            mass = _nucleus(logprobs.double().exp(), config.top_p).cumsum(-1)
            at = (uniform * mass[:, -1])[:, None]
            tokens = torch.searchsorted(mass, at, right=True)[:, 0].clamp_(max=self._last_id)
        return tokens, logprobs.gather(-1, tokens[:, None])[:, 0]

    def decode(self, cache: LaneCache, hidden: torch.Tensor, start: Start) -> Responses:
        """Samples one message a row, until its closing token or its limit.

        Args:
            cache: the rows' keys and values; it grows.
            hidden: (rows, hidden size), the last state of each row.
            start: positions, limits and random numbers of the rows.
        """
        device = self._backbone.device
        uniform = torch.from_numpy(start.uniform).to(device)  # (rows, steps)
        limits = torch.from_numpy(start.limits).to(device)
        position = torch.from_numpy(start.positions).to(device)
        ids = torch.full(uniform.shape, self.encoder.end_id, device=device)
        logprobs = torch.zeros(uniform.shape, device=device)
        lengths = torch.zeros_like(limits)
        index = torch.arange(len(limits), device=device)  # cache row -> row of `ids`
        alive = torch.ones(len(limits), dtype=torch.bool, device=device)
        aside: list[LaneCache] = []
        for step in range(uniform.shape[1]):
            # The random number is the row's own for this step: rows beside it change nothing.
            token, logprob = self.sample(hidden, uniform[index, step])
            ids[index, step], logprobs[index, step] = token, logprob
            lengths[index] += alive
            alive = alive & (token != self.encoder.end_id) & (step + 1 < limits[index])
            n_alive = int(alive.sum())
            if not n_alive:
                break
            # A finished row stays in the batch, and its steps are holes in the cache, until half of
            # the rows have finished: dropping a row copies every layer's keys and values.
            if len(index) > FEWEST_ROWS and n_alive <= len(index) // 2:
                aside.append(cache.keep(~alive))
                cache = cache.keep(alive)
                index, token, position = index[alive], token[alive], position[alive]
                alive = alive[alive]
            hidden = self._step(cache, token, position, alive)
            position = position + 1
        # The last token of a message is sampled and not read: the next prompt begins with it.
        n_kept = lengths.tolist()
        return Responses(
            [row[:n].copy() for row, n in zip(ids.cpu().numpy(), n_kept, strict=True)],
            [row[:n].copy() for row, n in zip(logprobs.cpu().numpy(), n_kept, strict=True)],
            [*aside, cache],
        )

    def _step(
        self, cache: LaneCache, token: torch.Tensor, position: torch.Tensor, alive: torch.Tensor
    ) -> torch.Tensor:
        column = alive[:, None]
        stretch = Stretch(token[:, None], position[None, :, None].expand(3, -1, 1), column)
        cache.valid = torch.cat([cache.valid, column], dim=1)
        return self._backbone.read(stretch, None, cache.valid, cache.kv)[:, -1]


def _nucleus(mass: torch.Tensor, top_p: float) -> torch.Tensor:
    """Sets to 0 what lies outside the smallest set of tokens with a share of `top_p`."""
    if top_p == 1:
        return mass
    ordered, order = mass.sort(-1, descending=True)
    before = ordered.cumsum(-1) - ordered
    return torch.zeros_like(mass).scatter(-1, order, ordered.where(before < top_p, 0.0))
