"""Conversations that vLLM continues: lanes as in our own session, and no cache to keep."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch

from pixel_env.media.rgb import Image
from pixel_env.types import Observation

from ..generation.config import GenerationConfig
from ..generation.lane import Lane, hear
from ..tokens.encoder import Encoder
from ..tokens.trajectory import TrajectoryBuilder
from .prompts import check_prompt
from .vllm_model import Request, VllmModel

MOST_SEED = 2**62
"""Seeds of messages lie under this: vLLM takes signed numbers of 64 bits."""

Weights = Callable[[], Iterable[tuple[str, torch.Tensor]]]
"""Gives the policy's weights as they are, by their names in a checkpoint."""


@dataclass(slots=True, eq=False)
class PictureLane(Lane):
    """A lane that keeps its pictures: vLLM gets the whole conversation each turn.

    Attributes:
        pictures: all of the conversation, in reading order, (height, width, 3) uint8.
    """

    pictures: list[Image] = field(default_factory=list)


class VllmSession:
    """A `Speaker` on vLLM.

    vLLM reads each turn's whole conversation; what it has read before it finds in its prefix cache.
    Each message has a seed of its own, drawn from the lane's generator. What a lane samples then
    depends on its seed and prompts up to rounding: other requests in a batch change last digits.
    """

    def __init__(
        self,
        model: VllmModel,
        encoder: Encoder,
        config: GenerationConfig,
        weights: Weights | None = None,
    ) -> None:
        """Takes the parts.

        Args:
            model: generates; several sessions may share it, one at a time.
            encoder: turns observations into tokens, in the model's format.
            config: how messages are sampled.
            weights: those that `update_weights` hands over; None keeps the model's own.
        """
        self._model = model
        self._encoder = encoder
        self._config = config
        self._weights = weights
        self._lanes: dict[int, PictureLane] = {}

    def update_weights(self) -> None:
        """Hands the policy's weights over, and forgets every lane."""
        self._lanes = {}
        if self._weights is not None:
            self._model.load(self._weights())

    def rest(self) -> None:
        """Gives vLLM's GPU memory back until it is needed again."""
        self._model.sleep()

    def begin(self, lane: int, seed: int | Sequence[int] | None = None) -> None:
        """Starts a conversation in a lane and forgets the last one there.

        Args:
            lane: its number, from 0.
            seed: fixes what the lane samples; None draws afresh.
        """
        self._lanes[lane] = PictureLane(np.random.default_rng(seed))

    def end(self, lane: int) -> TrajectoryBuilder | None:
        """Frees a lane and returns its tokens; None where it hadn't begun."""
        ended = self._lanes.pop(lane, None)
        return ended.record if ended else None

    def overlong(self, lane: int) -> bool:
        """Whether the lane ran out of context: it takes no observation and must not speak."""
        return self._lanes[lane].overlong

    def record(self, lane: int) -> TrajectoryBuilder:
        """Returns the tokens of a lane so far, prompts and responses; it grows with them."""
        return self._lanes[lane].record

    def hear(self, observations: Sequence[Observation], lanes: Sequence[int]) -> None:
        """Appends an observation to each lane's prompt, unless it would not fit into the context.

        Equal observations are encoded once, and share their pictures.
        """
        heard = hear(self._encoder, self._lanes, observations, lanes, self._config.max_context)
        for observation, number in zip(observations, lanes, strict=True):
            if number in heard:
                parts = self._encoder.dialect.tell(observation)
                shown = [part for part in parts if not isinstance(part, str)]
                self._lanes[number].pictures += shown

    def speak(self, lanes: Sequence[int]) -> list[str]:
        """Samples one message in each lane; each has got an observation since its last one.

        Raises:
            ConfigError: vLLM read another prompt than the one that is recorded.
        """
        if not lanes:
            return []
        config = self._config
        requests = [self._request(self._lanes[number]) for number in lanes]
        completions = self._model.complete(requests, self._encoder, config)
        for number, request, each in zip(lanes, requests, completions, strict=True):
            check_prompt(request.ids, each.prompt_ids, number)
            self._lanes[number].respond(
                each.ids, each.logprobs, self._encoder.end_id, config.max_context
            )
        return self._encoder.texts([each.ids for each in completions])

    def _request(self, lane: PictureLane) -> Request:
        config = self._config
        room = config.max_context - len(lane.record)
        return Request(
            lane.record.build().ids,
            lane.pictures,
            min(config.max_new_tokens, room),
            int(lane.rng.integers(MOST_SEED)),
        )
