"""Records some of a training's rollouts for the viewer, in the format of recorded episodes.

Each iteration has a folder of its own, and only the newest ones are kept: the disk that they take
is bounded, and a training that goes on from a checkpoint writes the iterations after it anew.

A rollout is written when the groups of its iteration have their advantages. Until then its record
waits in memory; its pictures are on the disk already.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from gymnasium.vector import VectorEnv, VectorWrapper
from numpy.typing import NDArray

from pixel_env import PixelReasoningEnv
from pixel_env.media.rgb import Image
from pixel_env.recordings.gold import GoldFile
from pixel_env.recordings.trajectory import FILE_NAME, TrajectoryFolder, TrajectoryRecord
from pixel_env.types import Info, Observation
from pixel_env.vector import PixelReasoningVectorEnv
from pixel_env.viewer import read_site
from pixel_env.viewer.drawn import draw_recorded

from ..generation.collection import lane_observation, lane_values
from ..tokens.token_logprobs import message_logprobs
from ..tokens.trajectory import TokenTrajectory

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


@dataclass(slots=True)
class _Rollout:
    """A rollout whose record is not written yet.

    Attributes:
        number: its place in the iteration, from 0, group by group.
        record: what is known of it.
        last: its last step.
    """

    number: int
    record: TrajectoryRecord
    last: _Turn | None = None

    @property
    def ended(self) -> bool:
        """Whether its own episode is over."""
        return self.last is not None and (self.last.terminated or self.last.truncated)

    def add_last(self) -> None:
        """Adds the last step to the record: nothing is added to its reward any more."""
        if self.last:
            self.record.add(
                self.last.message, self.last.observation, self.last.reward, self.last.info
            )

    def write(self) -> None:
        """Appends the record to its folder, if it has a step."""
        if self.last:
            self.record.finish(self.last.terminated, self.last.truncated, self.last.info)


class LaneRecorder(VectorWrapper):
    """Records the episodes of the lanes that `begin` names before a reset; wrap it outermost.

    Beside them it writes the right answers and the evidence of their samples, as an evaluation
    does. It reads these from the lanes' environments, and nothing that it returns holds them.

    Attributes:
        folder: has a folder for each iteration, `iteration-00000012`.
    """

    def __init__(
        self,
        env: VectorEnv[Any, Any, Any],
        folder: Path,
        keep: int,
        suffix: str,
        *,
        tokenizer: Any,
        group_size: int,
    ) -> None:
        """Wraps a vector environment.

        Args:
            env: takes one message a lane.
            folder: made with the first record.
            keep: how many of the newest iterations' folders are kept.
            suffix: put behind the names of folders; differs between processes.
            tokenizer: decodes the sampled tokens.
            group_size: rollouts in a group; the place in it is the record's `repeat`.
        """
        super().__init__(env)
        self.folder = folder
        self._keep = keep
        self._suffix = suffix
        self._tokenizer = tokenizer
        self._group_size = group_size
        self._name = re.compile(rf"iteration-(\d+){re.escape(suffix)}")
        self._iteration = 0
        self._due: Mapping[int, int] = {}
        self._running: dict[int, _Rollout] = {}
        self._waiting: dict[int, _Rollout] = {}

    def begin(self, iteration: int, due: Mapping[int, int]) -> None:
        """Names the lanes whose next episodes are recorded.

        Args:
            iteration: its number; records of another one that were never written are dropped.
            due: the lanes, with the number of their rollout in the iteration.
        """
        if iteration != self._iteration:
            self._iteration, self._waiting = iteration, {}
        self._due = due
        if due:
            TrajectoryFolder(self._folder_of(iteration))
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
        self._running = {}
        if self._due:
            into = TrajectoryFolder(self._folder_of(self._iteration))
            gold = GoldFile(into)
            indices = (options or {}).get("index")
            for lane, number in self._due.items():
                info, index = lane_values(infos, lane), _of_lane(indices, lane)
                record = TrajectoryRecord(
                    into,
                    lane_observation(observations, lane),
                    info,
                    _of_lane(seed, lane),
                    None if index is None else {"index": index},
                )
                record.note({"repeat": number % self._group_size})
                self._running[lane] = _Rollout(number, record)
                if index is not None and "env_error" not in info:
                    self._note_gold(gold, index, lane)
        return observations, infos

    def step(self, actions: Any) -> tuple[Any, NDArray[np.float64], Any, Any, Info]:
        """Takes one message a lane."""
        step = self.env.step(actions)
        observations, rewards, terminated, truncated, infos = step
        for lane, rollout in self._running.items():
            facts = lane_values(infos, lane)
            if rollout.last and rollout.ended:
                rollout.last.pay(float(rewards[lane]), facts)
                continue
            rollout.add_last()
            rollout.last = _Turn(
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

    def finish(self, rollouts: Sequence[TokenTrajectory]) -> None:
        """Ends the records of the lanes: every group has ended, and no bonus comes any more.

        Args:
            rollouts: the lanes' episodes as tokens, in the order of the lanes.
        """
        for lane, rollout in self._running.items():
            rollout.add_last()
            messages = message_logprobs(rollouts[lane], self._tokenizer)
            # A lane that is out of context sends messages that nobody sampled, after all others.
            rollout.record.note_turns({"token_logprobs": each} for each in messages)
            self._waiting[rollout.number] = rollout
        self._running = {}

    def write(self, advantages: Sequence[float | None]) -> None:
        """Writes the records of the iteration, each with its advantage.

        Args:
            advantages: of all rollouts of the iteration, by number; None for those that a training
                step leaves out, whose records have none.
        """
        for number, rollout in sorted(self._waiting.items()):
            if (advantage := advantages[number]) is not None:
                rollout.record.note({"advantage": advantage})
            rollout.write()
        if self._waiting:
            GoldFile(TrajectoryFolder(self._folder_of(self._iteration))).finish()
        self._waiting = {}

    def _note_gold(self, gold: GoldFile, index: int, lane: int) -> None:
        """Writes the right answer of a lane's sample, where the lanes are ours and know it."""
        lanes: Any = self.env.unwrapped
        if isinstance(lanes, PixelReasoningVectorEnv):
            env: Any = lanes.envs[lane].unwrapped
            if isinstance(env, PixelReasoningEnv):
                gold.note(index, env.history)

    def _found(self) -> list[int]:
        """Lists the iterations that have a folder of this process, oldest first."""
        paths = self.folder.iterdir() if self.folder.is_dir() else ()
        return sorted(int(n[1]) for n in (self._name.fullmatch(path.name) for path in paths) if n)

    def _remove(self, iteration: int) -> None:
        shutil.rmtree(self._folder_of(iteration), ignore_errors=True)

    def _folder_of(self, iteration: int) -> Path:
        return self.folder / f"iteration-{iteration:08d}{self._suffix}"


def _of_lane(values: Any, lane: int) -> int | None:
    """Returns a lane's seed or index, where each lane has its own."""
    return values[lane] if isinstance(values, list) else None
