"""Demonstrations out of what a person played: `pixel-reason play`, or the policy "human".

Each right episode without a refused call is played again, its actions written in a dialect, so that
the demonstration holds what the environment really shows. What the person wrote beside an action
is the thinking before the call; where there is nothing, a short sentence stands there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import gymnasium as gym
import numpy as np

from pixel_env.actions import act
from pixel_env.errors import ConfigError, PixelEnvError
from pixel_env.operations import operations
from pixel_env.recordings import read_episodes
from pixel_env.recordings.episodes import Filter, Record
from pixel_env.types import Action, Observation
from pixel_env.wrappers.text_action import TextAction

from .demonstration import Demonstration
from .synthesis import made_by
from .wording import phrase, place_of


class PlayedDemonstrations:
    """Makes demonstrations of the right episodes of a folder, by number from 0.

    Attributes:
        dropped: how many episodes were left out, by reason.
    """

    def __init__(
        self, env: gym.Env[Any, Any], folder: Path, dialect: str = "pixel-reasoner"
    ) -> None:
        """Reads the folder.

        Args:
            env: one with structured actions, of the id and arguments that were played.
            folder: of the recorded episodes.
            dialect: what the messages are written in.

        Raises:
            ConfigError: the folder holds no episodes, none of them is right, or the dialect isn't
                known.
            DataError: a line is no episode.
        """
        self._env = TextAction(env, dialect)
        self._dialect = dialect
        self._records = list(read_episodes(folder, Filter(("right",)), limit=None))
        if not self._records:
            raise ConfigError(f"expected episodes with a right answer, found none in {folder}")
        self.dropped: Counter[str] = Counter()

    def __len__(self) -> int:
        """Returns how many right episodes there are."""
        return len(self._records)

    def make(self, number: int) -> Demonstration | None:
        """Makes the demonstration of one episode; None where it can't be made, which is counted."""
        record = self._records[number]
        try:
            turns = _turns(record)
            return self._played(number, record, turns)
        except PixelEnvError as fault:
            self.dropped[str(fault)] += 1
            return None

    def _played(
        self, number: int, record: Record, turns: Sequence[tuple[Action, str]]
    ) -> Demonstration:
        """Plays an episode again.

        Raises:
            ConfigError: it goes another way now, or the dialect can't write an action.
        """
        env = self._env
        observation, info = env.reset(options={"id": record.get("sample_id")})
        observations: list[Observation] = []
        messages: list[str] = []
        for action, thought in turns:
            text = thought or self._thought(action, len(messages), number)
            observations.append(observation)
            messages.append(env.dialect.compose(text, action, env.shown))
            observation, _, terminated, _, info = env.step(messages[-1])
            if "operation_error" in info or "env_error" in info:
                raise ConfigError("a call is refused when it is played again")
        if not terminated or not info["grade"]["correct"]:
            raise ConfigError("the answer is not right when it is played again")
        env_id, env_kwargs = made_by(cast(gym.Env[Any, Any], env.env))
        return Demonstration(
            number=number,
            kind=_kind(turns),
            sample_id=info["sample_id"],
            category=info["category"],
            messages=tuple(messages),
            imitate=(True,) * len(messages),
            score=float(info["grade"]["score"]),
            dialect=self._dialect,
            env_id=env_id,
            env_kwargs=env_kwargs,
            observations=tuple(observations),
        )

    def _thought(self, action: Action, n_before: int, number: int) -> str:
        """Returns a sentence before an action of which the person wrote nothing."""
        rng = np.random.default_rng((number, n_before))
        name = operations().of(action).name
        facts: dict[str, str] = {}
        if name == "answer":
            occasion, facts["answer"] = "seen" if n_before else "at_once", action["text"]
        elif name == "zoom_in":
            occasion = "further_zoom" if n_before else "first_zoom"
            x1, y1, x2, y2 = map(float, action["bbox"])
            facts["place"] = place_of((x1, y1, x2, y2))
        else:
            occasion = "first_frames"
        question = self._env.unwrapped.sample.question  # type: ignore[attr-defined]
        return phrase("brief", occasion, rng, question=question, **facts)


def _turns(record: Record) -> list[tuple[Action, str]]:
    """Returns the actions of an episode, with what was written beside each.

    Raises:
        ConfigError: it holds messages, or a refused call.
    """
    turns = []
    for turn in record["turns"]:
        given, name = turn.get("action"), turn.get("operation")
        if "operation_error" in turn:
            raise ConfigError("a call was refused")
        if not isinstance(given, Mapping) or not isinstance(name, str):
            raise ConfigError("the episode holds messages, not actions")
        names = [each.name for each in operations().named(name).arguments]
        values = {each: given[each] for each in names if each in given}
        if isinstance(values.get("frames"), list):
            values["frames"] = [place for place, is_chosen in enumerate(values["frames"], 1)
                                if is_chosen]  # fmt: skip
        thought = turn.get("reasoning")
        turns.append((act(name, **values), thought if isinstance(thought, str) else ""))
    return turns


def _kind(turns: Sequence[tuple[Action, str]]) -> str:
    """Returns the kind of demonstration that an episode is, for tables."""
    names = [operations().of(action).name for action, _ in turns[:-1]]
    if not names:
        return "text_only"
    if "select_frames" in names:
        return "select_frames"
    return "single_pass" if len(names) == 1 else "zoom_further"
