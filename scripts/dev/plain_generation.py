"""Sampling without an engine of one's own: `generate` of transformers, anew each turn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from pixel_env.agents.generation.config import GenerationConfig
from pixel_env.agents.generation.lane import Lane, hear
from pixel_env.agents.tokens.encoder import Encoder
from pixel_env.agents.tokens.trajectory import TrajectoryBuilder
from pixel_env.types import Observation


class Anew:
    """Plain `generate` behind the methods of a `Speaker` that are used here."""

    def __init__(self, model: Any, encoder: Encoder, config: GenerationConfig) -> None:
        self._model = model
        self._encoder = encoder
        self._config = config
        self._lanes: dict[int, Lane] = {}

    def update_weights(self) -> None:
        """Forgets every lane."""
        self._lanes = {}

    def begin(self, lane: int, seed: int | Sequence[int] | None = None) -> None:
        """Starts a conversation in a lane."""
        self._lanes[lane] = Lane(np.random.default_rng(seed))

    def hear(self, observations: Sequence[Observation], lanes: Sequence[int]) -> None:
        """Appends an observation to each lane's prompt."""
        hear(self._encoder, self._lanes, observations, lanes, self._config.max_context)

    def speak(self, lanes: Sequence[int]) -> list[str]:
        """Reads all conversations from their beginning, and samples one message in each."""
        encoder = self._encoder
        heard = [self._lanes[number].record.build() for number in lanes]
        device = self._model.device
        ids = torch.from_numpy(np.stack([each.ids for each in heard])).to(device)
        images = [image for each in heard for image in each.images]
        forbidden = encoder.forbidden_ids(self._model.config.text_config.vocab_size)
        with torch.no_grad():
            found = self._model.generate(
                input_ids=ids,
                attention_mask=torch.ones_like(ids),
                mm_token_type_ids=(ids == encoder.image_id).int(),
                pixel_values=torch.from_numpy(np.concatenate([i.patches for i in images])).to(
                    device, self._model.dtype
                ),
                image_grid_thw=torch.tensor([image.grid for image in images], device=device),
                max_new_tokens=self._config.max_new_tokens,
                do_sample=True,
                top_k=0,
                suppress_tokens=forbidden.tolist(),
                pad_token_id=encoder.pad_id,
            )
        new = found[:, ids.shape[1] :].cpu().numpy()
        for number, row in zip(lanes, new, strict=True):
            zeros = np.zeros(len(row), np.float32)
            self._lanes[number].respond(row, zeros, encoder.end_id, self._config.max_context)
        return encoder.texts(list(new))

    def end(self, lane: int) -> TrajectoryBuilder | None:
        """Frees a lane and returns its tokens."""
        return self._lanes.pop(lane).record
