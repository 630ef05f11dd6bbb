"""A policy trained with stable-baselines3, on the environment itself: no wrapper is needed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from stable_baselines3.common.policies import MultiInputActorCriticPolicy

from pixel_env.flat.episode import Memory, decode, encode, remember
from pixel_env.flat.spaces import FlatConfig, FlatObservation
from pixel_env.types import Action, Observation

from .sb3_model import load_policy


class SB3Policy:
    """Sees and acts through the same encoder and decoder as `FlatPixelEnv`.

    Attributes:
        name: short name, used in reports and trajectories.
        dialect: None: its actions are structured.
    """

    dialect = None

    def __init__(
        self,
        policy: MultiInputActorCriticPolicy,
        flat: FlatConfig,
        name: str = "sb3",
        greedy: bool = True,
    ) -> None:
        """Takes a policy.

        Args:
            policy: `model.policy` of PPO or A2C.
            flat: the sizes of `FlatPixelEnv` that it was trained with.
            name: shown in reports.
            greedy: whether the likeliest action is taken; otherwise one is drawn.
        """
        self.name = name
        self._policy = policy
        self._flat = flat
        self._is_greedy = greedy
        self._memories: dict[int, tuple[Memory, Action | None]] = {}
        self._random: dict[int, np.random.Generator] = {}

    @classmethod
    def load(cls, path: str | Path, greedy: bool = True) -> SB3Policy:
        """Loads a policy from a folder that `sb3_model.save_policy` wrote.

        Raises:
            ConfigError: there is none.
            DataError: a file of it is damaged.
        """
        policy, flat = load_policy(path)
        return cls(policy, flat, f"sb3:{path}", greedy)

    def settings(self) -> dict[str, Any]:
        """Returns how actions are chosen, and the sizes."""
        return {"greedy": self._is_greedy, **asdict(self._flat)}

    def reset(self, lane: int, seed: int | None = None) -> None:
        """Forgets the lane's last episode; `seed` fixes what is drawn in the next one."""
        self._memories.pop(lane, None)
        self._random[lane] = np.random.default_rng(seed)

    def act(self, observations: Sequence[Observation], lanes: Sequence[int]) -> list[Action]:
        """Chooses one structured action for each waiting lane."""
        flats = [self._see(each, lane) for each, lane in zip(observations, lanes, strict=True)]
        batch = {name: np.stack([flat[name] for flat in flats]) for name in flats[0]}
        batch["views"] = batch["views"].transpose(0, 3, 1, 2)
        with torch.no_grad():
            tensors: Any = {name: torch.as_tensor(array) for name, array in batch.items()}
            choice: Any = self._policy.get_distribution(tensors).distribution
        shares = [factor.probs.double().numpy() for factor in choice]  # (lanes, values) each
        actions = []
        for place, lane in enumerate(lanes):
            row = [self._choose(each[place], lane) for each in shares]
            memory, _ = self._memories[lane]
            action = decode(self._flat, memory, row)
            self._memories[lane] = memory, action
            actions.append(action)
        return actions

    def _see(self, observation: Observation, lane: int) -> FlatObservation:
        """Adds an observation to what the lane has seen, and returns all of it as arrays."""
        memory, action = self._memories.get(lane, (Memory(), None))
        memory = remember(self._flat, memory, observation, action)
        self._memories[lane] = memory, action
        return encode(self._flat, memory, observation)

    def _choose(self, shares: NDArray[np.float64], lane: int) -> int:
        """Chooses a value of one factor of the action."""
        if self._is_greedy:
            return int(shares.argmax())
        rng = self._random.setdefault(lane, np.random.default_rng())
        return int(rng.choice(len(shares), p=shares / shares.sum()))
