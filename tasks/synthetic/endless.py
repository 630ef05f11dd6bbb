"""What every procedural twin has: seeded contents without end, two splits, one question each."""

from __future__ import annotations

import inspect
import zlib
from abc import abstractmethod
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any, ClassVar, Generic, Literal, TypeVar

import numpy as np

from pixel_env.errors import ConfigError, unknown_name
from pixel_env.media.clips import ClipSource
from pixel_env.media.pictures import ImageSource
from pixel_env.task import Task
from pixel_env.types import Evidence, Sample

N_KEPT = 8
"""Samples whose media stay decoded: as many as lanes share (`SampleCache`). Few, because nobody
comes back to most of an endless stream, and old pixels would lie between new ones in the heap."""

N_SAMPLES = 1_000_000
N_OPTIONS = 4
CATEGORIES = ("easy", "hard")
TEST_SHARE = 5
"""One content in this many belongs to the test split, by its checksum."""

Split = Literal["train", "test"]

Content = TypeVar("Content")
"""What a picture, page or clip holds: enough to draw it."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One question about a content.

    Attributes:
        question: the question.
        answers: accepted answers, the first of them as it would be an option.
        pool: everything that could be asked for in its place, which wrong options come from; the
            right one is as likely as any other of it, so that options give nothing away.
        evidence: where the answer can be seen.
    """

    question: str
    answers: tuple[str, ...]
    pool: tuple[str, ...]
    evidence: tuple[Evidence, ...]


class EndlessTask(Task, Generic[Content]):
    """A million seeded samples a split, each made when it is asked for, in the same time.

    A content belongs to a split by a checksum of what it holds, not by its index: the same
    content can't occur in both. Categories are "easy" (the overview is enough) and "hard" (it is
    not, a zoom on the evidence is).

    A subclass names its knobs and gives four methods: `_random`, `_essence`, `_ask`, `_media`.

    Attributes:
        prefix: how ids begin.
        knobs: the dataclass whose fields are the knobs of difficulty.
    """

    prefix: ClassVar[str]
    knobs: ClassVar[type[Any]]

    def __init__(
        self,
        split: Split = "train",
        category: str | None = None,
        *,
        easy_share: float = 0.3,
        options: bool = False,
        seed: int = 0,
        **knobs: Any,
    ) -> None:
        """Checks and keeps the knobs; nothing is drawn yet.

        Args:
            split: "train" or "test".
            category: "easy" or "hard" alone; None for the mixture.
            easy_share: share of questions that the overview answers, in [0, 1].
            options: whether four options are shown; otherwise the answer is free text, which
                can't be guessed as often.
            seed: another seed gives other contents.
            **knobs: fields of the dataclass `knobs`.

        Raises:
            ConfigError: an argument is unknown or out of its range.
        """
        if split not in ("train", "test"):
            raise unknown_name("split", split, ("train", "test"))
        if category not in (None, *CATEGORIES):
            raise unknown_name("category", category, CATEGORIES)
        if not 0.0 <= easy_share <= 1.0:
            raise ConfigError(f"expected easy_share in [0, 1], got {easy_share}")
        known = [field.name for field in fields(self.knobs)]
        unknown = sorted(set(knobs) - set(known))
        if unknown:
            raise unknown_name(f"knob of {self.name}", unknown[0], known)
        self.split = split
        self.options = options
        self.easy_share = {"easy": 1.0, "hard": 0.0}.get(category or "", easy_share)
        self.seed = seed
        self.difficulty = self.knobs(**knobs)
        self._sample = lru_cache(maxsize=N_KEPT)(self._make)

    @classmethod
    def argument_names(cls) -> tuple[str, ...]:
        """Names the arguments, knobs of difficulty included."""
        named = inspect.signature(cls).parameters.values()
        own = (each.name for each in named if each.kind is not inspect.Parameter.VAR_KEYWORD)
        return (*own, *(each.name for each in fields(cls.knobs)))

    def __len__(self) -> int:
        """Returns how many samples a split holds: a million."""
        return N_SAMPLES

    def __getitem__(self, index: int) -> Sample:
        """Returns sample `index`, from 0; recent ones share their drawn media."""
        if not 0 <= index < N_SAMPLES:
            raise IndexError(f"expected an index from 0 to {N_SAMPLES - 1}, got {index}")
        return self._sample(int(index))

    def index_of(self, sample_id: str) -> int:
        """Returns the index that is written in the id."""
        head, _, number = sample_id.rpartition("-")
        is_ours = head == f"{self.prefix}-{self.split}" and number.isdecimal()
        if not is_ours or int(number) >= N_SAMPLES:
            raise ConfigError(f"{self.name} ({self.split}) holds no sample with id {sample_id!r}")
        return int(number)

    def fingerprint(self) -> str:
        """Returns the split, the seed and every knob."""
        written = f"{self.name}:{self.split}:{self.seed}:{self.easy_share}:{self.difficulty}"
        # Knobs that came later are no part of the repr, so that older fingerprints stay.
        later = [each for each in fields(self.knobs) if not each.repr]
        values = [(each.name, getattr(self.difficulty, each.name), each.default) for each in later]
        return written + "".join(f":{name}={now}" for name, now, usual in values if now != usual)

    def content(self, index: int) -> Content:
        """Returns what sample `index` shows, from 0, by name and place."""
        return self._draw_lots(index)[0]

    def belongs_to(self, content: Content) -> Split:
        """Returns the split of a content, decided by what it holds alone."""
        return split_of(self._essence(content))

    @abstractmethod
    def _random(self, rng: np.random.Generator) -> Content:
        """Draws a content."""

    @abstractmethod
    def _essence(self, content: Content) -> str:
        """Writes down what makes a content another one; its split hangs on it."""

    @abstractmethod
    def _ask(self, content: Content, is_easy: bool, rng: np.random.Generator) -> Asked:
        """Draws a question about a content."""

    @abstractmethod
    def _media(self, content: Content, name: str) -> tuple[ImageSource, ...] | tuple[ClipSource]:
        """Returns the media of a content, which are drawn at their first use."""

    def __getstate__(self) -> dict[str, object]:
        """Leaves the cache behind: it can't be sent to another process."""
        return {name: value for name, value in vars(self).items() if name != "_sample"}

    def __setstate__(self, state: dict[str, object]) -> None:
        vars(self).update(state)
        self._sample = lru_cache(maxsize=N_KEPT)(self._make)

    def _draw_lots(self, index: int) -> tuple[Content, np.random.Generator]:
        """Draws contents from the sample's own stream until one belongs to the split."""
        entropy = (self.seed, 0 if self.split == "train" else 1, index)
        rng = np.random.default_rng(entropy)
        while True:
            content = self._random(rng)
            if self.belongs_to(content) == self.split:
                return content, rng

    def _make(self, index: int) -> Sample:
        content, rng = self._draw_lots(index)
        is_easy = rng.random() < self.easy_share
        asked = self._ask(content, is_easy, rng)
        right, choices = asked.answers[0], _choices(asked, rng) if self.options else ()
        name = f"{self.prefix}-{self.split}-{index}"
        return Sample(
            id=name,
            question=asked.question,
            media=self._media(content, name),
            answers=(right,) if choices else asked.answers,
            choices=choices,
            right_choice=choices.index(right) if choices else None,
            category="easy" if is_easy else "hard",
            evidence=asked.evidence,
            origin=f"{self.name} {self.split} {index}",
        )


def split_of(essence: str) -> Split:
    """Returns the split of what holds this, by a checksum."""
    return "test" if zlib.crc32(essence.encode()) % TEST_SHARE == 0 else "train"


def _choices(asked: Asked, rng: np.random.Generator) -> tuple[str, ...]:
    """Draws wrong options and puts the right one anywhere among them."""
    right = asked.answers[0]
    wrong = [text for text in asked.pool if text != right]
    chosen = [wrong[i] for i in rng.permutation(len(wrong))[: N_OPTIONS - 1]]
    return tuple([right, *chosen][i] for i in rng.permutation(N_OPTIONS))
