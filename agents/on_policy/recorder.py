"""Records some of a training's rollouts for the viewer, in the format of recorded episodes.

Each iteration has a folder of its own, and only the newest ones are kept: the disk that they take
is bounded, and a training that goes on from a checkpoint writes the iterations after it anew.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from gymnasium.vector import VectorEnv, VectorWrapper
from numpy.typing import NDArray

from pixel_env.media.rgb import Image
from pixel_env.recordings.trajectory import FILE_NAME, TrajectoryFolder, TrajectoryRecord
from pixel_env.types import Info, Observation
from pixel_env.viewer import read_site
from pixel_env.viewer.drawn import draw_recorded

from ..generation.collection import lane_observation, lane_values

_LATE = ("curiosity_bonus", "operation_penalty", "rapr")
"""Facts of an episode that come after its own end, when its group has ended."""


@dataclass(slots=True)
class _Turn:
    """A step that is not written yet: a bonus may still be added to it."""

    message: object
    observation: Observation
    reward: float
    info: Info
    terminated: bool
    truncated: bool

    def pay(self, reward: float, facts: Mapping[str, Any]) -> None:
        """Adds a reward and facts that came after the episode's end."""
        self.reward += reward
        terms = dict(self.info.get("reward_terms", {}))
        for name, value in facts.get("reward_terms", {}).items():
            terms[name] = terms.get(name, 0.0) + value
        late = {name: facts[name] for name in _LATE if name in facts}
        self.info = {**self.info, **late, "reward_terms": terms}


class LaneRecorder(VectorWrapper):
    """Records the episodes of the lanes that `begin` names before a reset; wrap it outermost.

    Attributes:
        folder: has a folder for each iteration, `iteration-00000012`.
    """

    def __init__(self, env: VectorEnv[Any, Any, Any], folder: Path, keep: int, suffix: str) -> None:
        """Wraps a vector environment.

        Args:
            env: takes one message a lane.
            folder: made with the first record.
            keep: how many of the newest iterations' folders are kept.
            suffix: put behind the names of folders; differs between processes.
        """
        super().__init__(env)
        self.folder = folder
        self._keep = keep
        self._suffix = suffix
        self._name = re.compile(rf"iteration-(\d+){re.escape(suffix)}")
        self._lanes: Collection[int] = ()
        self._into: TrajectoryFolder | None = None
        self._records: dict[int, TrajectoryRecord] = {}
        self._last: dict[int, _Turn] = {}

    def begin(self, iteration: int, lanes: Collection[int]) -> None:
        """Names the lanes whose next episodes are recorded, and their iteration."""
        self._lanes, self._into = lanes, None
        if lanes:
            self._into = TrajectoryFolder(self._folder_of(iteration))
            for number in self._found()[: -self._keep]:
                self._remove(number)

    def forget_after(self, iteration: int) -> None:
        """Removes the folders of later iterations: they will run again."""
        for number in self._found():
            if number > iteration:
                self._remove(number)

    def reset(
        self,
        *,
        seed: int | list[int | None] | None = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[Any, Info]:
        """Starts episodes in all lanes, and records of those that `begin` named."""
        observations, infos = self.env.reset(
            seed=seed,  # type: ignore[arg-type]  # one for each lane, as the vectors take it
            options=options,
        )
        self._last = {}
        self._records = {}
        if self._into is not None:
            for lane in self._lanes:
                first = lane_observation(observations, lane)
                self._records[lane] = TrajectoryRecord(
                    self._into, first, lane_values(infos, lane), _of_lane(seed, lane)
                )
        return observations, infos

    def step(self, actions: Any) -> tuple[Any, NDArray[np.float64], Any, Any, Info]:
        """Takes one message a lane."""
        step = self.env.step(actions)
        observations, rewards, terminated, truncated, infos = step
        for lane, record in self._records.items():
            facts, last = lane_values(infos, lane), self._last.get(lane)
            if last and (last.terminated or last.truncated):
                last.pay(float(rewards[lane]), facts)
                continue
            if last:
                record.add(last.message, last.observation, last.reward, last.info)
            self._last[lane] = _Turn(
                actions[lane],
                lane_observation(observations, lane),
                float(rewards[lane]),
                facts,
                bool(terminated[lane]),
                bool(truncated[lane]),
            )
        return step

    def pictures(self, iteration: int, most: int) -> list[Image]:
        """Draws the first recorded rollouts of an iteration; [] where there are none."""
        folder = self._folder_of(iteration)
        if not (folder / FILE_NAME).exists():
            return []
        site = read_site(folder, limit=most)
        shown = [number for number, row in enumerate(site.rows) if row.get("picture")]
        return [draw_recorded(site, number) for number in shown]

    def finish(self) -> None:
        """Writes the records: every group has ended, and no bonus comes any more."""
        for lane, record in self._records.items():
            if last := self._last.get(lane):
                record.add(last.message, last.observation, last.reward, last.info)
                record.finish(last.terminated, last.truncated, last.info)
        self._records = {}

    def _found(self) -> list[int]:
        """Lists the iterations that have a folder of this process, oldest first."""
        paths = self.folder.iterdir() if self.folder.is_dir() else ()
        return sorted(int(n[1]) for n in (self._name.fullmatch(path.name) for path in paths) if n)

    def _remove(self, iteration: int) -> None:
        shutil.rmtree(self._folder_of(iteration), ignore_errors=True)

    def _folder_of(self, iteration: int) -> Path:
        return self.folder / f"iteration-{iteration:08d}{self._suffix}"


def _of_lane(seed: Any, lane: int) -> int | None:
    return seed[lane] if isinstance(seed, list) else None
