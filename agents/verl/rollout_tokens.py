"""What a rollout's tokens are, while verl's builder puts them together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pixel_env.errors import ConfigError


@dataclass(slots=True)
class RolloutTokens:
    """The tokens of a rollout so far.

    Attributes:
        ids: of the prompt and of all that follows.
        pictures: all that were shown, in reading order.
        n_prompt: how many of the ids are the prompt's.
        mask: of the ids after the prompt, 1 where the policy sampled it.
        logprobs: of the ids after the prompt, in nats; None where the server gives none.
        facts: what the server says of the messages.
        times: seconds by verl's names.
        cut: whether the last message was cut at its limit.
        overlong: whether the rollout has no more room.
    """

    ids: list[int]
    pictures: list[Any]
    n_prompt: int
    mask: list[int] = field(default_factory=list)
    logprobs: list[float] | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    times: dict[str, float] = field(default_factory=dict)
    cut: bool = False
    overlong: bool = False

    def close(self, end_id: int) -> None:
        """Closes a message that was cut; the policy didn't sample that token."""
        self.ids = [*self.ids, end_id]
        self.mask = [*self.mask, 0]
        if self.logprobs is not None:
            self.logprobs = [*self.logprobs, 0.0]

    def note(self, extra: Mapping[str, Any]) -> None:
        """Keeps what a server says of a message: the oldest and the newest weights that spoke."""
        oldest = self.facts.get("min_global_steps")
        self.facts.update(extra)
        if oldest is not None:
            self.facts["min_global_steps"] = oldest

    def check_pictures(self, processor: Any) -> None:
        """Checks that each picture takes the tokens of its own size.

        Raises:
            ConfigError: it doesn't: the boxes that a policy writes would be of another picture.
        """
        from verl.utils.tokenizer import get_processor_token_id

        images = processor.image_processor
        side = images.patch_size * images.merge_size
        sizes = [size for each in self.pictures for size in (each.width, each.height)]
        expected = sum((each.width // side) * (each.height // side) for each in self.pictures)
        got = self.ids.count(get_processor_token_id(processor, "image"))
        if got != expected or any(size % side for size in sizes):
            raise ConfigError(
                f"expected {expected} image tokens of {side} x {side} px for the pictures as they "
                f"were shown, got {got}: the processor resized one; make the rows with --env-arg "
                f"side_multiple={side}, and see that the processor's limits of size hold them"
            )


def pictures_of(messages: Sequence[Mapping[str, Any]]) -> list[Any]:
    """Returns the pictures of messages, in reading order."""
    contents = [each["content"] for each in messages]
    parts = [part for each in contents if not isinstance(each, str) for part in each]
    return [part["image"] for part in parts if part["type"] == "image"]
