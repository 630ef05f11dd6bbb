"""What the controls share: their name, their entry in `info`, and how a zoom is redirected."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar, cast

import gymnasium as gym
import numpy as np
from gymnasium.error import ResetNeeded
from gymnasium.utils import RecordConstructorArgs

from ..env import PixelReasoningEnv, Step
from ..episode import OUT_OF_TURNS
from ..errors import DataError, OperationError
from ..history import History
from ..media.geometry import Box, check_box
from ..operations import Operation, Outcome
from ..types import Action, Info, Observation

PASSED = "passed"
"""Key of the reason why a control let an operation through as it was asked for."""


class Control(gym.Wrapper[Observation, Action, Observation, Action], RecordConstructorArgs):
    """One control.

    Attributes:
        name: short name, used in manifests, in reports and in `info["control"]`.
    """

    name: ClassVar[str]

    @property
    def _bare(self) -> PixelReasoningEnv:
        return cast(PixelReasoningEnv, self.unwrapped)

    def _operation(self, action: object) -> Operation | None:
        """Returns the operation that an action asks for; None where it asks for none."""
        try:
            return self._bare.operations.of(action)
        except OperationError:
            return None

    def note(self, info: Info, **entry: Any) -> None:
        """Adds an entry under the control's name to `info["control"]`."""
        info["control"] = {**info.get("control", {}), self.name: entry}


class Redirection(Control):
    """What both controls share that read another region than was asked for.

    Every operation that shows a region of a view, or frames of a clip, is redirected. One that
    would be refused is passed on, so that it is refused as ever. The feedback names the region that
    was asked for, `requested_box` and `executed_box` in `info` the one that was read.
    """

    def step(self, action: Action) -> Step:
        """Takes one action; see `PixelReasoningEnv.step`."""
        operation = self._operation(action)
        asked = None if operation is None else self._previewed(operation, action)
        if operation is None or asked is None:
            return cast(Step, self.env.step(action))
        replaced, entry = self._replaced(operation, action, asked)
        observation, reward, terminated, truncated, info = self.env.step(replaced)
        if "operation_error" not in info and "env_error" not in info:
            observation = observation.copy()
            observation["feedback"] = asked.feedback + (
                "" if observation["turns_left"] else OUT_OF_TURNS
            )
            if replaced is not action:
                info["asked"] = asked.facts
        self.note(info, **entry)
        return observation, float(reward), terminated, truncated, info

    def _previewed(self, operation: Operation, action: Action) -> Outcome | None:
        """Returns what an operation would give; None where it shows no region, or is refused."""
        if operation.box is None and operation.frames is None:
            return None
        try:
            return operation.execute(action, self._bare.history)
        except (OperationError, DataError, ResetNeeded):
            return None

    def _replaced(
        self, operation: Operation, action: Action, asked: Outcome
    ) -> tuple[Action, dict[str, Any]]:
        """Returns the action to do instead, and what to note about it."""
        history = self._bare.history
        fields: dict[str, Any] = {**action}
        if operation.frames is not None:
            positions = [view.parent or 1 for view in asked.views]
            chosen = self._frames(positions, history)
            if chosen is None:
                return action, {PASSED: "no evidence is known"}
            fields[operation.frames.name] = operation.frames.built(chosen, history.n_frames)
            return cast(Action, fields), {"asked_frames": positions, "frames": chosen}
        assert operation.box is not None  # `_previewed` lets nothing else through
        box, _ = check_box(fields[operation.box.name])
        target = int(fields.get(operation.box.of, 1))
        place = self._place(target, box, history)
        if place is None:
            return action, {PASSED: "no evidence is known"}
        fields[operation.box.of], fields[operation.box.name] = place[0], np.array(place[1])
        return cast(Action, fields), {"asked_box": box, "asked_image": target, "box": place[1]}

    @abstractmethod
    def _place(self, target: int, box: Box, history: History) -> tuple[int, Box] | None:
        """Chooses a view's number and a box of it, instead of others; None to leave them."""

    @abstractmethod
    def _frames(self, positions: list[int], history: History) -> list[int] | None:
        """Chooses sampled frames, by numbers from 1, for a selection; None to leave it."""
