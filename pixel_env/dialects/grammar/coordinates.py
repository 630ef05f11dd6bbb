"""Coordinate frames: what the four numbers of a box mean. A dialect has one; none is guessed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...errors import ConfigError, OperationError
from ...media.geometry import OVERSHOOT, Box
from ...reading import quoted
from .dialect import Shown


@dataclass(frozen=True, slots=True)
class CoordinateFrame:
    """One meaning of the numbers of a box: x1, y1, x2, y2 from the top left corner.

    A number up to `slack` outside the frame is taken for a rounding of its edge and clamped to
    it; one further out is refused, unless the frame clamps every box that overlaps the picture.

    Attributes:
        name: the name in `info["coordinate_frame"]`.
        unit: what follows "4 numbers" in a sentence to a model.
        described: what follows "x1, y1, x2, y2" in a schema.
        extent: number of the right and of the lower edge; None for the view's width and height.
        slack: how far outside a number may lie.
        n_decimals: how finely numbers are written, digits after the point at most.
        is_clamped: whether a box that overlaps the picture is cut at its edges, however far out
            it goes.
    """

    name: str
    unit: str
    described: str
    extent: int | None
    slack: float
    n_decimals: int
    is_clamped: bool = False

    def sides(self, shown: Shown, number: int) -> tuple[int, int]:
        """Returns the numbers of the right and of the lower edge of a view.

        Raises:
            ConfigError: they depend on the view, and there is none of that number.
        """
        if self.extent is not None:
            return self.extent, self.extent
        if not 1 <= number <= len(shown.sizes):
            raise ConfigError(
                f"expected a view from 1 to {len(shown.sizes)} to write pixels of, got {number}"
            )
        return shown.sizes[number - 1]

    def to_fractions(
        self, numbers: Sequence[float], sides: tuple[int, int], key: str
    ) -> tuple[Box, bool]:
        """Turns four finite numbers into a box, and tells whether one was clamped.

        Args:
            numbers: as written.
            sides: see `sides`.
            key: the argument's name, for sentences to the model.

        Raises:
            OperationError: kind "bad_box", they are outside the frame or hold no area.

        >>> PIXELS.to_fractions([0, 0, 57, 28.0], (56, 56), "bbox_2d")
        ((0.0, 0.0, 1.0, 0.5), True)
        """
        ends = (*sides, *sides)
        written = quoted(list(numbers))
        x1, y1, x2, y2 = numbers
        if x1 >= x2 or y1 >= y2:
            raise OperationError("bad_box", f"{key} must have x1 < x2 and y1 < y2, got {written}.")
        is_near = all(
            -self.slack <= number <= end + self.slack
            for number, end in zip(numbers, ends, strict=True)
        )
        overlaps = x1 < sides[0] and y1 < sides[1] and x2 > 0 and y2 > 0
        if not is_near and not (self.is_clamped and overlaps):
            size = "" if self.extent is not None else f", which is {sides[0]} x {sides[1]}"
            raise OperationError(
                "bad_box", f"{key} must be 4 numbers {self.unit}{size}, got {written}."
            )
        inside = [min(max(number, 0), end) for number, end in zip(numbers, ends, strict=True)]
        if inside[0] >= inside[2] or inside[1] >= inside[3]:
            raise OperationError("bad_box", f"{key} must have x1 < x2 and y1 < y2, got {written}.")
        x1, y1, x2, y2 = (number / end for number, end in zip(inside, ends, strict=True))
        return (x1, y1, x2, y2), inside != list(numbers)

    def write(self, box: Sequence[float], sides: tuple[int, int]) -> str:
        """Writes a box of fractions in this frame, as JSON and no longer than needed.

        >>> THOUSANDTHS.write([0.5, 0, 0.75, 1], (1000, 1000))
        '[500, 0, 750, 1000]'
        """
        ends = (*sides, *sides)
        numbers = (self._decimal(part * end) for part, end in zip(box, ends, strict=True))
        return "[" + ", ".join(numbers) + "]"

    def _decimal(self, value: float) -> str:
        """Writes a number with no more digits than it needs."""
        text = f"{value:.{self.n_decimals}f}"
        return text.rstrip("0").rstrip(".") if "." in text else text


FRACTIONS = CoordinateFrame(
    name="fractions",
    unit="from 0 to 1",
    described="as fractions of the width and height",
    extent=1,
    slack=OVERSHOOT,
    n_decimals=4,
)
THOUSANDTHS = CoordinateFrame(
    name="thousandths",
    unit="from 0 to 1000",
    described="in thousandths of the width and height",
    extent=1000,
    slack=1000 * OVERSHOOT,
    n_decimals=0,
)
PIXELS = CoordinateFrame(
    name="pixels",
    unit="in pixels of the picture as shown",
    described="in pixels of the picture as shown",
    extent=None,
    slack=1,
    n_decimals=0,
)
