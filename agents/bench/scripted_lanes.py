"""Lanes that carry out a script, whatever the policy writes.

A model with random weights never writes a call. Here it writes what it would, every token sampled
and recorded, and is shown the outcome of a scripted message: so that a rollout of it has
operations, turns and different rewards as one of a trained policy does, on the same code.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium.vector import VectorEnv, VectorWrapper
from numpy.typing import NDArray

from pixel_env.actions import answer, zoom_in
from pixel_env.errors import ConfigError
from pixel_env.types import Action, Info

from ..policies.demonstration import right_answer

SIDE = 0.4
"""Side of a scripted zoom, as a fraction of the picture."""

WRONG = "none of these"


class ScriptedLanes(VectorWrapper):
    """Puts scripted messages in the place of the policy's; wrap it outermost.

    The k-th lane of a group, from 0, zooms 1 + k mod `most_zooms` times into the first picture,
    then answers: right in the first half of the group, wrong in the second.
    """

    def __init__(self, env: VectorEnv[Any, Any, Any], group_size: int, most_zooms: int) -> None:
        """Wraps lanes of `TextAction` environments.

        Args:
            env: takes one message a lane.
            group_size: lanes in a group, at least 2.
            most_zooms: most zooms of an episode, at least 1.

        Raises:
            ConfigError: a number is too small.
        """
        super().__init__(env)
        if group_size < 2 or most_zooms < 1:
            raise ConfigError(
                f"expected group_size >= 2 and most_zooms >= 1, got {group_size} and {most_zooms}"
            )
        self._group_size = group_size
        self._most_zooms = most_zooms
        self._turns = np.zeros(self.num_envs, np.int64)

    def reset(
        self,
        *,
        seed: int | list[int | None] | None = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[Any, Info]:
        """Starts episodes, and their scripts."""
        mask = (options or {}).get("reset_mask", np.ones(self.num_envs, np.bool_))
        self._turns[np.asarray(mask, np.bool_)] = 0
        return self.env.reset(
            seed=seed,  # type: ignore[arg-type]  # one for each lane, as the vectors take it
            options=options,
        )

    def step(self, actions: Any) -> tuple[Any, NDArray[np.float64], Any, Any, Info]:
        """Takes one message a lane, and carries out the script instead."""
        lanes: Any = self.env.unwrapped
        facts = zip(
            lanes.get_attr("dialect"),
            lanes.get_attr("shown"),
            lanes.get_attr("sample"),
            strict=True,
        )
        messages = [
            None
            if actions[lane] is None  # the lane waits
            else dialect.compose("", self._action(lane, sample), shown)
            for lane, (dialect, shown, sample) in enumerate(facts)
        ]
        self._turns += 1
        return self.env.step(messages)

    def _action(self, lane: int, sample: Any) -> Action:
        """Returns what a lane does in its turn."""
        member = lane % self._group_size
        turn = int(self._turns[lane])
        if turn <= member % self._most_zooms:
            x, y = (member / self._group_size * (1 - SIDE), turn / self._most_zooms * (1 - SIDE))
            return zoom_in([x, y, x + SIDE, y + SIDE], target_image=1)
        is_right = member < self._group_size / 2
        return answer(right_answer(sample) if is_right else WRONG)
