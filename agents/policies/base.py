"""What a policy must give: an action for every lane that waits for one.

A lane is one place where episodes run, one after the other; several lanes run at once, so
that a model can answer a batch of them in one forward pass. Lanes end at different times:
`act` is called with the waiting lanes only, in any number and order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from typing import Any, Protocol, runtime_checkable

import gymnasium as gym

from pixel_env.types import Action, Observation

from ..served.usage import Usage


class Policy(Protocol):
    """Chooses actions for a batch of lanes.

    What a policy remembers of an episode (messages, a KV cache, a random generator) it keeps
    by lane, and forgets at that lane's next `reset`.

    Attributes:
        name: short name, used in reports and trajectories.
        dialect: the action dialect that its messages are written in, such as
            "pixel-reasoner"; None for a policy whose actions are structured (`Action`).
    """

    @property
    def name(self) -> str:
        """Short name, used in reports and trajectories."""

    @property
    def dialect(self) -> str | None:
        """Name of the dialect of its messages; None where it gives structured actions."""

    def reset(self, lane: int, seed: int | None = None) -> None:
        """Starts an episode in a lane and forgets the last one there.

        Args:
            lane: number of the lane, from 0.
            seed: fixes every random choice of this episode, whatever lanes run beside it;
                None draws afresh.
        """

    def act(
        self, observations: Sequence[Observation], lanes: Sequence[int]
    ) -> Sequence[str | Action]:
        """Chooses one action for each waiting lane.

        Args:
            observations: one turn's news for each waiting lane; the first call after `reset`
                brings the episode's first observation.
            lanes: the lane of each observation, from 0; no lane occurs twice.

        Returns:
            One message (with a `dialect`) or one structured action (without) for each
            observation, in the same order.
        """


@runtime_checkable
class Privileged(Protocol):
    """A policy that may read the sample: an oracle, never a contestant."""

    def watch(self, lane: int, env: gym.Env[Any, Any]) -> None:
        """Takes the environment that runs in a lane, before the lane's first `reset`."""


@runtime_checkable
class Configured(Protocol):
    """A policy with settings that its results depend on; they go into the manifest."""

    def settings(self) -> Mapping[str, Any]:
        """Returns the settings by name, as values that JSON can hold."""


@runtime_checkable
class Described(Protocol):
    """A policy whose results depend on more than its settings; a manifest holds that too."""

    def facts(self) -> Mapping[str, Any]:
        """Returns what follows from the settings (prompt, digests of weights), as JSON can hold."""


@runtime_checkable
class Concurrent(Protocol):
    """A policy whose lanes don't wait for each other: each is asked as soon as it is ready."""

    def ask(self, observation: Observation, lane: int) -> Future[str | Action]:
        """Asks for one lane's action, and doesn't wait for it.

        It is called from several threads, for one lane never at once.

        Args:
            observation: one turn's news.
            lane: its number, from 0.

        Returns:
            The action to come. A `ServiceError` in it ends the episode, which is left out and run
            again by the next call of the same command; one that `stops` ends the evaluation.
        """


@runtime_checkable
class Noting(Protocol):
    """A policy that has more to record of a message than the message."""

    def message_facts(self, lane: int) -> Mapping[str, Any]:
        """Returns what there is to say of the lane's last message (its reasoning, its tokens).

        It is recorded beside the message and shown to no grader; values that JSON can hold.
        """


@runtime_checkable
class Metered(Noting, Protocol):
    """A policy that knows what its messages cost."""

    def usage(self, lane: int) -> Usage:
        """Returns what the lane's episode has cost so far."""
