"""The state of one episode: its history, its counters, and its conversation."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import cast

import numpy as np

from .config import EnvConfig
from .drawing.picture import UNREADABLE
from .errors import OperationError
from .history import History
from .operations import OperationSet, Outcome, operations
from .reading import GivenAction
from .types import Info, Observation, View

OUT_OF_TURNS = " No turns are left."
"""Ends the feedback of an episode that is truncated without an answer."""


@dataclass(slots=True)
class Episode:
    """One episode, from reset to its end.

    Attributes:
        history: what was shown; None where the sample could not be read.
        config: the settings of the environment.
        operations: what can be done.
        fault: the fault of the data that ends the episode; "" where there is none.
        turn: steps taken.
        n_calls: operations attempted, other than answers.
        n_operations: operations executed.
        n_operation_errors: operations refused.
        ended: whether the episode is over.
        conversation: (who, text) of each message, for `render`.
    """

    history: History | None
    config: EnvConfig
    operations: OperationSet = field(default_factory=operations)
    fault: str = ""
    turn: int = 0
    n_calls: int = 0
    n_operations: int = 0
    n_operation_errors: int = 0
    ended: bool = False
    conversation: list[tuple[str, str]] = field(default_factory=list)

    def observe(self, feedback: str, views: tuple[View, ...]) -> Observation:
        """Builds an observation of fresh values."""
        images = tuple(view.image.copy() for view in views)
        sample = self.history.sample if self.history else None
        n_views = len(self.history.views) if self.history else 1
        if self.history is None and self.turn == 0:
            side = self.config.side_multiple
            images = (np.full((side, side, 3), 128, np.uint8),)
        return Observation(
            question=sample.question if sample else UNREADABLE,
            choices=sample.choices if sample else (),
            images=images,
            first_image=n_views - len(images) + 1,
            feedback=feedback,
            turn=self.turn,
            turns_left=self.config.max_turns - self.turn,
            n_frames=self.history.n_frames if self.history else 0,
        )

    def counts(self) -> Info:
        """Returns the counters as info keys."""
        return {
            "n_calls": self.n_calls,
            "n_operations": self.n_operations,
            "n_operation_errors": self.n_operation_errors,
            "n_views": len(self.history.views) if self.history else 0,
        }

    def execute(self, action: object, history: History, info: Info) -> Outcome:
        """Does what an action asks for, and counts it.

        Args:
            action: an action, or the `OperationError` of a message that could not be read.
            history: the episode's history, which gets the new views.
            info: gets the operation's name, where it is known.

        Raises:
            OperationError: it can't be done.
            DataError: the sample's files can't be read.
        """
        try:
            operation = self.operations.of(action)
        except OperationError as refusal:
            is_call = refusal.kind != "no_answer"
            self.n_calls += is_call
            self.n_operation_errors += is_call
            raise
        info["operation"] = operation.name
        if operation.is_answer:
            return operation.execute(cast(GivenAction, action), history)
        self.n_calls += 1
        try:
            outcome = operation.execute(cast(GivenAction, action), history)
        except OperationError:
            self.n_operation_errors += 1
            raise
        self.n_operations += 1
        history.add(outcome.views)
        return outcome
