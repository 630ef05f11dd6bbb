"""The same scripted episode through Gymnasium and through every adapter.

A play takes (environment's id, its arguments, number of the sample, the policy's messages), and
returns what the engine was handed: (rewards, texts, pictures, left out). The sum of the rewards
counts; texts are those after each message that didn't end the episode; pictures are arrays,
(height, width, 3) uint8, in the order shown; left out is whether the engine was told to learn
nothing from it. A new adapter is one line in `PLAYS`.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np

from pixel_env.wrappers import TextAction


class Played(NamedTuple):
    """What an engine was handed."""

    rewards: Sequence[float]
    texts: Sequence[str]
    pictures: Sequence[np.ndarray]
    left_out: bool


Play = Callable[[str, Mapping[str, Any], int, Sequence[str]], Sequence[Any]]

PLAYS = {
    "trl": ("trl", "trl_scripted:play"),
    "openenv": ("openenv", "openenv_play:play"),
    "skyrl_gym": ("skyrl_gym", "skyrl_play:play"),
    "verl": ("verl", "verl_play:play"),
    "verifiers": ("verifiers", "verifiers_play:play"),
}
"""For each adapter the package that it needs, and where its play is."""


def find(name: str) -> Play:
    """Imports an adapter's play."""
    module, _, function = PLAYS[name][1].partition(":")
    return getattr(importlib.import_module(module), function)


def play_gymnasium(
    env_id: str, env_args: Mapping[str, Any], index: int, messages: Sequence[str]
) -> Played:
    """Plays the episode as `gym.make` gives it."""
    env = TextAction(gym.make(env_id, **env_args))
    observation, info = env.reset(options={"index": index})
    if "env_error" in info:  # there is nothing to show, so an engine gets nothing
        return Played([], [], [], True)
    told, rewards, texts = [*env.dialect.tell(observation)], [], []
    for message in messages:
        observation, reward, terminated, truncated, info = env.step(message)
        rewards.append(reward)
        parts = env.dialect.tell(observation)
        told += parts
        if terminated or truncated:
            break
        texts.append("".join(part for part in parts if isinstance(part, str)))
    pictures = [part for part in told if not isinstance(part, str)]
    return Played(rewards, texts, pictures, "env_error" in info)
