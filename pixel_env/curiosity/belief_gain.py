"""Reports at the end of an episode how its operations moved the belief in the right answer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, cast

import numpy as np
from gymnasium.vector import VectorWrapper
from numpy.typing import NDArray

from ..errors import ConfigError
from ..types import Info, Sample
from ..vector import PixelReasoningVectorEnv, check_waits

LEAST_GAIN = math.log(2)
"""One bit: the right answer has become at least twice as likely."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment of a lane's episode, and what would be right to answer then. Privileged.

    Attributes:
        lane: the lane's number, from 0.
        n_told: how many observations the policy had been given; the moment is right after the
            last of them, before its next message. 1 is the beginning.
        sample: the sample as it is shown.
    """

    lane: int
    n_told: int
    sample: Sample


class Belief(Protocol):
    """What a policy believes; it knows the conversations of its lanes by itself."""

    def __call__(self, moments: Sequence[Moment]) -> Sequence[float]:
        """Returns for each moment ln p, where p is the probability of the sample's right answer.

        It is asked while the lanes' episodes are running or have just ended. Of several right
        answers the likeliest one is meant.
        """


class BeliefGain(VectorWrapper):
    """Adds `infos["belief_gain"]` in the step that ends a lane's episode, and never before.

    With p(t), the probability that the policy gives to the sample's right answer once it has been
    given observation t, f the last observation before the episode's first operation and l the one
    that its last operation gave,

        belief_gain = ln p(l) - ln p(f)

    in nats: what the operations showed of the right answer, in their context.
    `infos["belief_raised"]` is 1 where an episode has an operation and belief_gain >= `least_gain`,
    else 0. By default that is ln 2, one bit: p has at least doubled. So an operation isn't paid
    where the policy was sure already, and of two options taken for equally likely none is; a
    smaller `least_gain` changes that.

    Only an operation counts that was executed and that another turn followed. The gain is 0
    without one, and where a fault of the data ended the episode. `GroupCuriosity` with
    `counts="belief"` pays for operations that raised the belief alone. The wrapper reads what only
    the environment knows, as a grade does; a policy learns of it by its reward alone.

    Attributes:
        belief: what is asked.

    >>> from pixel_env import answer, zoom_in
    >>> lanes = PixelReasoningVectorEnv.from_id(
    ...     "PixelReason-SyntheticSearch-v0", num_envs=2, autoreset_mode="Disabled"
    ... )
    >>> envs = BeliefGain(lanes, lambda moments: [math.log(0.2 * each.n_told) for each in moments])
    >>> _ = envs.reset(options={"index": [7, 7]})
    >>> _ = envs.step([answer(""), zoom_in([0, 0, 0.5, 0.5])])
    >>> *_, infos = envs.step([None, answer("")])
    >>> infos["belief_gain"].round(3).tolist(), infos["belief_raised"].tolist()
    ([0.0, 0.693], [0, 1])
    """

    def __init__(
        self, env: PixelReasoningVectorEnv, belief: Belief, least_gain: float = LEAST_GAIN
    ) -> None:
        """Wraps lanes; what pays for operations goes around it.

        Args:
            env: the lanes, without a wrapper around them all.
            belief: asked twice for each episode with an operation, in the step that ends it: all
                lanes that end in one step at once, each first for the moment before its operations.
            least_gain: gain in nats from which on the belief counts as raised, over 0.

        Raises:
            ConfigError: `env` is no `PixelReasoningVectorEnv` whose lanes wait, or `least_gain` is
                no such number.
        """
        if not isinstance(env, PixelReasoningVectorEnv):
            raise ConfigError(f"expected a PixelReasoningVectorEnv, got {type(env).__name__}")
        check_waits(env)
        if not least_gain > 0:
            raise ConfigError(f"expected least_gain over 0, got {least_gain}")
        super().__init__(env)
        self.belief = belief
        self._least_gain = least_gain
        self._envs = env.envs
        self._courses = [_Course() for _ in env.envs]

    def reset(
        self,
        *,
        seed: int | list[int | None] | None = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[Any, Info]:
        """Starts episodes; see `PixelReasoningVectorEnv.reset`."""
        observations, infos = self.env.reset(
            seed=seed,  # type: ignore[arg-type]  # one for each lane, as the lanes take it
            options=options,
        )
        for lane in np.flatnonzero(infos["_sample_id"]):
            self._courses[lane] = _Course()
        return observations, infos

    def step(
        self, actions: Any
    ) -> tuple[Any, NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_], Info]:
        """Takes one action for each lane; see `PixelReasoningVectorEnv.step`."""
        step = self.env.step(actions)
        observations, rewards, terminated, truncated, infos = step
        ended = (np.asarray(terminated) | np.asarray(truncated)) & ~infos["waiting"]
        for lane in np.flatnonzero(~infos["waiting"] & ~ended):
            self._courses[lane].go_on(int(infos["n_operations"][lane]))
        gains, used = self._gains(ended, infos)
        raised = (used & (gains >= self._least_gain)).astype(np.int64)
        infos |= {"belief_gain": gains, "_belief_gain": ended}
        infos |= {"belief_raised": raised, "_belief_raised": ended.copy()}
        return observations, rewards, terminated, truncated, infos

    def _gains(
        self, ended: NDArray[np.bool_], infos: Info
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Asks about the lanes that have just ended; returns gains and which used an operation."""
        faulty = np.array([bool(each) for each in infos.get("env_error", [""] * self.num_envs)])
        used = ended & ~faulty & [course.after > 0 for course in self._courses]
        gains = np.zeros(self.num_envs)
        moments = []
        for lane in (int(each) for each in np.flatnonzero(used)):
            course, sample = self._courses[lane], cast(Any, self._envs[lane].unwrapped).sample
            moments += [Moment(lane, n, sample) for n in (course.before, course.after)]
        if moments:
            beliefs = np.asarray(self.belief(moments), np.float64).reshape(-1, 2)
            gains[used] = beliefs[:, 1] - beliefs[:, 0]
        return gains, used


@dataclass(slots=True)
class _Course:
    """How far a lane's episode is.

    Attributes:
        n_observations: observations that the policy has been given.
        n_operations: operations that were executed.
        before: `n_observations` before the first operation; 0 where there is none.
        after: `n_observations` with that of the last operation; 0 where there is none.
    """

    n_observations: int = 1
    n_operations: int = 0
    before: int = 0
    after: int = 0

    def go_on(self, n_operations: int) -> None:
        """Takes a step that doesn't end the episode, and how many operations there are after it."""
        self.n_observations += 1
        if n_operations > self.n_operations:
            self.before = self.before or self.n_observations - 1
            self.after = self.n_observations
            self.n_operations = n_operations
