"""A lane's conversation as tokens: what every engine records, whoever generates."""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pixel_env.types import Observation

from ..tokens.encoder import Encoder
from ..tokens.trajectory import Ids, Piece, TrajectoryBuilder


@dataclass(slots=True, eq=False)
class Lane:
    """The tokens of one lane.

    Attributes:
        rng: draws the lane's random numbers.
        record: prompts and responses.
        overlong: whether something did not fit into the context; such a lane sends nothing more.
        closed: whether the last message ended with its closing token.
    """

    rng: np.random.Generator
    record: TrajectoryBuilder = field(default_factory=TrajectoryBuilder)
    overlong: bool = False
    closed: bool = True

    def respond(
        self, ids: Ids, logprobs: NDArray[np.float32], end_id: int, max_context: int
    ) -> None:
        """Appends a sampled message; one that the context cut off makes the lane overlong."""
        self.record.add_response(ids, logprobs)
        self.closed = int(ids[-1]) == end_id
        self.overlong = not self.closed and len(self.record) >= max_context


def hear(
    encoder: Encoder,
    lanes: Mapping[int, Lane],
    observations: Sequence[Observation],
    numbers: Sequence[int],
    max_context: int,
) -> dict[int, Piece]:
    """Appends an observation to each lane's prompt, unless it would not fit into the context.

    Equal observations are encoded once, and share their pictures.

    Args:
        encoder: turns observations into pieces.
        lanes: by their numbers.
        observations: one for each of `numbers`.
        numbers: the lanes that get one; those that are overlong already get nothing.
        max_context: longest trajectory, in tokens.

    Returns:
        What was appended, by the number of the lane; lanes without room are missing.
    """
    pieces: dict[Hashable, Piece] = {}
    heard: dict[int, Piece] = {}
    for observation, number in zip(observations, numbers, strict=True):
        lane = lanes[number]
        if lane.overlong:
            continue
        opening = len(lane.record) == 0
        key = (opening, lane.closed, _fingerprint(observation))
        if key not in pieces:
            pieces[key] = (
                encoder.open(observation) if opening else encoder.follow(observation, lane.closed)
            )
        piece = pieces[key]
        if len(lane.record) + len(piece) >= max_context:
            lane.overlong = True
            continue
        lane.record.add_prompt(piece)
        heard[number] = piece
    return heard


def _fingerprint(observation: Observation) -> Hashable:
    """Returns what equal observations share and different ones don't."""
    pictures = tuple(
        (image.shape, hashlib.blake2b(image.tobytes(), digest_size=16).digest())
        for image in observation["images"]
    )
    rest = ((key, value) for key, value in observation.items() if key != "images")
    return (pictures, *rest)
