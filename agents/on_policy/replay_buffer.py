"""Selective sample replay: rollouts that taught something are kept, to fill up later batches.

As training goes on, more and more groups come out all right or all wrong; their advantages are
0 and the batch shrinks. Selective sample replay (VL-Rethinker, arXiv 2504.08837, used by Pixel
Reasoner) fills it up with earlier rollouts, drawn in proportion to |advantage| ** power.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pixel_env.errors import ConfigError

from ..tokens.facts import Rollout, RolloutFacts
from ..tokens.trajectory import TokenTrajectory
from ..training.processes import ONE_PROCESS, Processes


@dataclass(frozen=True, slots=True, eq=False)
class Experience:
    """A rollout with what it is worth.

    Attributes:
        trajectory: the rollout, with its log-probabilities as recorded while generating; the
            facts of it where another process has it.
        advantage: its advantage over its group.
    """

    trajectory: Rollout
    advantage: float

    @property
    def teaches(self) -> bool:
        """Whether the policy can learn from it: not masked, not empty, its advantage not 0."""
        useful = not self.trajectory.masked and self.trajectory.n_trainable > 0
        return useful and self.advantage != 0


class ReplayBuffer:
    """Keeps the newest rollouts that taught something.

    Attributes:
        capacity: how many are kept, at most; the oldest go first.
        power: how strongly large advantages are preferred; 0 draws all alike.
    """

    def __init__(
        self,
        capacity: int,
        power: float = 1.0,
        seed: int = 0,
        processes: Processes = ONE_PROCESS,
    ) -> None:
        """Makes an empty buffer.

        Args:
            capacity: at least 0; 0 keeps nothing.
            power: at least 0.
            seed: fixes what is drawn.
            processes: those that share the rollouts.

        Raises:
            ConfigError: a number is negative.
        """
        if capacity < 0 or not power >= 0:
            raise ConfigError(
                f"expected capacity and power of at least 0, got {capacity} and {power}"
            )
        self.capacity = capacity
        self.power = power
        self._seed = seed
        self._processes = processes
        self._kept: deque[Experience] = deque(maxlen=capacity)

    def __len__(self) -> int:
        return len(self._kept)

    def add(self, experiences: Iterable[Experience]) -> None:
        """Keeps those that teach, in place of the oldest."""
        self._kept.extend(each for each in experiences if each.teaches)

    def draw(self, n: int, iteration: int) -> list[Experience]:
        """Draws rollouts, none of them twice, with P(i) = |A_i| ** power / sum |A_j| ** power.

        Args:
            n: how many; fewer come where fewer are kept.
            iteration: the same iteration draws the same from the same contents.
        """
        count = min(n, len(self._kept))
        if count <= 0:
            return []
        weights = np.abs([each.advantage for each in self._kept]) ** self.power
        rng = np.random.default_rng([self._seed, iteration])
        chosen = rng.choice(len(weights), size=count, replace=False, p=weights / weights.sum())
        return [self._kept[int(index)] for index in chosen]

    def trajectories(self) -> list[TokenTrajectory]:
        """Brings the kept rollouts together in the first process, oldest first, for a checkpoint.

        All processes must call it; those other than the first get [].
        """
        numbered = enumerate(each.trajectory for each in self._kept)
        here = {n: each for n, each in numbered if isinstance(each, TokenTrajectory)}
        together: dict[int, TokenTrajectory] = {}
        for part in self._processes.gather_in_first(here):
            together |= part
        return [together[number] for number in sorted(together)]

    def state(self) -> dict[str, Any]:
        """Returns what a checkpoint keeps beside the trajectories, of JSON's types."""
        return {"advantages": [each.advantage for each in self._kept]}

    def restore(self, trajectories: Sequence[TokenTrajectory], state: dict[str, Any]) -> None:
        """Takes back what `trajectories` and `state` gave; of several processes each its share.

        Raises:
            ConfigError: there are not as many advantages as trajectories.
        """
        advantages = state["advantages"]
        if len(advantages) != len(trajectories):
            raise ConfigError(
                f"expected an advantage for each of {len(trajectories)} trajectories, "
                f"got {len(advantages)}"
            )
        mine = self._processes.share(len(trajectories))
        self._kept.clear()
        for number, (each, advantage) in enumerate(zip(trajectories, advantages, strict=True)):
            rollout = each if number in mine else RolloutFacts.of(each)
            self._kept.append(Experience(rollout, float(advantage)))
