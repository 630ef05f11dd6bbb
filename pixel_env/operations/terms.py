"""The terms in which a policy is addressed: what views and boxes are called, and how they are read.

The environment's own are fractions, and views numbered from 1 (`PLAIN`). A dialect has others;
operations and their arguments see only these protocols.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from ..media.geometry import Box


class Terms(Protocol):
    """What a sentence about views needs."""

    @property
    def first(self) -> int:
        """Number of the first frame of a clip."""

    def view(self, number: int) -> str:
        """Returns what a view, numbered from 1, is called within a sentence."""

    def new_views(self, numbers: Sequence[int]) -> str:
        """Returns what new views, numbered from 1 and rising, are called at a sentence's start."""

    def box(self, box: Box, number: int) -> str:
        """Writes a box of a view, given in fractions of it."""


class CallTerms(Terms, Protocol):
    """What reading and writing a call's arguments needs beside that."""

    @property
    def n_frames(self) -> int:
        """How many frames of a clip can be selected; 0 where the media are pictures."""

    @property
    def box_unit(self) -> str:
        """What the numbers of a box are, such as "from 0 to 1"."""

    def box_schema(self) -> dict[str, Any]:
        """Returns the JSON schema of a box."""

    def read_box(self, numbers: Sequence[float], number: int, key: str) -> Sequence[float]:
        """Turns four finite numbers into a box of a view, in fractions.

        Raises:
            OperationError: kind "bad_box".
        """

    def view_schema(self) -> dict[str, Any]:
        """Returns the JSON schema of a view."""

    def read_view(self, arguments: Mapping[str, Any], key: str) -> int:
        """Reads the number, from 1, of the view that an argument names; "" names none.

        Raises:
            OperationError: kind "bad_image".
        """

    def write_view(self, number: int) -> str:
        """Writes the name of a view, as JSON."""

    def address(self, number: int, box: Box | None) -> tuple[int, Box | None]:
        """Returns the view, and the box in it, by which a view or a region of it is asked for.

        Raises:
            ConfigError: it can't be asked for.
        """


class PlainTerms:
    """The environment's own terms.

    >>> PLAIN.new_views([2]), PLAIN.view(1), PLAIN.box((0.5, 0, 1, 1 / 3), 1)
    ('Image 2', 'image 1', '[0.5, 0, 1, 0.333]')
    """

    first = 1

    def view(self, number: int) -> str:
        """Returns "image 2"."""
        return f"image {number}"

    def new_views(self, numbers: Sequence[int]) -> str:
        """Returns "Image 2", or "Images 2 and 3"."""
        return counted("Image", numbers)

    def box(self, box: Box, number: int) -> str:
        """Writes a box with three decimals at most."""
        return "[" + ", ".join(f"{round(edge, 3):g}" for edge in box) + "]"


PLAIN = PlainTerms()


def counted(noun: str, numbers: Sequence[int]) -> str:
    """Writes a noun with its numbers, which rise.

    >>> counted("frame", [3]), counted("frame", [3, 7, 9]), counted("frame", [3, 4, 5])
    ('frame 3', 'frames 3, 7 and 9', 'frames 3 to 5')
    """
    if len(numbers) == 1:
        return f"{noun} {numbers[0]}"
    if len(numbers) > 2 and numbers[-1] - numbers[0] == len(numbers) - 1:
        return f"{noun}s {numbers[0]} to {numbers[-1]}"
    return f"{noun}s {listed([str(number) for number in numbers])}"


def listed(parts: Sequence[str], last: str = "and") -> str:
    """Joins parts by commas and one word.

    >>> listed(["90", "180", "270"], "or")
    '90, 180 or 270'
    """
    return f" {last} ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)
