"""The floor: a policy that answers at once and makes no call. It is no model."""

from __future__ import annotations

from collections.abc import Sequence

from pixel_env.actions import answer
from pixel_env.types import Action, Observation


class DirectPolicy:
    """Answers the first option, or an empty text where there are none, with no operation.

    Its score is what the order of options gives away; with shuffled options it is chance.

    Example:
        >>> DirectPolicy().act([{"choices": ("left", "right")}], [0])[0]["text"]
        'A'
    """

    name = "direct"
    dialect = None

    def reset(self, lane: int, seed: int | None = None) -> None:
        """Does nothing: every episode is answered alike."""

    def act(self, observations: Sequence[Observation], lanes: Sequence[int]) -> list[Action]:
        """Answers every lane."""
        return [answer("A" if observation["choices"] else "") for observation in observations]
