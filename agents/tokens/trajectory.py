"""What generation records and training reads: token ids, never text.

A trajectory's ids are the very tokens that the policy saw and sampled, in order. Nothing is
tokenised a second time, so the log-probabilities of training are those of generation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int64]
"""Token ids, (length,) int64."""

Role = Literal["user", "assistant"]

OVERLONG = "overlong"
"""Mask reason: the next observation or message would not have fitted into the context."""

ENV_ERROR = "env_error"
"""Mask reason: the environment or its data failed, which is no fault of the policy."""


@dataclass(frozen=True, slots=True, eq=False)
class EncodedImage:
    """A picture as the vision tower reads it; compared by identity, so that it can be shared.

    Attributes:
        patches: (t * h * w, channels * temporal * patch * patch) float32, normalised.
        grid: (t, h, w), how many patches along time, height and width.
        merge: how many patches along each side become one token.
    """

    patches: NDArray[np.float32]
    grid: tuple[int, int, int]
    merge: int = 2

    @property
    def token_grid(self) -> tuple[int, int, int]:
        """(t, h, w) in tokens of the language model."""
        t, h, w = self.grid
        return t, h // self.merge, w // self.merge

    @property
    def n_tokens(self) -> int:
        """How many tokens of the language model the picture takes."""
        t, h, w = self.token_grid
        return t * h * w


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """One stretch of prompt: text tokens and pictures.

    Attributes:
        ids: (length,) int64.
        images: the pictures in it, in reading order.
        image_starts: index in `ids` of the first image token of each picture, from 0.
    """

    ids: Ids
    images: tuple[EncodedImage, ...] = ()
    image_starts: tuple[int, ...] = ()

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True, slots=True)
class Turn:
    """Which tokens of a trajectory one side wrote: ids[start:stop], indices from 0.

    Attributes:
        role: "user" for a prompt (the first one includes the system message), "assistant" for a
            response of the policy.
        start: index of the first token.
        stop: index after the last token.
    """

    role: Role
    start: int
    stop: int


@dataclass(frozen=True, slots=True, eq=False)
class TokenTrajectory:
    """One episode as tokens, with everything that a training step needs.

    Attributes:
        ids: (length,) int64, prompts and responses.
        trainable: (length,) bool, True on the tokens of responses that the policy shall learn from.
        logprobs: (length,) float32, log-probability of each sampled token given the tokens
            before it, recorded while generating; 0 elsewhere.
        images: the pictures, in reading order; the same objects where trajectories share them.
        image_starts: index in `ids` of the first image token of each picture, from 0.
        turns: who wrote which tokens; they cover `ids` without a gap.
        reward: the sum of `reward_terms`.
        reward_terms: the environment's terms, by name.
        sample_id: the sample's stable name; "" where unknown.
        group: number of the group of rollouts on the same sample, from 0.
        info: the episode's facts: "correct", "score", "n_calls", "n_operations",
            "n_operation_errors", "truncated" and whatever else the environment's `info` had.
        mask_reason: "" for a trajectory to learn from, else `OVERLONG` or `ENV_ERROR`.
        importance: (length,) float32, the weight of each sampled token in the loss, where an
            engine sampled with other probabilities than the trained model's (`LogprobCheck`,
            which then puts the model's own into `logprobs`); None where all weigh 1.
    """

    ids: Ids
    trainable: NDArray[np.bool_]
    logprobs: NDArray[np.float32]
    images: tuple[EncodedImage, ...] = ()
    image_starts: tuple[int, ...] = ()
    turns: tuple[Turn, ...] = ()
    reward: float = 0.0
    reward_terms: Mapping[str, float] = field(default_factory=dict)
    sample_id: str = ""
    group: int = 0
    info: Mapping[str, Any] = field(default_factory=dict)
    mask_reason: str = ""
    importance: NDArray[np.float32] | None = None

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def masked(self) -> bool:
        """Whether a training step must leave this trajectory out."""
        return bool(self.mask_reason)

    @property
    def n_trainable(self) -> int:
        """How many tokens the policy can learn from."""
        return int(self.trainable.sum())


class TrajectoryBuilder:
    """Grows a trajectory, prompt by prompt, response by response; what is in it never changes."""

    def __init__(self) -> None:
        self._ids: list[Ids] = []
        self._trainable: list[NDArray[np.bool_]] = []
        self._logprobs: list[NDArray[np.float32]] = []
        self._images: list[EncodedImage] = []
        self._image_starts: list[int] = []
        self._turns: list[Turn] = []
        self._length = 0

    def __len__(self) -> int:
        return self._length

    @property
    def n_messages(self) -> int:
        """How many responses the policy has given."""
        return sum(turn.role == "assistant" for turn in self._turns)

    @property
    def last(self) -> tuple[Ids, NDArray[np.float32]]:
        """The ids and the log-probabilities, (length,) each, of the prompt or response at the end.

        Raises:
            IndexError: there is none.
        """
        return self._ids[-1], self._logprobs[-1]

    def add_prompt(self, piece: Piece) -> None:
        """Appends a prompt."""
        self._images += piece.images
        self._image_starts += [self._length + start for start in piece.image_starts]
        self._append("user", piece.ids, False, np.zeros(len(piece), np.float32))

    def add_response(
        self,
        ids: Ids,
        logprobs: NDArray[np.float32] | None = None,
        trainable: bool = True,
    ) -> None:
        """Appends one response of the policy.

        Args:
            ids: (length,) int64, the response with its closing token.
            logprobs: (length,) float32, as sampled; None for a demonstration.
            trainable: False for one that must not be imitated.
        """
        if logprobs is None:
            logprobs = np.zeros(len(ids), np.float32)
        self._append("assistant", ids, trainable, logprobs)

    def until(self, n_prompts: int) -> TrajectoryBuilder:
        """Returns a copy that ends right after a prompt.

        Args:
            n_prompts: after which one, from 1; where there are fewer, after the last.
        """
        prompts = [number for number, turn in enumerate(self._turns) if turn.role == "user"]
        n_turns = prompts[min(n_prompts, len(prompts)) - 1] + 1
        copy = TrajectoryBuilder()
        copy._ids, copy._trainable = self._ids[:n_turns], self._trainable[:n_turns]
        copy._logprobs, copy._turns = self._logprobs[:n_turns], self._turns[:n_turns]
        copy._length = self._turns[n_turns - 1].stop
        n_images = sum(start < copy._length for start in self._image_starts)
        copy._images, copy._image_starts = self._images[:n_images], self._image_starts[:n_images]
        return copy

    def build(self, **facts: Any) -> TokenTrajectory:
        """Returns the trajectory; `facts` are the remaining fields of `TokenTrajectory`."""
        return TokenTrajectory(
            ids=_join(self._ids, np.int64),
            trainable=_join(self._trainable, np.bool_),
            logprobs=_join(self._logprobs, np.float32),
            images=tuple(self._images),
            image_starts=tuple(self._image_starts),
            turns=tuple(self._turns),
            **facts,
        )

    def _append(self, role: Role, ids: Ids, trainable: bool, logprobs: NDArray[np.float32]) -> None:
        stop = self._length + len(ids)
        self._ids.append(np.asarray(ids, np.int64))
        self._trainable.append(np.full(len(ids), trainable))
        self._logprobs.append(np.asarray(logprobs, np.float32))
        self._turns.append(Turn(role, self._length, stop))
        self._length = stop


def _join(arrays: Sequence[NDArray[Any]], dtype: type[np.generic]) -> NDArray[Any]:
    return np.concatenate(arrays) if arrays else np.zeros(0, dtype)
