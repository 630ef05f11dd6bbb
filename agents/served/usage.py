"""What an episode of a served model cost: requests, tokens, pictures, seconds, money."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Usage:
    """What was sent and received in one episode, or in several; `+` adds them."""

    requests: int = 0
    """Replies received: one for each message of the policy."""
    prompt_tokens: int = 0
    """Tokens of the prompts, by the server's count; every request has the whole conversation."""
    cached_tokens: int = 0
    """Those of them that the server had in its cache, where it says so."""
    completion_tokens: int = 0
    """Tokens of the replies, by the server's count, thinking included."""
    pictures: int = 0
    """Pictures sent, counted again in every request that holds them."""
    seconds: float = 0.0
    """From asking to the whole reply, retries and waiting included."""
    cost: float | None = None
    """Money, in the currency of the prices; None where there are no prices."""
    fingerprints: tuple[str, ...] = ()
    """What the server called its configuration (`system_fingerprint`), sorted."""

    def __add__(self, other: Usage) -> Usage:
        """Returns the sum."""
        costs = [cost for cost in (self.cost, other.cost) if cost is not None]
        return Usage(
            self.requests + other.requests,
            self.prompt_tokens + other.prompt_tokens,
            self.cached_tokens + other.cached_tokens,
            self.completion_tokens + other.completion_tokens,
            self.pictures + other.pictures,
            self.seconds + other.seconds,
            sum(costs) if costs else None,
            tuple(sorted({*self.fingerprints, *other.fingerprints})),
        )
