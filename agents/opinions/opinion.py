"""What a second scorer is asked, and what it answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from pixel_env.types import Sample

PASS = 0.5
"""A score from here on counts as right, where a scorer gives no verdict of its own."""


@dataclass(frozen=True, slots=True)
class Item:
    """A declared answer that is to be scored.

    Attributes:
        index: of the sample in its task, from 0.
        repeat: which of the sample's episodes, from 0.
        sample: as it was shown, its options in the order shown.
        answer: the declared answer alone, without the reasoning before it.
    """

    index: int
    repeat: int
    sample: Sample
    answer: str


@dataclass(frozen=True, slots=True)
class Opinion:
    """What a second scorer makes of an answer.

    Attributes:
        index: of the sample.
        repeat: which of the sample's episodes.
        answer: the answer that was scored.
        score: in [0, 1]; None where the scorer failed.
        correct: whether the answer counts as right; None where the scorer failed.
        fault: why it failed; "" where it didn't. Such an answer has no second score.
        note: what else it says: the answer as it read it, or a judge's reply.
    """

    index: int
    repeat: int
    answer: str
    score: float | None = None
    correct: bool | None = None
    fault: str = ""
    note: str = ""

    @property
    def place(self) -> tuple[int, int]:
        """Index and repeat."""
        return self.index, self.repeat


class Scorer(Protocol):
    """Scores declared answers a second time."""

    def source(self) -> Mapping[str, Any]:
        """Returns what its scores depend on, as JSON can hold; other scores are not mixed in."""

    def score(self, items: Sequence[Item]) -> Iterator[Opinion]:
        """Gives an opinion on each item, in any order; one that it fails on has a `fault`."""


def faulty(item: Item, fault: str, note: str = "") -> Opinion:
    """Returns the opinion of a scorer that failed."""
    return Opinion(item.index, item.repeat, item.answer, fault=fault, note=note)
