"""Lanes that step together in one process, and what a lane does whose episode has ended."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, TypeVar

import gymnasium as gym
import numpy as np
from gymnasium.envs.registration import load_env_creator
from gymnasium.error import ResetNeeded
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space, concatenate, create_empty_array, iterate
from numpy.typing import NDArray

from ..env import PixelReasoningEnv
from ..errors import ConfigError
from ..media.heaps import decoding_threads
from ..registration import STEPS, check_id
from ..types import Info
from .arguments import checked_mask, checked_mode, for_lanes

Lane = gym.Env[Any, Any]
"""One environment of the vector: bare, or wrapped."""

Made = TypeVar("Made")

Step = tuple[Any, float, bool, bool, Info]


class PixelReasoningVectorEnv(VectorEnv[Any, Any, Any]):
    """Lanes that step together, and share the pixels of a sample that several of them show.

    Every lane gives the episodes that it would give alone, with threads or without. What a lane
    does whose episode has ended is Gymnasium's `AutoresetMode`:

    - `NEXT_STEP`, the default: the next step resets it. It ignores the lane's action and returns
      the first observation, reward 0 and no end.
    - `SAME_STEP`: the step that ends it resets it too. `infos["final_obs"]` and
      `infos["final_info"]` have what the episode ended with.
    - `DISABLED`: `reset(options={"reset_mask": mask})` resets it. Until then it takes no action.
      None in the place of an action lets a lane wait, so that the episodes of a group can end at
      different turns: it returns its last observation, reward 0 and no end, and
      `infos["waiting"]` marks it.

    Attributes:
        envs: the lanes' environments.
        autoreset_mode: what an ended lane does.
    """

    metadata: ClassVar[dict[str, Any]] = {  # type: ignore[misc]
        **PixelReasoningEnv.metadata,
        "autoreset_mode": AutoresetMode.NEXT_STEP,
    }

    def __init__(
        self,
        lanes: Sequence[Callable[[], Lane]],
        *,
        autoreset_mode: str | AutoresetMode = AutoresetMode.NEXT_STEP,
        n_threads: int = 0,
    ) -> None:
        """Makes the lanes.

        Args:
            lanes: one function for each lane, which makes its environment; at least one.
            autoreset_mode: an `AutoresetMode`, or its value: "NextStep", "SameStep", "Disabled".
            n_threads: threads that step and reset lanes at once; 0 does one after another.

        Raises:
            ConfigError: there is no lane, lanes have different spaces, or the mode is unknown.
        """
        if not lanes:
            raise ConfigError("expected at least one lane, got none")
        if n_threads < 0:
            raise ConfigError(f"expected n_threads >= 0, got {n_threads}")
        self.autoreset_mode = checked_mode(autoreset_mode)
        self.envs = [make() for make in lanes]
        self.num_envs = len(self.envs)
        first = self.envs[0]
        for number, env in enumerate(self.envs):
            same = env.observation_space == first.observation_space
            if not same or env.action_space != first.action_space:
                raise ConfigError(f"expected lanes of equal spaces; lane {number} differs from 0")
        self.metadata = {**first.metadata, "autoreset_mode": self.autoreset_mode}  # type: ignore[misc]  # each has its own
        self.render_mode = first.render_mode
        self.single_observation_space = first.observation_space
        self.single_action_space = first.action_space
        self.observation_space = batch_space(first.observation_space, self.num_envs)
        self.action_space = batch_space(first.action_space, self.num_envs)
        self._pool = decoding_threads(n_threads) if n_threads else None
        self._latest: list[Any] = [None] * self.num_envs
        self._ended = np.zeros(self.num_envs, dtype=np.bool_)

    @classmethod
    def from_id(
        cls,
        env_id: str,
        num_envs: int,
        *,
        wrappers: Sequence[Callable[[Lane], Lane]] = (),
        autoreset_mode: str | AutoresetMode = AutoresetMode.NEXT_STEP,
        n_threads: int = 0,
        **arguments: Any,
    ) -> PixelReasoningVectorEnv:
        """Makes lanes of one registered id, over one task object.

        Args:
            env_id: as for `gym.make`, "module:id" included.
            num_envs: how many lanes.
            wrappers: put around every lane, the first one innermost.
            autoreset_mode: as for the constructor.
            n_threads: as for the constructor.
            **arguments: as for `gym.make`.

        Raises:
            ConfigError: no such id is registered, it makes something else, or an argument is
                unknown.
        """
        module, _, name = env_id.rpartition(":")
        check_id(env_id)
        if module:
            importlib.import_module(module)
        spec = gym.spec(name)
        if "task" not in spec.kwargs or not isinstance(spec.vector_entry_point, str):
            raise ConfigError(f"expected an id of `register_task`, got {env_id!r}")
        limit = {} if spec.max_episode_steps is None else {STEPS: spec.max_episode_steps}
        make: Any = load_env_creator(spec.vector_entry_point)
        made: PixelReasoningVectorEnv = make(
            num_envs,
            wrappers=wrappers,
            autoreset_mode=autoreset_mode,
            n_threads=n_threads,
            **{**limit, **spec.kwargs, **arguments},
        )
        return made

    def reset(
        self,
        *,
        seed: int | Sequence[int | None] | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> tuple[Any, Info]:
        """Starts episodes in all lanes, or in those that `reset_mask` marks.

        Args:
            seed: one for each lane, or one number s: lane i gets s + i.
            options: "reset_mask": (lanes,) bool, lanes to reset, the others go on and their last
                observation is returned again; "index" or "id": one for each lane, where None
                leaves the choice to the lane; any other option goes to every lane.

        Raises:
            ConfigError: a length is wrong, or a lane that never was reset is left out.
        """
        seeds = for_lanes(self.num_envs, "seed", seed, counts_up=True)
        shared = dict(options or {})
        started = [latest is not None for latest in self._latest]
        mask = checked_mask(shared.pop("reset_mask", None), started)
        chosen: dict[str, list[Any]] = {
            name: for_lanes(self.num_envs, name, shared.pop(name))
            for name in ("index", "id")
            if name in shared
        }

        def start(lane: int) -> tuple[Any, Info]:
            own = {name: each[lane] for name, each in chosen.items() if each[lane] is not None}
            return self.envs[lane].reset(seed=seeds[lane], options={**shared, **own} or None)

        lanes = [int(lane) for lane in np.flatnonzero(mask)]
        infos: Info = {}
        for lane, (observation, info) in zip(lanes, self._each(start, lanes), strict=True):
            self._latest[lane] = observation
            self._ended[lane] = False
            infos = self._add_info(infos, info, lane)
        return self._batched(), self._with_waiting(infos, np.zeros_like(self._ended))

    def step(
        self, actions: Any
    ) -> tuple[Any, NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_], Info]:
        """Takes one action in each lane; see the class for a lane whose episode has ended.

        Args:
            actions: an element of `action_space`, or a list or tuple of one action for each lane,
                as `PixelReasoningEnv.step` takes it.

        Returns:
            Observations, rewards (lanes,) float64, terminated and truncated (lanes,) bool, infos.

        Raises:
            ConfigError: there are not as many actions as lanes.
            ResetNeeded: with autoreset disabled, a lane that has ended is given an action.
        """
        if isinstance(actions, list | tuple):
            each = list(actions)
        else:
            each = list(iterate(self.action_space, actions))
        if len(each) != self.num_envs:
            raise ConfigError(f"expected {self.num_envs} actions, one a lane, got {len(each)}")
        can_wait = self.autoreset_mode is AutoresetMode.DISABLED
        waiting = np.array([can_wait and action is None for action in each])
        late = [int(lane) for lane in np.flatnonzero(self._ended & ~waiting)]
        if can_wait and late:
            raise ResetNeeded(
                f"expected no action for lanes {late}, whose episodes have ended: reset them with "
                "reset(options={'reset_mask': mask}), or give None to let them wait"
            )
        lanes = [int(lane) for lane in np.flatnonzero(~waiting)]
        rewards = np.zeros(self.num_envs, dtype=np.float64)
        terminated, truncated = np.zeros_like(self._ended), np.zeros_like(self._ended)
        infos: Info = {}
        steps = self._each(lambda lane: self._step_lane(lane, each[lane]), lanes)
        for lane, (step, final) in zip(lanes, steps, strict=True):
            self._latest[lane], rewards[lane], terminated[lane], truncated[lane], info = step
            for entry in (final, info):
                infos = self._add_info(infos, entry, lane)
        ends = self.autoreset_mode is not AutoresetMode.SAME_STEP
        self._ended = (self._ended & waiting) | ((terminated | truncated) & ends)
        infos = self._with_waiting(infos, waiting)
        return self._batched(), rewards, terminated, truncated, infos

    def _step_lane(self, lane: int, action: Any) -> tuple[Step, Info]:
        """Steps a lane, or resets it; returns also what its episode ended with, if it did."""
        env = self.envs[lane]
        if self._ended[lane]:  # and autoreset is NEXT_STEP: other lanes that ended don't come here
            observation, info = env.reset()
            return (observation, 0.0, False, False, info), {}
        observation, reward, terminated, truncated, info = env.step(action)
        final: Info = {}
        if (terminated or truncated) and self.autoreset_mode is AutoresetMode.SAME_STEP:
            final = {"final_obs": observation, "final_info": info}
            observation, info = env.reset()
        return (observation, float(reward), terminated, truncated, info), final

    def render(self) -> tuple[Any, ...]:
        """Returns what every lane renders."""
        return tuple(env.render() for env in self.envs)

    def call(self, name: str, *args: Any, **kwargs: Any) -> tuple[Any, ...]:
        """Calls a method of every lane, or reads an attribute of it, through its wrappers."""
        found = [env.get_wrapper_attr(name) for env in self.envs]
        return tuple(each(*args, **kwargs) if callable(each) else each for each in found)

    def get_attr(self, name: str) -> tuple[Any, ...]:
        """Reads an attribute of every lane, through its wrappers."""
        return tuple(env.get_wrapper_attr(name) for env in self.envs)

    def set_attr(self, name: str, values: Any) -> None:
        """Sets an attribute of every lane.

        Args:
            name: of the attribute.
            values: a list or tuple of one value a lane, or one for all.

        Raises:
            ConfigError: there are not as many values as lanes.
        """
        own = values if isinstance(values, list | tuple) else [values] * self.num_envs
        if len(own) != self.num_envs:
            raise ConfigError(f"expected {self.num_envs} values, one a lane, got {len(own)}")
        for env, value in zip(self.envs, own, strict=True):
            env.set_wrapper_attr(name, value)

    def close_extras(self, **kwargs: Any) -> None:
        """Closes the lanes and the threads."""
        for env in self.envs:
            env.close()
        if self._pool:
            self._pool.shutdown()

    def _each(self, work: Callable[[int], Made], lanes: Sequence[int]) -> list[Made]:
        """Does something for some lanes, in threads where there are any; results in order."""
        if self._pool is None:
            return [work(lane) for lane in lanes]
        return list(self._pool.map(work, lanes))

    def _batched(self) -> Any:
        """Batches the lanes' last observations as fresh values."""
        empty: Any = create_empty_array(self.single_observation_space, n=self.num_envs)
        fresh = [_copied(observation) for observation in self._latest]
        return concatenate(self.single_observation_space, fresh, empty)

    def _with_waiting(self, infos: Info, waiting: NDArray[np.bool_]) -> Info:
        """Adds the mark of the lanes that waited, where lanes can wait."""
        if self.autoreset_mode is not AutoresetMode.DISABLED:
            return infos
        return {**infos, "waiting": waiting, "_waiting": np.ones_like(waiting)}


def _copied(value: Any) -> Any:
    """Copies arrays inside an observation; other values in it can't be changed."""
    if isinstance(value, np.ndarray):
        return value.copy()
    if isinstance(value, dict):
        return {name: _copied(each) for name, each in value.items()}
    if isinstance(value, tuple):
        return tuple(_copied(each) for each in value)
    return value
