"""What the controls share: their name, their entry in `info`, and how a look is redirected."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar, cast

import gymnasium as gym
import numpy as np
from gymnasium.error import ResetNeeded
from gymnasium.utils import RecordConstructorArgs

from ..actions import select_frames
from ..env import PixelReasoningEnv, Step
from ..episode import OUT_OF_TURNS, operation_of
from ..errors import DataError, OperationError
from ..history import History
from ..media.geometry import Box, check_box
from ..operations import Outcome
from ..types import Action, Info, Observation

PASSED = "passed"
"""Key of the reason why a control let a look through as it was asked for."""


class Control(gym.Wrapper[Observation, Action, Observation, Action], RecordConstructorArgs):
    """One control.

    Attributes:
        name: short name, used in manifests, in reports and in `info["control"]`.
    """

    name: ClassVar[str]

    @property
    def _bare(self) -> PixelReasoningEnv:
        return cast(PixelReasoningEnv, self.unwrapped)

    def note(self, info: Info, **entry: Any) -> None:
        """Adds an entry under the control's name to `info["control"]`."""
        info["control"] = {**info.get("control", {}), self.name: entry}


class Redirection(Control):
    """What both controls share that read another region than was asked for.

    A look that would be refused is passed on, so that it is refused as ever. The feedback tells
    the look that was asked for, `requested_box` and `executed_box` in `info` the one that was done.
    """

    def step(self, action: Action) -> Step:
        """Takes one action; see `PixelReasoningEnv.step`."""
        asked = self._previewed(action)
        if asked is None:
            return cast(Step, self.env.step(action))
        replaced, entry = self._replaced(action, asked)
        observation, reward, terminated, truncated, info = self.env.step(replaced)
        if "operation_error" not in info and "env_error" not in info:
            observation = observation.copy()
            observation["feedback"] = asked.feedback + (
                "" if observation["turns_left"] else OUT_OF_TURNS
            )
        self.note(info, **entry)
        return observation, float(reward), terminated, truncated, info

    def _previewed(self, action: Action) -> Outcome | None:
        """Returns what a look would give; None for what is no look, or would be refused."""
        if operation_name(action) not in ("zoom_in", "select_frames"):
            return None
        try:
            return operation_of(action).execute(action, self._bare.history)
        except (OperationError, DataError, ResetNeeded):
            return None

    def _replaced(self, action: Action, asked: Outcome) -> tuple[Action, dict[str, Any]]:
        """Returns the look to do instead, and what to note about it."""
        history = self._bare.history
        if asked.target_image is None:
            positions = [view.parent or 1 for view in asked.views]
            chosen = self._frames(positions, history)
            if chosen is None:
                return action, {PASSED: "no evidence is known"}
            frames = select_frames(chosen, history.n_frames)
            return frames, {"asked_frames": positions, "frames": chosen}
        box, _ = check_box(action["bbox"])
        place = self._place(asked.target_image, box, history)
        if place is None:
            return action, {PASSED: "no evidence is known"}
        entry = {"asked_box": box, "asked_image": asked.target_image, "box": place[1]}
        replaced = action.copy()
        replaced["target_image"], replaced["bbox"] = place[0], np.array(place[1])
        return replaced, entry

    @abstractmethod
    def _place(self, target: int, box: Box, history: History) -> tuple[int, Box] | None:
        """Chooses a view's number and a box of it for a zoom; None to leave it as it is."""

    @abstractmethod
    def _frames(self, positions: list[int], history: History) -> list[int] | None:
        """Chooses sampled frames, by numbers from 1, for a selection; None to leave it."""


def operation_name(action: object) -> str | None:
    """Returns the name of the operation that an action asks for; None where it asks for none."""
    try:
        return operation_of(action).name
    except OperationError:
        return None
