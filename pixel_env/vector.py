"""Many episodes side by side in one process, each ended lane waiting until it is reset."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ClassVar, TypeVar

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space, concatenate, create_empty_array, iterate
from numpy.typing import NDArray

from .env import PixelReasoningEnv
from .errors import ConfigError
from .registration import check_id, make_task, split_arguments
from .types import Info

Lane = gym.Env[Any, Any]
"""One environment of the vector: bare, or wrapped."""

Made = TypeVar("Made")


class PixelReasoningVectorEnv(VectorEnv[Any, Any, Any]):
    """Lanes that step together; a lane whose episode ended waits until it is reset.

    Autoreset is disabled: for a waiting lane `terminated` or `truncated` stays True, the reward
    is 0, its action is ignored, its last observation is returned again, and `infos["waiting"]`
    marks it. `reset(options={"reset_mask": mask})` starts new episodes in some lanes.

    Lanes share the pixels of a sample that several of them show. Every lane gives the episodes
    that it would give alone, with threads or without.

    Attributes:
        envs: the lanes' environments.
    """

    metadata: ClassVar[dict[str, Any]] = {  # type: ignore[misc]
        **PixelReasoningEnv.metadata,
        "autoreset_mode": AutoresetMode.DISABLED,
    }

    def __init__(self, lanes: Sequence[Callable[[], Lane]], *, n_threads: int = 0) -> None:
        """Makes the lanes.

        Args:
            lanes: one function for each lane, which makes its environment; at least one.
            n_threads: threads that step and reset lanes at once; 0 does one after another.

        Raises:
            ConfigError: there is no lane, or lanes have different spaces.
        """
        if not lanes:
            raise ConfigError("expected at least one lane, got none")
        if n_threads < 0:
            raise ConfigError(f"expected n_threads >= 0, got {n_threads}")
        self.envs = [make() for make in lanes]
        self.num_envs = len(self.envs)
        first = self.envs[0]
        for number, env in enumerate(self.envs):
            same = env.observation_space == first.observation_space
            if not same or env.action_space != first.action_space:
                raise ConfigError(f"expected lanes of equal spaces; lane {number} differs from 0")
        self.render_mode = first.render_mode
        self.single_observation_space = first.observation_space
        self.single_action_space = first.action_space
        self.observation_space = batch_space(first.observation_space, self.num_envs)
        self.action_space = batch_space(first.action_space, self.num_envs)
        self._pool = ThreadPoolExecutor(n_threads) if n_threads else None
        self._latest: list[Any] = [None] * self.num_envs
        self._terminated = np.zeros(self.num_envs, dtype=np.bool_)
        self._truncated = np.zeros(self.num_envs, dtype=np.bool_)

    @classmethod
    def from_id(
        cls,
        env_id: str,
        num_envs: int,
        *,
        wrappers: Sequence[Callable[[Lane], Lane]] = (),
        n_threads: int = 0,
        **arguments: Any,
    ) -> PixelReasoningVectorEnv:
        """Makes lanes of one registered id, over one task object.

        Args:
            env_id: as for `gym.make`, "module:id" included.
            num_envs: how many lanes.
            wrappers: put around every lane, the first one innermost.
            n_threads: as for the constructor.
            **arguments: as for `gym.make`.

        Raises:
            ConfigError: no such id is registered, or an argument is unknown.
        """
        module, _, name = env_id.rpartition(":")
        check_id(env_id)
        if module:
            importlib.import_module(module)
        made = {**gym.spec(name).kwargs, **arguments}
        return make_vector_env(num_envs, wrappers=wrappers, n_threads=n_threads, **made)

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
        seeds = self._for_lanes("seed", seed, counts_up=True)
        shared = dict(options or {})
        mask = self._mask(shared.pop("reset_mask", None))
        chosen: dict[str, list[Any]] = {
            name: self._for_lanes(name, shared.pop(name))
            for name in ("index", "id")
            if name in shared
        }

        def start(lane: int) -> tuple[Any, Info]:
            own = {name: each[lane] for name, each in chosen.items() if each[lane] is not None}
            return self.envs[lane].reset(seed=seeds[lane], options={**shared, **own})

        lanes = [int(lane) for lane in np.flatnonzero(mask)]
        infos: Info = {}
        for lane, (observation, info) in zip(lanes, self._each(start, lanes), strict=True):
            self._latest[lane] = observation
            self._terminated[lane] = self._truncated[lane] = False
            infos = self._add_info(infos, info, lane)
        return self._batched(), self._with_waiting(infos)

    def step(
        self, actions: Any
    ) -> tuple[Any, NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_], Info]:
        """Steps the lanes that don't wait.

        Args:
            actions: an element of `action_space`, or a list or tuple of one action for each lane;
                what stands for a waiting lane is ignored.

        Returns:
            Observations, rewards (lanes,) float64, terminated and truncated (lanes,) bool, infos.

        Raises:
            ConfigError: there are not as many actions as lanes.
        """
        if isinstance(actions, list | tuple):
            each = list(actions)
        else:
            each = list(iterate(self.action_space, actions))
        if len(each) != self.num_envs:
            raise ConfigError(f"expected {self.num_envs} actions, one a lane, got {len(each)}")
        waiting = self._terminated | self._truncated
        lanes = [int(lane) for lane in np.flatnonzero(~waiting)]
        rewards = np.zeros(self.num_envs, dtype=np.float64)
        infos: Info = {}
        steps = self._each(lambda lane: self.envs[lane].step(each[lane]), lanes)
        for lane, (observation, reward, terminated, truncated, info) in zip(
            lanes, steps, strict=True
        ):
            self._latest[lane] = observation
            rewards[lane] = float(reward)
            self._terminated[lane], self._truncated[lane] = terminated, truncated
            infos = self._add_info(infos, info, lane)
        infos = self._with_waiting(infos, waiting)
        return self._batched(), rewards, self._terminated.copy(), self._truncated.copy(), infos

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

    def _with_waiting(self, infos: Info, waiting: NDArray[np.bool_] | None = None) -> Info:
        """Adds the mark of the lanes that waited in this step."""
        marks = np.zeros(self.num_envs, dtype=np.bool_) if waiting is None else waiting.copy()
        return {**infos, "waiting": marks, "_waiting": np.ones(self.num_envs, dtype=np.bool_)}

    def _mask(self, mask: Any) -> NDArray[np.bool_]:
        """Checks the mask of lanes to reset; all lanes without one."""
        if mask is None:
            return np.ones(self.num_envs, dtype=np.bool_)
        checked = np.asarray(mask)
        if checked.dtype != np.bool_ or checked.shape != (self.num_envs,):
            raise ConfigError(
                f"expected reset_mask of shape ({self.num_envs},) and dtype bool, "
                f"got {checked.shape} and {checked.dtype}"
            )
        for lane, latest in enumerate(self._latest):
            if latest is None and not checked[lane]:
                raise ConfigError(f"expected reset_mask to hold lane {lane}: it was never reset")
        return checked

    def _for_lanes(self, name: str, values: Any, counts_up: bool = False) -> list[Any]:
        """Spreads an argument over the lanes."""
        if values is None:
            return [None] * self.num_envs
        if isinstance(values, int | np.integer | str):
            step = int(counts_up)
            if isinstance(values, str):
                return [values] * self.num_envs
            return [int(values) + step * lane for lane in range(self.num_envs)]
        if len(values) != self.num_envs:
            raise ConfigError(
                f"expected {name} to have {self.num_envs} entries, one a lane, got {len(values)}"
            )
        return [value.item() if isinstance(value, np.generic) else value for value in values]


def make_vector_env(
    num_envs: int,
    *,
    task: Any,
    wrappers: Sequence[Callable[[Lane], Lane]] = (),
    n_threads: int = 0,
    **arguments: Any,
) -> PixelReasoningVectorEnv:
    """Builds lanes over one task object: what `gym.make_vec` calls.

    Args:
        num_envs: how many lanes.
        task: a `Task` class, or "module:Class".
        wrappers: put around every lane, the first one innermost.
        n_threads: threads that step and reset lanes at once; 0 does one after another.
        **arguments: as for `gym.make`.

    Raises:
        ConfigError: an argument is unknown to the environment and to the task.
    """
    task_arguments, env_arguments = split_arguments(task, arguments)
    shared = make_task(task, **task_arguments)

    def make_lane() -> Lane:
        env: Lane = PixelReasoningEnv(shared, **env_arguments)
        for wrapper in wrappers:
            env = wrapper(env)
        return env

    return PixelReasoningVectorEnv([make_lane] * num_envs, n_threads=n_threads)


def _copied(value: Any) -> Any:
    """Copies arrays inside an observation; other values in it can't be changed."""
    if isinstance(value, np.ndarray):
        return value.copy()
    if isinstance(value, dict):
        return {name: _copied(each) for name, each in value.items()}
    if isinstance(value, tuple):
        return tuple(_copied(each) for each in value)
    return value
