"""How a dialect names views: by a number from 0 or 1, by a word, or not at all."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from ...errors import ConfigError, OperationError
from ...media.geometry import FULL, Box, nest_box
from ...operations.terms import counted, listed
from ...reading import json_whole_number, quoted
from .dialect import Shown


class ViewNames(ABC):
    """One way of naming the view that an operation is carried out on.

    Attributes:
        key: the dialect's name of the argument `target_image`; "" where views aren't named.
        first: what the first view, and the first frame, is numbered.
        rule: the sentence about it in a system message.
    """

    key: str = ""
    first: int = 1
    rule: str

    def keys_of(self, name: str) -> tuple[str, ...]:
        """Returns the name of the argument for a view; none where it is not written.

        Args:
            name: the argument's own name.
        """
        if not self.key:
            return ()
        return (self.key,) if name == "target_image" else (name,)

    @abstractmethod
    def read(
        self, arguments: Mapping[str, Any], key: str, shown: Shown, is_checked: bool = True
    ) -> int:
        """Reads the number, from 1, of the view that a call names.

        Args:
            arguments: of the call.
            key: name of the argument for it.
            shown: the views that there are.
            is_checked: whether a view that there isn't is refused here.

        Raises:
            OperationError: kind "bad_image".
        """

    @abstractmethod
    def write(self, number: int) -> str:
        """Returns the JSON text that names a view by its number from 1."""

    @abstractmethod
    def schema(self) -> dict[str, Any]:
        """Returns the JSON schema of an argument that names a view."""

    @abstractmethod
    def called(self, number: int) -> str:
        """Returns what a view is called within a sentence."""

    def called_first(self, numbers: Sequence[int]) -> str:
        """Returns what new views, rising, are called at the start of a sentence."""
        return listed([self.called(number) for number in numbers])

    def address(self, number: int, box: Box | None, shown: Shown) -> tuple[int, Box | None]:
        """Returns the view, and the box in it, by which a region is asked for.

        Args:
            number: of the view that the box is in, from 1.
            box: fractions of that view; None where the view itself is asked for.
            shown: where views were cut from.

        Raises:
            ConfigError: it can't be asked for.
        """
        return number, box

    def introduce(self, n_images: int, n_frames: int) -> list[str]:
        """Returns the lines that present the first views; none for pictures that need none."""
        last = self.first + n_frames - 1
        return [f"These are frames {self.first} to {last} of a clip."] if n_frames else []


class Numbered(ViewNames):
    """Views are numbered in the order shown."""

    def __init__(self, key: str, first: int) -> None:
        """Sets the argument's name and the first number."""
        self.key = key
        self.first = first
        self.rule = (
            f"Pictures and frames are numbered from {first} in the order in which they were shown, "
            "new ones included."
        )

    def read(
        self, arguments: Mapping[str, Any], key: str, shown: Shown, is_checked: bool = True
    ) -> int:
        """Reads the number; the first view where it is left out."""
        first = self.first
        given = arguments.get(key, first)
        number = json_whole_number(given)
        if number is None:
            raise OperationError(
                "bad_image", f"{key} must be the number of a picture, from {first}."
            )
        last = first + len(shown.sizes) - 1 if is_checked else number
        if is_checked and not first <= number <= last:
            allowed = f"from {first} to {last}" if last > first else f"{first}"
            raise OperationError("bad_image", f"{key} must be {allowed}, got {quoted(given)}.")
        return number - first + 1

    def write(self, number: int) -> str:
        """Writes the number."""
        return str(number + self.first - 1)

    def schema(self) -> dict[str, Any]:
        """Returns the schema of a whole number."""
        return {
            "type": "integer",
            "minimum": self.first,
            "default": self.first,
            "description": "number of the picture to look into",
        }

    def called(self, number: int) -> str:
        """Returns "image 2"."""
        return f"image {number + self.first - 1}"

    def called_first(self, numbers: Sequence[int]) -> str:
        """Returns "Image 2", or "Images 2 and 3"."""
        return counted("Image", [number + self.first - 1 for number in numbers])


class BySource(ViewNames):
    """The first view is `original_image`, the i-th one after it `observation_i`.

    `observation_0` is the first view too: published code counts views from there.
    """

    ORIGINAL: ClassVar[str] = "original_image"
    key = "source"
    rule = (
        f"The first picture is {ORIGINAL}; the pictures after it are observation_1, observation_2 "
        "and so on, in the order in which they were shown."
    )

    def read(
        self, arguments: Mapping[str, Any], key: str, shown: Shown, is_checked: bool = True
    ) -> int:
        """Reads the name; the first view where it is left out."""
        given = arguments.get(key, self.ORIGINAL)
        found = re.fullmatch(r"observation_([0-9]{1,6})", given) if _is_text(given) else None
        number = int(found[1]) + 1 if found else 1
        is_known = found is not None or given == self.ORIGINAL
        n_views = len(shown.sizes)
        if not is_known or (is_checked and number > n_views):
            allowed = {1: "", 2: " or observation_1"}
            more = allowed.get(n_views, f" or observation_1 to observation_{n_views - 1}")
            raise OperationError(
                "bad_image", f"{key} must be {self.ORIGINAL}{more}, got {quoted(given)}."
            )
        return number

    def write(self, number: int) -> str:
        """Writes the name."""
        return f'"{self.called(number)}"'

    def schema(self) -> dict[str, Any]:
        """Returns the schema of a name."""
        return {
            "type": "string",
            "default": self.ORIGINAL,
            "description": "the picture to look into: original_image or observation_i, i from 1",
        }

    def called(self, number: int) -> str:
        """Returns "original_image" or "observation_1"."""
        return self.ORIGINAL if number == 1 else f"observation_{number - 1}"

    def introduce(self, n_images: int, n_frames: int) -> list[str]:
        """Names the first views, where there are several."""
        what = f"{n_frames} frames of a clip" if n_frames else f"{n_images} pictures"
        last = f"observation_1 to observation_{n_images - 1}" if n_images > 2 else "observation_1"
        return [f"These are {what}: {self.ORIGINAL}, {last}."] if n_images > 1 else []


class OnlyOriginal(ViewNames):
    """Only the first view can be zoomed into; a part of one cut from it is asked for there."""

    rule = "Boxes are always of the first picture, the original image."

    def read(
        self, arguments: Mapping[str, Any], key: str, shown: Shown, is_checked: bool = True
    ) -> int:
        """Returns 1."""
        return 1

    def write(self, number: int) -> str:
        """Returns nothing: no argument names it."""
        return ""

    def schema(self) -> dict[str, Any]:
        """Returns nothing: no argument names it."""
        return {}

    def called(self, number: int) -> str:
        """Returns "the original image"."""
        return "the original image"

    def called_first(self, numbers: Sequence[int]) -> str:
        """Returns "This": a new view has no name."""
        return "This" if len(numbers) == 1 else "These"

    def address(self, number: int, box: Box | None, shown: Shown) -> tuple[int, Box | None]:
        """Moves a box of any view of the first source into the original image.

        Raises:
            ConfigError: the view shows another source, or is itself asked for and isn't the first.
        """
        place = shown.place(number)
        if place.source != shown.place(1).source:
            raise ConfigError(
                "expected a region of the first picture, the only one that this dialect can look "
                f"into; got one of picture {place.source}"
            )
        if box is None and place.box != FULL:
            raise ConfigError(
                "expected the first picture, the only one that this dialect can name; "
                f"got view {number}"
            )
        return 1, None if box is None else nest_box(place.box, box)

    def introduce(self, n_images: int, n_frames: int) -> list[str]:
        """Names the original image, where there are several."""
        what = f"{n_frames} frames of a clip" if n_frames else f"{n_images} pictures"
        return [f"These are {what}; the first is the original image."] if n_images > 1 else []


def _is_text(value: object) -> bool:
    return isinstance(value, str)
