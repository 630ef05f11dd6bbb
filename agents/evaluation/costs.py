"""What an evaluation of a served model cost: tokens, pictures, seconds, money."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..served.usage import Usage
from .results import EpisodeResult


@dataclass(frozen=True, slots=True)
class Costs:
    """What was sent and received.

    Attributes:
        n: episodes whose policy knows its costs, those that a server left unanswered included.
        total: of all of them.
    """

    n: int
    total: Usage

    @property
    def seconds_a_message(self) -> float:
        """From asking to the whole reply, mean over messages."""
        return self.total.seconds / max(self.total.requests, 1)


def sum_costs(results: Sequence[EpisodeResult]) -> Costs | None:
    """Adds up the episodes; None where the policy doesn't know its costs."""
    known = [result.usage for result in results if result.usage is not None]
    return Costs(len(known), sum(known, start=Usage())) if known else None


def fingerprints(results: Sequence[EpisodeResult]) -> list[str]:
    """Returns what the server called its configuration in these episodes, sorted."""
    return sorted({name for each in results if each.usage for name in each.usage.fingerprints})


def cost_cells(costs: Costs) -> list[tuple[str, ...]]:
    """Writes the costs as rows of texts, the heads first."""
    total, n = costs.total, max(costs.n, 1)
    heads = ("", "messages", "tokens in", "of them cached", "tokens out", "pictures sent")
    counts = (
        total.requests,
        total.prompt_tokens,
        total.cached_tokens,
        total.completion_tokens,
        total.pictures,
    )
    whole = ("all", *(f"{count:,}" for count in counts), f"{costs.seconds_a_message:.2f}")
    mean = ("an episode", *(f"{count / n:,.1f}" for count in counts), whole[-1])
    rows = [(*heads, "seconds a message"), whole, mean]
    if total.cost is None:
        return rows
    money = ("money", f"{total.cost:,.2f}", f"{total.cost / n:.4f}")
    return [(*row, cell) for row, cell in zip(rows, money, strict=True)]
