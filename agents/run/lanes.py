"""The lanes that a policy is trained in: environments that take messages, and what pays them."""

from __future__ import annotations

import math

from gymnasium.vector import AutoresetMode

import pixel_env
from pixel_env.curiosity.belief_gain import LEAST_GAIN
from pixel_env.errors import ConfigError
from pixel_env.vector import PixelReasoningVectorEnv
from pixel_env.wrappers import (
    AdaptiveCuriosity,
    BeliefGain,
    EvidenceSeen,
    GroupCuriosity,
    TextAction,
)

from ..on_policy.belief import PolicyBelief
from ..on_policy.curiosity_options import CuriosityOptions
from ..on_policy.lanes import TrainingLanes
from .config import RunConfig


def training_lanes(
    config: RunConfig, n_processes: int = 1, belief: PolicyBelief | None = None
) -> TrainingLanes:
    """Makes the lanes of one process, no more than its share of the groups needs.

    Args:
        config: of the run.
        n_processes: how many processes share an iteration's groups.
        belief: that of the policy, where a belief that rose is paid.

    Raises:
        ConfigError: there is no such environment, several processes would each keep a history
            for the bonus, or a belief is paid that isn't given.
    """
    options, rl = config.curiosity, config.on_policy
    if n_processes > 1 and options.enabled and options.threshold_from != "setting":
        raise ConfigError(
            f"expected one process where thresholds come from {options.threshold_from}, "
            f"got {n_processes}: each would know its own rollouts only"
        )
    share = math.ceil(rl.groups_per_iteration / n_processes) * rl.group_size
    lanes = PixelReasoningVectorEnv.from_id(
        config.env,
        min(config.lanes or share, share),
        wrappers=[
            *([EvidenceSeen] if options.counts == "evidence" else []),
            lambda env: TextAction(env, config.dialect),
        ],
        autoreset_mode=AutoresetMode.DISABLED,
        **config.env_args,
    )
    first = lanes.envs[0].unwrapped
    assert isinstance(first, pixel_env.PixelReasoningEnv)  # `from_id` makes nothing else
    if not options.enabled:
        return TrainingLanes(lanes, len(first.task))
    if options.counts != "belief":
        curiosity = _paying(lanes, rl.group_size, options)
        return TrainingLanes(curiosity, len(first.task), curiosity=curiosity)
    if belief is None:
        raise ConfigError("expected the policy's belief where one that rose is paid, got none")
    least_gain = LEAST_GAIN if options.least_gain is None else options.least_gain
    curiosity = _paying(BeliefGain(lanes, belief, least_gain), rl.group_size, options)
    return TrainingLanes(curiosity, len(first.task), curiosity=curiosity, listener=belief.follow)


def _paying(
    judged: PixelReasoningVectorEnv | BeliefGain, group_size: int, options: CuriosityOptions
) -> GroupCuriosity:
    """Puts the curiosity wrapper that the options name around the lanes."""
    preset, counts, numbers = options.preset, options.counts, options.overrides()
    if options.threshold_from == "setting":
        return GroupCuriosity(judged, group_size, preset, counts, **numbers)
    per = options.threshold_from.removesuffix(" history")
    return AdaptiveCuriosity(judged, group_size, preset, counts, per, **numbers)
