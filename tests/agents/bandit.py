"""A vector environment of one turn: a message is right if its first letter is of the right kind."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from tiny_models import observation, tiny_encoder, tiny_model

from pixel_env.agents.tokens.encoder import Encoder


class Bandit(VectorEnv):
    """Sample i asks for an even (i even) or an odd first letter; nothing is seen, one turn."""

    metadata = {"autoreset_mode": AutoresetMode.DISABLED}  # noqa: RUF012

    def __init__(self, n_lanes: int, faulty: tuple[int, ...] = ()) -> None:
        self.num_envs = n_lanes
        self.single_action_space = gym.spaces.Text(100)
        self.faulty = faulty
        self.seen: list[list[int]] = []

    def reset(self, *, seed=None, options=None):
        self.indices = list(options["index"])
        self.seen.append(self.indices)
        return self._observations(), self._infos()

    def step(self, actions):
        rewards = np.array(
            [
                float(bool(text) and ord(text[0]) % 2 == index % 2)
                for text, index in zip(actions, self.indices, strict=True)
            ]
        )
        rewards[list(self.faulty)] = 0
        everyone = np.ones(self.num_envs, bool)
        infos = self._infos() | {
            "reward_terms": {"score": rewards, "_score": everyone},
            "_reward_terms": everyone,
            "grade": {
                "correct": rewards > 0, "_correct": everyone,
                "score": rewards, "_score": everyone,
            },
            "_grade": everyone,
            "env_error": np.array(["broken"] * self.num_envs, object),
            "_env_error": np.isin(np.arange(self.num_envs), self.faulty),
        }  # fmt: skip
        return self._observations(), rewards, everyone, ~everyone, infos

    def _infos(self) -> dict[str, Any]:
        zeros = np.zeros(self.num_envs, np.int64)
        infos: dict[str, Any] = {
            "sample_id": np.array([f"s{index}" for index in self.indices], object),
            "category": np.array(["even" if i % 2 == 0 else "odd" for i in self.indices], object),
            "n_calls": zeros, "n_operations": zeros, "n_operation_errors": zeros,
        }  # fmt: skip
        return infos | {f"_{key}": np.ones(self.num_envs, bool) for key in list(infos)}

    def _observations(self) -> dict[str, Any]:
        lanes = [observation(f"zoom {index % 2}") for index in self.indices]
        return {key: tuple(lane[key] for lane in lanes) for key in lanes[0]}


def parts(seed: int = 0) -> tuple[Any, Encoder]:
    """A tiny model that says all sorts of things, and its encoder."""
    return tiny_model("qwen2_5_vl", seed, scale=1.5), tiny_encoder("qwen2_5_vl", "none")
