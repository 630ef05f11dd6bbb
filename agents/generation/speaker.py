"""What collection needs of whatever generates a policy's messages: the seam for other engines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from pixel_env.types import Observation

from ..tokens.trajectory import TrajectoryBuilder


class Speaker(Protocol):
    """A policy that takes part in conversations, numbered lanes that go on turn by turn.

    `Session` is our own engine, `VllmSession` is vLLM; another one (SGLang, a server) is a class
    with these methods. `collect` and `VLMPolicy` use them, and nothing else of an engine. For what
    is collected to be trainable, an implementation keeps these rules:

    - **Prompts.** The prompt that the model reads is, token by token, what `record` holds: for each
      observation the piece of `Encoder.open` (the first) or `Encoder.follow`, between them the
      sampled ids. No chat template runs, no text is tokenised again. The pictures are the piece's
      `EncodedImage`s at the positions of `rotary_positions`; nothing resizes them.
    - **Responses.** The ids are those that were sampled, up to and with the closing token
      `Encoder.end_id`. A message that reached its limit of tokens has none, and the next piece is
      made with `closed=False`. Ids of `Encoder.forbidden_ids` are never sampled.
    - **Log-probabilities.** One for each sampled id, natural logarithm, float32: of the
      distribution after the temperature, over all ids but the forbidden ones, before any top-p or
      top-k. These are what `score` computes again; an engine that reports them before the
      temperature, or with the forbidden ids in the sum, is wrong by that much in every ratio.
    - **Weights.** Those that the model has when `update_weights` returns, until it is called again.
    - **Seeds.** What a lane samples depends on its seed and its prompts, not on the lanes beside
      it. An engine that can't promise this still trains, but its runs don't repeat.
    - **Context.** A piece that leaves no room for a message within the longest context isn't
      appended: the lane becomes overlong, as does one whose last message was cut off by that limit.
    """

    def update_weights(self) -> None:
        """Takes the policy's weights as they are now; called before rollouts are collected.

        No lane is in a conversation then: whatever was computed with other weights is void.
        """

    def rest(self) -> None:
        """Gives back the memory that only sampling needs; called after rollouts are collected.

        No lane is in a conversation then. `update_weights` is called before the next one begins.
        """

    def begin(self, lane: int, seed: int | Sequence[int] | None = None) -> None:
        """Starts a conversation in a lane and forgets the last one there.

        Args:
            lane: its number, from 0.
            seed: fixes what the lane samples; None draws afresh.
        """

    def hear(self, observations: Sequence[Observation], lanes: Sequence[int]) -> None:
        """Appends an observation to each lane's prompt, or makes the lane overlong.

        Args:
            observations: one for each lane.
            lanes: their lanes; no lane occurs twice.
        """

    def overlong(self, lane: int) -> bool:
        """Whether the lane ran out of context: it takes no observation and must not speak."""

    def speak(self, lanes: Sequence[int]) -> list[str]:
        """Samples one message in each lane, and returns their texts in the order of `lanes`.

        Every lane has got an observation since its last message, and none is overlong.
        """

    def record(self, lane: int) -> TrajectoryBuilder:
        """Returns the tokens of a lane so far, prompts and responses; it grows with them."""

    def end(self, lane: int) -> TrajectoryBuilder | None:
        """Frees a lane and returns its tokens; None where it hadn't begun."""
