"""Conversations in progress: the tokens of each lane, and its cached keys and values.

Lanes begin and end at any time and in any order; a lane that begins again forgets its last
episode. Each lane draws from its own random generator, so that what it samples depends on its
seed and not on the lanes beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from pixel_env.types import Observation

from ..model.positions import rotary_positions
from ..tokens.trajectory import Piece, TrajectoryBuilder
from .cache import NOBODY, LaneCache, join
from .engine import Engine, Fresh, Start
from .lane import Lane, hear


@dataclass(slots=True, eq=False)
class LaneState(Lane):
    """The tokens of one lane, and where the model is in them.

    Attributes:
        unread: the prompt that the model has not read yet; None after a response.
        next_position: the position of the first token that is not in the cache.
        last_id: the last token sampled, which is not in the cache yet.
    """

    unread: Piece | None = None
    next_position: int = 0
    last_id: int = -1


class Session:
    """A `Speaker` on our own engine: the model itself generates, and lanes keep their caches.

    Example:
        A turn of two lanes::

            session.begin(0, seed=1)
            session.begin(1, seed=2)
            session.hear(observations, lanes=[0, 1])
            texts = session.speak(lanes=[0, 1])
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._encoder = engine.encoder
        self._config = engine.config
        self._lanes: dict[int, LaneState] = {}
        self._caches: list[LaneCache] = []

    def update_weights(self) -> None:
        """Forgets every lane: the model has its weights already, but caches are of old ones."""
        self._lanes, self._caches = {}, []

    def rest(self) -> None:
        """Does nothing: caches go with their lanes, and the model is the one that is trained."""

    def begin(self, lane: int, seed: int | Sequence[int] | None = None) -> None:
        """Starts a conversation in a lane and forgets the last one there.

        Args:
            lane: its number, from 0.
            seed: fixes what the lane samples; None draws afresh.
        """
        self.end(lane)
        self._lanes[lane] = LaneState(np.random.default_rng(seed))

    def end(self, lane: int) -> TrajectoryBuilder | None:
        """Frees a lane and returns its tokens; None where it hadn't begun."""
        ended = self._lanes.pop(lane, None)
        for cache in self._caches:
            cache.forget(lane)
        self._caches = [cache for cache in self._caches if set(cache.lanes) != {NOBODY}]
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
        for number, piece in heard.items():
            self._lanes[number].unread = piece

    def speak(self, lanes: Sequence[int]) -> list[str]:
        """Samples one message in each lane; each has got an observation since its last one."""
        size = self._config.lanes_at_once
        with self._engine.generating():
            batches = [lanes[first : first + size] for first in range(0, len(lanes), size)]
            return [text for batch in batches for text in self._speak(batch)]

    def _speak(self, numbers: Sequence[int]) -> list[str]:
        opening = [n for n in numbers if self._lanes[n].record.n_messages == 0]
        going_on = [n for n in numbers if self._lanes[n].record.n_messages > 0]
        read = [self._open(opening)] if opening else []
        read += [self._go_on(going_on)] if going_on else []
        caches, hidden = zip(*read, strict=True)
        cache = join(caches) if len(caches) > 1 else caches[0]
        lanes = [self._lanes[number] for number in cache.lanes]
        responses = self._engine.decode(cache, torch.cat(hidden), self._start(lanes))
        self._caches += responses.caches
        for lane, ids, logprobs in zip(lanes, responses.ids, responses.logprobs, strict=True):
            lane.respond(ids, logprobs, self._encoder.end_id, self._config.max_context)
            lane.last_id = int(ids[-1])
            lane.next_position += len(ids) - 1
            lane.unread = None
        texts = dict(zip(cache.lanes, self._encoder.texts(responses.ids), strict=True))
        return [texts[number] for number in numbers]

    def _open(self, numbers: Sequence[int]) -> tuple[LaneCache, torch.Tensor]:
        """Reads first pieces, each different one once; returns the cache and last states."""
        pieces = [self._unread(number) for number in numbers]
        unique = list({id(piece): piece for piece in pieces}.values())
        rows = {id(piece): row for row, piece in enumerate(unique)}
        fresh, ends = [], []
        for piece in unique:
            positions, end = rotary_positions(len(piece), piece.images, piece.image_starts)
            fresh.append(Fresh(piece.ids, positions, piece.images))
            ends.append(end)
        cache = self._engine.new_cache(range(len(unique)))
        hidden = self._engine.feed(cache, fresh)
        # The same row several times: lanes that begin alike read their prompt once, then part.
        index = [rows[id(piece)] for piece in pieces]
        for number, row in zip(numbers, index, strict=True):
            self._lanes[number].next_position = ends[row]
        return cache.select(index, numbers), hidden[index]

    def _go_on(self, numbers: Sequence[int]) -> tuple[LaneCache, torch.Tensor]:
        """Reads later pieces behind what is cached; returns the cache and last states."""
        cache = self._take(numbers)
        fresh = []
        for number in cache.lanes:
            lane, piece = self._lanes[number], self._unread(number)
            # One token more than the piece: the last sampled one, which decoding left unread.
            positions, end = rotary_positions(
                len(piece) + 1,
                piece.images,
                [start + 1 for start in piece.image_starts],
                lane.next_position,
            )
            lane.next_position = end
            fresh.append(Fresh(np.append(lane.last_id, piece.ids), positions, piece.images))
        return cache, self._engine.feed(cache, fresh)

    def _take(self, numbers: Sequence[int]) -> LaneCache:
        """Moves the rows of these lanes out of the caches into one without holes."""
        wanted = set(numbers)
        taken = [cache.only(wanted) for cache in self._caches]
        others = [cache.only(set(cache.lanes) - wanted - {NOBODY}) for cache in self._caches]
        self._caches = [cache for cache in others if cache is not None]
        return join([cache for cache in taken if cache is not None])

    def _start(self, lanes: Sequence[LaneState]) -> Start:
        config = self._config
        room = [config.max_context - len(lane.record) for lane in lanes]
        limits = np.minimum(config.max_new_tokens, np.array(room, np.int64))
        # Each lane draws as many numbers for every message, whatever it uses: its later draws then
        # don't depend on how long the messages before were, nor on the limits of other lanes.
        return Start(
            np.array([lane.next_position for lane in lanes], np.int64),
            limits,
            np.stack([lane.rng.random(config.max_new_tokens) for lane in lanes])[:, : limits.max()],
        )

    def _unread(self, number: int) -> Piece:
        piece = self._lanes[number].unread
        if piece is None:
            raise RuntimeError(f"lane {number} has got no observation since its last message")
        return piece
