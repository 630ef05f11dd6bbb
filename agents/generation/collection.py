"""Runs whole episodes of a policy in a vector environment and records them as tokens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np
from gymnasium.vector import VectorEnv
from numpy.typing import NDArray

from pixel_env.errors import ConfigError
from pixel_env.types import Info, Observation
from pixel_env.vector import check_waits

from ..tokens.trajectory import ENV_ERROR, OVERLONG, TokenTrajectory
from .speaker import Speaker

SILENCE = ""
"""The message of a lane that is out of context: it spends the lane's remaining turns."""


def collect(
    speaker: Speaker,
    env: VectorEnv[Any, Any, Any],
    seed: int | Sequence[Sequence[int]],
    group_size: int = 1,
    env_seed: int | Sequence[int | None] | None = None,
    options: Mapping[str, Any] | None = None,
) -> list[TokenTrajectory]:
    """Runs one episode in every lane, to the end of the last one.

    An episode that outgrows the context is given up and masked, as is one that the environment
    failed. Rewards that come after a lane's own end (a group's bonus) are added to its episode.

    Args:
        speaker: samples the messages and records the tokens; its lanes have the numbers of the
            environment's.
        env: takes one message a lane, and lets lanes wait (autoreset disabled).
        seed: fixes every sampled token. A list holds each lane's own seed; lanes past its end
            wait, and none of theirs is returned.
        group_size: lanes in a group; lanes 0 to G - 1 are the first. Divides the lanes.
        env_seed: for `env.reset`; a list with the same number for all lanes of a group gives
            them the same sample, a single number gives every lane its own.
        options: for `env.reset`.

    Returns:
        One trajectory a lane that has a seed, in order.

    Raises:
        ConfigError: `group_size` doesn't divide the lanes, they reset themselves, or the lanes of
            a group got different samples.
    """
    n_lanes = env.num_envs
    if group_size < 1 or n_lanes % group_size:
        raise ConfigError(f"expected group_size to divide the {n_lanes} lanes, got {group_size}")
    check_waits(env)
    observations, infos = env.reset(
        seed=cast("Any", env_seed), options=dict(options) if options else None
    )
    ledger = _Ledger(n_lanes)
    ledger.note(infos, np.zeros(n_lanes), np.zeros(n_lanes, bool), np.ones(n_lanes, bool))
    ledger.check_groups(group_size)
    seeds = [[seed, lane] for lane in range(n_lanes)] if isinstance(seed, int) else seed
    speaking = np.arange(n_lanes) < len(seeds)
    for lane, lane_seed in enumerate(seeds):
        speaker.begin(lane, lane_seed)
    running = speaking
    while running.any():
        messages = _speak(speaker, observations, [int(lane) for lane in np.flatnonzero(running)])
        step = env.step(
            tuple(messages.get(lane, SILENCE) if running[lane] else None for lane in range(n_lanes))
        )
        observations, rewards, terminated, truncated, infos = step
        ledger.note(infos, np.asarray(rewards), np.asarray(truncated), running)
        running = running & ~(np.asarray(terminated) | np.asarray(truncated))
    return [_trajectory(speaker, ledger, lane, lane // group_size) for lane in range(len(seeds))]


def lane_values(batched: Mapping[str, Any], lane: int) -> dict[str, Any]:
    """Returns one lane's entries of vector infos, nested ones included, as plain values.

    Example:
        >>> import numpy as np
        >>> infos = {"n_calls": np.array([1, 0]), "_n_calls": np.array([True, False])}
        >>> lane_values(infos, 0), lane_values(infos, 1)
        ({'n_calls': 1}, {})
    """
    values: dict[str, Any] = {}
    for key, each in batched.items():
        present = batched.get(f"_{key}")
        if key.startswith("_") or (present is not None and not present[lane]):
            continue
        value = lane_values(each, lane) if isinstance(each, Mapping) else each[lane]
        values[key] = value.item() if isinstance(value, np.generic) else value
    return values


def lane_observation(batched: Mapping[str, Any], lane: int) -> Observation:
    """Returns one lane's observation out of batched ones."""
    values = {key: each[lane] for key, each in batched.items()}
    plain = {k: v.item() if isinstance(v, np.generic) else v for k, v in values.items()}
    return cast("Observation", plain)


class _Ledger:
    """Rewards and facts of each lane's episode, summed over its steps."""

    def __init__(self, n_lanes: int) -> None:
        self.rewards = np.zeros(n_lanes)
        self.terms: list[dict[str, float]] = [{} for _ in range(n_lanes)]
        self.facts: list[Info] = [{} for _ in range(n_lanes)]

    def note(
        self,
        infos: Info,
        rewards: NDArray[np.float64],
        truncated: NDArray[np.bool_],
        running: NDArray[np.bool_],
    ) -> None:
        """Adds one step: rewards of all lanes, facts of those that were running."""
        self.rewards += rewards
        for lane, (terms, facts) in enumerate(zip(self.terms, self.facts, strict=True)):
            of_step = lane_values(infos, lane)
            for name, value in of_step.pop("reward_terms", {}).items():
                terms[name] = terms.get(name, 0.0) + float(value)
            facts.update(of_step)
            if running[lane]:
                facts["truncated"] = bool(truncated[lane])

    def check_groups(self, group_size: int) -> None:
        """Checks that the lanes of each group have one sample."""
        for first in range(0, len(self.facts), group_size):
            names = {facts.get("sample_id") for facts in self.facts[first : first + group_size]}
            if len(names) > 1:
                raise ConfigError(
                    f"expected lanes {first} to {first + group_size - 1} on one sample, got "
                    f"{', '.join(sorted(map(str, names)))}; give them the same env_seed or index"
                )


def _speak(speaker: Speaker, observations: Mapping[str, Any], lanes: list[int]) -> dict[int, str]:
    """Returns each lane's next message; lanes out of context have none."""
    hearing = [lane for lane in lanes if not speaker.overlong(lane)]
    speaker.hear([lane_observation(observations, lane) for lane in hearing], hearing)
    speaking = [lane for lane in hearing if not speaker.overlong(lane)]
    return dict(zip(speaking, speaker.speak(speaking), strict=True))


def _trajectory(speaker: Speaker, ledger: _Ledger, lane: int, group: int) -> TokenTrajectory:
    facts = ledger.facts[lane]
    facts.pop("waiting", None)
    overlong = speaker.overlong(lane)
    record = speaker.end(lane)
    assert record is not None  # every lane with a seed began above
    grade = facts.get("grade") or {}
    facts["correct"] = bool(grade.get("correct", False))
    facts["score"] = float(grade.get("score", 0.0))
    facts["n_messages"] = record.n_messages
    return record.build(
        reward=float(ledger.rewards[lane]),
        reward_terms=ledger.terms[lane],
        sample_id=str(facts.get("sample_id", "")),
        group=group,
        info=facts,
        mask_reason=ENV_ERROR if facts.get("env_error") else OVERLONG if overlong else "",
    )
