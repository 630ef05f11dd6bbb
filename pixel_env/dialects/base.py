"""What an action dialect is: how a model writes a call, and how it is told what came of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

from ..types import Action, Image, Observation

Part = str | Image
"""One piece of a message: text, or a picture (height, width, 3) uint8 RGB."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What a policy has been shown so far in this episode, as far as parsing a call needs it.

    Attributes:
        sizes: (width, height) in pixels of every view as shown; entry 0 is view number 1.
        n_frames: how many frames of a clip can be selected; 0 where the media are pictures.
    """

    sizes: tuple[tuple[int, int], ...]
    n_frames: int = 0


class Dialect(ABC):
    """One way of writing actions as text. Stateless: one instance serves every episode.

    Attributes:
        name: the name used in configuration.
    """

    name: ClassVar[str]

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
        """Writes an action as a model would; `parse(render(action)) == action` up to rounding."""

    @abstractmethod
    def tell(self, observation: Observation) -> tuple[Part, ...]:
        """Returns the user message that tells a policy an observation, in reading order."""
