"""Reports at the end of an episode whether its operations showed the evidence."""

from __future__ import annotations

from typing import Any, cast

import gymnasium as gym
from gymnasium.utils import RecordConstructorArgs

from ..env import PixelReasoningEnv
from ..errors import ConfigError
from ..evidence import SEEN_SHARE, coverage_of
from ..media.clips import ClipSource
from ..types import Action, Info, Observation

LEAST_GAIN = 2.0
"""An operation gains something where it shows the evidence with this many times the overview's
pixels: a "zoom" on nearly the whole picture has everything in view and shows nothing new."""


class EvidenceSeen(gym.Wrapper[Observation, Action, Observation, Action], RecordConstructorArgs):
    """Adds `info["evidence_seen"]` in the step that ends an episode, and never before.

    It is 1 where one view holds at least three quarters of the evidence, every box of it, and
    shows it with at least `least_gain` times the pixels that the overview has for it; else 0, also
    where no evidence is known. `CuriosityReward` and `GroupCuriosity` with `counts="evidence"` pay
    for such operations alone: not for the call, but for what it gained. The wrapper reads what only
    the environment knows, as a grade does; a policy learns of it by its reward alone.

    >>> import gymnasium as gym, pixel_env
    >>> env = EvidenceSeen(gym.make("PixelReason-SyntheticSearch-v0"))
    >>> seen = []
    >>> for _ in range(2):
    ...     _ = env.reset(options={"index": 0})
    ...     box = (0, 0, 1, 1) if not seen else env.unwrapped.sample.evidence[0].box
    ...     _ = env.step(pixel_env.zoom_in(box))
    ...     seen.append(env.step(pixel_env.answer(""))[-1]["evidence_seen"])
    >>> seen
    [0, 1]
    """

    def __init__(self, env: gym.Env[Observation, Action], least_gain: float = LEAST_GAIN) -> None:
        """Wraps an environment.

        Args:
            env: a `PixelReasoningEnv`, or one wrapped.
            least_gain: pixels in the view / pixels in the overview, at least 0.

        Raises:
            ConfigError: `least_gain` is negative or not a number.
        """
        if not least_gain >= 0:
            raise ConfigError(f"expected least_gain >= 0, got {least_gain}")
        RecordConstructorArgs.__init__(self, least_gain=least_gain)
        super().__init__(env)
        self._least_gain = least_gain

    def step(self, action: Action) -> tuple[Observation, float, bool, bool, Info]:
        """Takes one action; see `PixelReasoningEnv.step`."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        if terminated or truncated:
            info["evidence_seen"] = 0 if info.get("env_error") else int(self._gained())
        return observation, float(reward), terminated, truncated, info

    def _gained(self) -> bool:
        """Whether the episode's operations showed the evidence, and larger than the overview."""
        bare = cast(Any, self.unwrapped)
        assert isinstance(bare, PixelReasoningEnv)  # the constructor of the wrapper took no other
        sample = bare.sample
        is_clip = isinstance(sample.media[0], ClipSource)
        found = coverage_of(sample.evidence, bare.views, is_clip=is_clip)
        if found is None:
            return False
        return found.share >= SEEN_SHARE and found.magnification >= self._least_gain
