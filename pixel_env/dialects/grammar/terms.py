"""A dialect's terms: its coordinate frame and its names of views, as operations use them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...media.geometry import Box
from .coordinates import CoordinateFrame
from .dialect import Shown
from .prompts import box_schema
from .view_names import ViewNames


@dataclass(slots=True)
class DialectTerms:
    """The terms of one dialect at one moment of an episode: a `CallTerms`.

    Attributes:
        frame: what the numbers of a box mean.
        views: how views are named.
        shown: what has been shown.
        leaves_checks: whether the environment checks boxes and numbers of views.
        written_box: the four numbers of the last box that was read, as written.
        clamped: whether they were clamped to the frame.
    """

    frame: CoordinateFrame
    views: ViewNames
    shown: Shown
    leaves_checks: bool = False
    written_box: tuple[float, ...] | None = None
    clamped: bool = False

    @property
    def first(self) -> int:
        """Number of the first frame of a clip."""
        return self.views.first

    @property
    def n_frames(self) -> int:
        """How many frames of a clip can be selected."""
        return self.shown.n_frames

    @property
    def box_unit(self) -> str:
        """What the numbers of a box are."""
        return self.frame.unit

    def view(self, number: int) -> str:
        """Returns what a view is called within a sentence."""
        return self.views.called(number)

    def new_views(self, numbers: Sequence[int]) -> str:
        """Returns what new views are called at the start of a sentence."""
        return self.views.called_first(numbers)

    def box(self, box: Box, number: int) -> str:
        """Writes a box of a view."""
        return self.frame.write(box, self.frame.sides(self.shown, number))

    def box_schema(self) -> dict[str, Any]:
        """Returns the JSON schema of a box."""
        return box_schema(self.frame)

    def read_box(self, numbers: Sequence[float], number: int, key: str) -> Sequence[float]:
        """Turns four finite numbers into a box, or leaves that to the environment."""
        self.written_box = tuple(float(edge) for edge in numbers)
        if self.leaves_checks:
            return numbers
        sides = self.frame.sides(self.shown, number)
        box, self.clamped = self.frame.to_fractions(numbers, sides, key)
        return box

    def view_schema(self) -> dict[str, Any]:
        """Returns the JSON schema of a view."""
        return self.views.schema()

    def read_view(self, arguments: Mapping[str, Any], key: str) -> int:
        """Reads the number of the view that an argument names."""
        return self.views.read(arguments, key, self.shown, is_checked=not self.leaves_checks)

    def write_view(self, number: int) -> str:
        """Writes the name of a view."""
        return self.views.write(number)

    def address(self, number: int, box: Box | None) -> tuple[int, Box | None]:
        """Returns the view, and the box in it, by which a view or a region is asked for."""
        return self.views.address(number, box, self.shown)
