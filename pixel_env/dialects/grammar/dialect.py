"""What an action dialect is: how a model writes a call, and how it reads the result."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

from ...media.geometry import FULL, Box
from ...media.rgb import Image
from ...operations import operations
from ...types import Action, Info, Observation

Part = str | Image
"""One piece of a message: text, or a picture (height, width, 3) uint8 RGB."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a view was cut from.

    Attributes:
        source: which source picture or sampled frame, from 1.
        box: the rectangle of the source that it shows, fractions of the source.
    """

    source: int
    box: Box = FULL


@dataclass(frozen=True, slots=True)
class Shown:
    """What a policy has been shown so far in this episode, as far as a dialect needs it.

    Attributes:
        sizes: (width, height) in pixels of every view as shown; entry 0 is view number 1.
        n_frames: how many frames of a clip can be selected; 0 where the media are pictures.
        places: where the views were cut from; entry 0 is view number 1. A view without an entry
            is the whole source of its number.
    """

    sizes: tuple[tuple[int, int], ...]
    n_frames: int = 0
    places: tuple[Place, ...] = ()

    def place(self, number: int) -> Place:
        """Returns where a view, numbered from 1, was cut from."""
        return self.places[number - 1] if 1 <= number <= len(self.places) else Place(number)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a message was read as.

    Attributes:
        action: the action, its box in fractions of the target view.
        written_box: the four numbers of a zoom as written, in the dialect's coordinate frame.
        clamped: whether the dialect clamped them to the frame.
    """

    action: Action
    written_box: tuple[float, ...] | None = None
    clamped: bool = False


class Dialect(ABC):
    """One way of writing actions as text. Stateless: one instance serves every episode.

    Attributes:
        name: the name used in configuration.
        coordinate_frame: what the numbers of a box are: "fractions", "thousandths" or "pixels".
    """

    name: ClassVar[str]
    coordinate_frame: str = "fractions"

    @abstractmethod
    def tool_schemas(self) -> list[dict[str, Any]]:
        """Returns the operations as JSON-schema function descriptions."""

    @abstractmethod
    def system_prompt(self, brief: bool = False) -> str:
        """Returns the system message; `brief` leaves out the schemas, which a policy may know."""

    @abstractmethod
    def parse(self, text: str, shown: Shown) -> Action:
        """Reads the one action that a message holds.

        Raises:
            OperationError: the message holds no action, several, or one that can't be read.
        """

    @abstractmethod
    def render(self, action: Action, shown: Shown) -> str:
        """Writes an action as a model would; `parse(render(action)) == action` up to rounding.

        Raises:
            ConfigError: the dialect can't write it.
        """

    @abstractmethod
    def tell(self, observation: Observation) -> tuple[Part, ...]:
        """Returns an observation as the user message to a policy, in reading order."""

    def read(self, text: str, shown: Shown) -> Reading:
        """Reads a message as `parse` does, and returns what was written; see there for errors."""
        return Reading(self.parse(text, shown))

    def compose(self, thought: str, action: Action, shown: Shown) -> str:
        """Writes a whole message: the thinking first, then the action.

        Raises:
            ConfigError: the dialect can't write the action.
        """
        separator = " " if operations().of(action).is_answer else "\n"
        return thought + separator + self.render(action, shown)

    def feedback(self, observation: Observation, info: Info, shown: Shown) -> str:
        """Returns the environment's feedback in the dialect's own terms.

        Args:
            observation: what the environment gave, its feedback in fractions and numbers from 1.
            info: what the environment gave beside it.
            shown: what has been shown, the new views included.
        """
        return observation["feedback"]
