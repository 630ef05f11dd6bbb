"""Warm-start demonstrations, made by executing the environment with the evidence at hand.

Every one is played through the environment, call by call, as a policy's messages would be, and
is kept only if no call was refused but one that is to be, and the answer grades 1.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from pixel_env.errors import DataError
from pixel_env.media.clips import ClipSource
from pixel_env.shuffle import shuffled_index
from pixel_env.types import Sample
from pixel_env.wrappers.text_action import TextAction

from .config import CLIP_KINDS, PICTURE_KINDS, DemonstrationConfig
from .demonstration import Demonstration
from .player import Player, Unsuitable
from .plays import PLAYS

MOST_TRIES = 64
"""How many samples are tried for one demonstration before it is given up."""


class Synthesis:
    """Makes demonstrations in one environment.

    Attributes:
        config: what is made.
        dropped: how often each thing kept a sample from being used, or a demonstration from
            being made at all ("given up").
    """

    def __init__(
        self,
        env: gym.Env[Any, Any],
        config: DemonstrationConfig,
        dialect: str = "pixel-reasoner",
    ) -> None:
        """Takes an environment with structured actions; its hidden sample is read."""
        self.config = config
        self.dropped: Counter[str] = Counter()
        self._env = TextAction(env, dialect)
        self._task = self._env.unwrapped.task  # type: ignore[attr-defined]
        self._wanted = kinds(config)
        self._id, self._kwargs = made_by(env)

    def run(self, skip: Collection[int] = ()) -> Iterator[Demonstration]:
        """Makes the demonstrations one by one, in order.

        Args:
            skip: numbers of those that are at hand already.
        """
        for number in range(self.config.n):
            if number not in skip:
                made = self.make(number)
                if made is not None:
                    yield made

    def make(self, number: int) -> Demonstration | None:
        """Makes one demonstration.

        Args:
            number: which one, from 0; the same number gives the same demonstration.

        Returns:
            It, or None where no sample that was tried could be used.
        """
        rng = np.random.default_rng((self.config.seed, number))
        for attempt in range(MOST_TRIES):
            position = number + attempt * self.config.n
            index = shuffled_index(position, len(self._task), self.config.seed)
            try:
                sample = self._task[index]
                kind = self._wanted[number][isinstance(sample.media[0], ClipSource)]
                self._check_category(sample, kind)
                return self._play(number, index, kind, rng)
            except Unsuitable as reason:
                self.dropped[str(reason)] += 1
            except DataError:
                self.dropped["the sample's files can't be read"] += 1
        self.dropped["given up"] += 1
        return None

    def _check_category(self, sample: Sample, kind: str) -> None:
        is_text_only = kind == "text_only"
        config = self.config
        wanted = config.text_only_categories if is_text_only else config.pixel_space_categories
        if wanted and sample.category not in wanted:
            raise Unsuitable("the sample is of another category")
        if not is_text_only and not sample.evidence:
            raise Unsuitable("the sample names no evidence")

    def _play(self, number: int, index: int, kind: str, rng: np.random.Generator) -> Demonstration:
        player = Player(self._env, index, self.config, rng)
        PLAYS[kind](player)
        score = player.answer(has_looked=kind != "text_only")
        if score != 1.0:
            raise Unsuitable("the gold answer does not grade 1")
        return Demonstration(
            number=number,
            kind=kind,
            sample_id=player.sample.id,
            category=player.sample.category,
            messages=tuple(player.messages),
            imitate=tuple(player.imitate),
            score=score,
            dialect=self._env.dialect.name,
            env_id=self._id,
            env_kwargs=self._kwargs,
            observations=tuple(player.observations),
        )


def kinds(config: DemonstrationConfig) -> list[tuple[str, str]]:
    """Returns for each demonstration its kind on a picture, and its kind on a clip.

    The shares are those of the weights up to one demonstration, in a shuffled order.

    Example:
        >>> wanted = kinds(DemonstrationConfig(n=75))
        >>> sorted(Counter(kind for kind, _ in wanted).items())  # doctest: +NORMALIZE_WHITESPACE
        [('recrop', 11), ('recrop_twice', 11), ('single_pass', 16), ('text_only', 20),
         ('zoom_further', 17)]
    """
    n_text = round(config.n * config.text_only / (config.text_only + config.pixel_space))
    n_looking = config.n - n_text
    places = (np.arange(n_looking) + 0.5) / max(n_looking, 1)
    drawn = [
        [names[i] for i in np.searchsorted(_shares(config, names), places, side="right")]
        for names in (PICTURE_KINDS, CLIP_KINDS)
    ]
    wanted = [*zip(*drawn, strict=True), *[("text_only", "text_only")] * n_text]
    order = np.random.default_rng((config.seed, config.n)).permutation(config.n)
    return [wanted[place] for place in order]


def _shares(config: DemonstrationConfig, names: tuple[str, ...]) -> NDArray[np.float64]:
    """Returns the upper ends of each kind's share of [0, 1], without the last one."""
    weights = np.array([getattr(config, name) for name in names], np.float64)
    ends: NDArray[np.float64] = weights.cumsum() / weights.sum()
    return ends[:-1]


def made_by(env: gym.Env[Any, Any]) -> tuple[str, dict[str, Any]]:
    """Returns the id of an environment and the arguments that are not the id's own.

    One that was not made by `gym.make` has the id "" and no arguments.
    """
    if env.spec is None or env.spec.id not in gym.registry:
        return "", {}
    own = gym.spec(env.spec.id).kwargs
    given = {name: value for name, value in env.spec.kwargs.items() if own.get(name) != value}
    return env.spec.id, given
