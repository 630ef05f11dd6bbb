"""The sizes of flat observations and actions, and their spaces.

For libraries that take no text and no lists of pictures; `flat/episode.py` fills the arrays.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from ..errors import ConfigError, unknown_name
from ..media.geometry import Box
from ..operations import OPERATIONS, Argument, Operation, operations
from ..types import LETTERS

ALPHABET = " abcdefghijklmnopqrstuvwxyz0123456789.,;:?!'\"-+()%$/"
"""Characters with an id of their own: their place here plus 2. 0 is "no more text", 1 any other
character; capitals count as small letters."""

N_CHARACTERS = len(ALPHABET) + 2
"""How many ids there are."""

SLOT_NUMBERS = 6
"""Numbers that tell of one view: whether it is there, which source, and its box."""

COUNTERS = ("turn", "turns_left", "n_views", "refused")
"""What `counters` holds, each in [0, 1]: shares of `max_turns` and `max_views`, and 1 where the
last operation gave no view."""

LEAST_VIEW_PX = 36
"""Smallest side that stable-baselines3's own picture network takes."""

MOST_NUMBERS = 2**25
"""Most numbers of the stacked views, and of a text."""

MOST_VALUES = 100_000
"""Most values of one number of an action: boxes, answers, targets, pictures."""

FlatObservation = dict[str, NDArray[Any]]
"""Arrays by the names in `FlatConfig.observation_space`."""


@dataclass(frozen=True, slots=True)
class FlatConfig:
    """The sizes of a flat observation and of a flat action."""

    view_px: int = 84
    """Side in pixels that every view is brought to, whatever its shape; at least 36."""
    n_views: int = 4
    """How many views are stacked, at least 1: first the overview, then the newest."""
    question_chars: int = 96
    """Characters of the question that are kept, at least 1."""
    choice_chars: int = 24
    """Characters of each option that are kept, at least 1."""
    n_choices: int = 0
    """Most options of a question; 0 where answers are free."""
    vocabulary: Sequence[str] | int = ()
    """The answers that can be given where there are no options: texts, or a whole number n for the
    counts 0 to n."""
    scales: Sequence[float] = (0.5, 0.25)
    """Sides of the boxes that can be asked for, fractions of the target view in (0, 1]."""
    stride: float = 0.5
    """Step between neighbouring boxes, as a share of their side, in (0, 1]."""
    n_pictures: int = 1
    """Most pictures, or sampled frames, that are shown at reset; at least 1."""
    has_clips: bool = False
    """Whether the media are clips, whose frames can be selected."""
    further_operations: Sequence[str] = ()
    """Names of registered operations, beside the built-in ones, that an action can ask for."""
    max_turns: int = 5
    """Of the environment; `counters` are shares of it."""
    max_views: int = 16
    """Of the environment; `counters` are shares of it."""

    def __post_init__(self) -> None:
        """Checks every value, and brings sequences to tuples.

        Raises:
            ConfigError: a value is out of its range.
        """
        least = {"view_px": LEAST_VIEW_PX, "n_choices": 0}
        for name in _WHOLE:
            value = getattr(self, name)
            whole = isinstance(value, int) and not isinstance(value, bool)
            if not whole or value < least.get(name, 1):
                lowest = least.get(name, 1)
                raise ConfigError(f"expected {name} to be a whole number >= {lowest}, got {value}")
        if 3 * self.n_views >= self.view_px:
            raise ConfigError(
                f"expected 3 * n_views under view_px, so that channels differ from sides; "
                f"got {self.n_views} and {self.view_px}"
            )
        if self.n_choices > len(LETTERS):
            raise ConfigError(f"expected n_choices <= {len(LETTERS)}, got {self.n_choices}")
        given = self.vocabulary
        if isinstance(given, int) and given > MOST_VALUES:
            raise ConfigError(f"expected a vocabulary of counts up to {MOST_VALUES:,}, got more")
        texts = [str(n) for n in range(given + 1)] if isinstance(given, int) else given
        object.__setattr__(self, "vocabulary", tuple(texts))
        object.__setattr__(self, "further_operations", tuple(self.further_operations))
        object.__setattr__(self, "scales", tuple(float(scale) for scale in self.scales))
        if not self.scales or not all(0 < scale <= 1 for scale in (*self.scales, self.stride)):
            raise ConfigError(
                f"expected scales and stride in (0, 1], got {self.scales} and {self.stride}"
            )
        self._check_sizes()
        if self.n_answers < 2:
            raise ConfigError(
                "expected n_choices >= 2, or a vocabulary of at least two answers, such as "
                f"vocabulary=('yes', 'no') or vocabulary=9 for counts; got {self.n_choices} and "
                f"{self.words}"
            )

    def _check_sizes(self) -> None:
        """Refuses what would take too much memory, before any of it is made."""
        numbers = {
            "views": 3 * self.n_views * self.view_px**2,
            "question": self.question_chars,
            "choices": self.n_choices * self.choice_chars,
        }
        values = {
            "boxes": sum((_n_steps(scale, self.stride) + 1) ** 2 for scale in self.scales),
            "answers": len(self.vocabulary) if not isinstance(self.vocabulary, int) else 0,
            "views": self.n_views,
            "pictures": self.n_pictures,
        }
        for most, sizes in ((MOST_NUMBERS, numbers), (MOST_VALUES, values)):
            for name, size in sizes.items():
                if not size <= most:
                    what = "numbers" if most == MOST_NUMBERS else "values"
                    raise ConfigError(f"expected at most {most:,} {what} of {name}, got {size:.3g}")

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> FlatConfig:
        """Makes a config of settings by name.

        Raises:
            ConfigError: a name is unknown, or a value out of its range.
        """
        known = [field.name for field in fields(cls)]
        for name in settings:
            if name not in known:
                raise unknown_name("a setting of flat observations", name, known)
        return cls(**settings)

    @property
    def words(self) -> tuple[str, ...]:
        """The vocabulary as texts."""
        return tuple(self.vocabulary) if not isinstance(self.vocabulary, int) else ()

    @property
    def n_answers(self) -> int:
        """How many answers an action can choose from."""
        return max(self.n_choices, len(self.words))

    @property
    def boxes(self) -> tuple[Box, ...]:
        """Every box that can be asked for, by scale, then row by row."""
        return tuple(box for scale in self.scales for box in _grid(scale, self.stride))

    @property
    def observation_space(self) -> spaces.Dict:
        """The space of `encode`'s arrays.

        `views` (view_px, view_px, 3 * n_views) uint8, the stacked views, channels last; `boxes`
        (6 * n_views,) float32 in [0, 1], for each view whether it is there, its source as a share
        of `n_pictures`, and (x1, y1, x2, y2) of the source; `counters` (4,) float32, see
        `COUNTERS`; `question` (question_chars,) character ids, see `ALPHABET`; with options also
        `choices` (n_choices * choice_chars,) character ids.
        """
        side = self.view_px
        text: dict[str, spaces.Space[Any]] = {"question": _text_space(self.question_chars)}
        if self.n_choices:
            text["choices"] = _text_space(self.n_choices * self.choice_chars)
        return spaces.Dict(
            {
                "views": spaces.Box(0, 255, (side, side, 3 * self.n_views), np.uint8),
                "boxes": spaces.Box(0.0, 1.0, (SLOT_NUMBERS * self.n_views,), np.float32),
                "counters": spaces.Box(0.0, 1.0, (len(COUNTERS),), np.float32),
                **text,
            }
        )

    @property
    def kinds(self) -> tuple[Operation, ...]:
        """The operations that an action can ask for; entry i is kind i.

        Raises:
            ConfigError: a further one isn't registered.
        """
        further = tuple(operations().named(name) for name in self.further_operations)
        known = (*OPERATIONS, *further)
        return tuple(each for each in known if self.has_clips or not each.needs_clip)

    @property
    def further_arguments(self) -> dict[str, Argument]:
        """The arguments of further operations that have a number of their own, in its order."""
        found = (argument for kind in self.kinds for argument in kind.arguments)
        return {each.name: each for each in found if not each.column}

    @property
    def uses(self) -> tuple[tuple[int, ...], ...]:
        """For each kind, 1 at the numbers of an action that it uses, 0 at those it ignores."""
        names = (*COLUMNS, *self.further_arguments)
        return tuple(tuple(int(name in used_by(kind)) for name in names) for kind in self.kinds)

    @property
    def action_space(self) -> spaces.MultiDiscrete:
        """The space of `decode`'s rows: kind, box, target, frame, answer, each from 0.

        kind: 0 answer, 1 zoom in, 2 (clips only) select a frame, then `further_operations`. box: a
        place in `boxes`. target: the stacked view that is zoomed into. frame: the frame that is
        selected, or which of the pictures of the overview is zoomed into. answer: the option, or a
        place in `words`. Then a number for each of `further_arguments`, a place in its values.
        """
        return spaces.MultiDiscrete(list(self.action_sizes))

    @property
    def action_sizes(self) -> tuple[int, ...]:
        """How many values each number of an action has, in `action_space`'s order."""
        sizes = len(self.kinds), len(self.boxes), self.n_views, self.n_pictures, self.n_answers
        return (*sizes, *(len(each.flat_values) for each in self.further_arguments.values()))


COLUMNS = ("kind", "box", "target", "frame", "answer")
"""What the first numbers of an action are."""


def used_by(kind: Operation) -> set[str]:
    """Returns the names of the numbers that an action of a kind uses."""
    used = {"kind", *(each.column or each.name for each in kind.arguments)}
    return used | {"frame"} if "target" in used else used  # which picture of the overview is meant


_WHOLE = (
    *("view_px", "n_views", "question_chars", "choice_chars", "n_choices"),
    *("n_pictures", "max_turns", "max_views"),
)
"""The fields that are whole numbers."""


def _text_space(length: int) -> spaces.MultiDiscrete:
    return spaces.MultiDiscrete([N_CHARACTERS] * length)


def _n_steps(scale: float, stride: float) -> float:
    """Returns how many steps lead from edge to edge; infinite where a step is nothing."""
    step = scale * stride
    if step < 1 / MOST_VALUES and scale < 1:
        return math.inf
    return math.ceil((1 - scale) / step - 1e-9)


def _grid(scale: float, stride: float) -> list[Box]:
    """Returns the boxes of one side, row by row, spread evenly from edge to edge."""
    n_steps = int(_n_steps(scale, stride))
    starts = [(1 - scale) * step / n_steps for step in range(n_steps + 1)] if n_steps else [0.0]
    return [(x, y, min(x + scale, 1.0), min(y + scale, 1.0)) for y in starts for x in starts]
