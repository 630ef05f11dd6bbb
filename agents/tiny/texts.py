"""The texts that the tiny policy's tokenizer is trained on: its prompts, and what it may write."""

from __future__ import annotations

import itertools
from typing import Any

import gymnasium as gym
import numpy as np

from pixel_env.actions import answer, select_frames, zoom_in
from pixel_env.dialects.grammar.dialect import Dialect, Shown
from pixel_env.types import LETTERS, Observation

from ..warm_start.wording import BRIEF

GRID = tuple(f"{step / 20:g}" for step in range(21))
"""Fractions that the policy's boxes are made of."""

COUNTS = tuple(str(number) for number in range(21))


def dialect_texts(dialect: Dialect) -> list[str]:
    """Returns every kind of message that the dialect lets a policy write, with all grid numbers."""
    shown = Shown(sizes=((112, 112),), n_frames=16)
    texts = [dialect.system_prompt(brief=True)]
    for number in GRID:
        box = np.full(4, float(number))
        texts += [dialect.render({**zoom_in(box), "target_image": n}, shown) for n in (1, 2, 3)]
    texts += [dialect.render(select_frames([frame]), shown) for frame in range(1, 17)]
    pairs = zip(range(1, 16), range(2, 17), strict=True)
    texts += [dialect.render(select_frames(pair), shown) for pair in pairs]
    texts += [dialect.render(answer(text), shown) for text in (*LETTERS, *COUNTS)]
    for sentences in BRIEF.values():
        texts += [sentence.format(answer="it") for sentence in sentences]
    return texts


def episode_texts(env: gym.Env[Any, Any], dialect: Dialect, n: int, seed: int = 0) -> list[str]:
    """Plays episodes of zooms, mistakes and answers, and returns the texts of the prompts.

    Args:
        env: an environment of text actions on picture questions.
        dialect: of the environment.
        n: episodes.
        seed: of samples and zooms.
    """
    rng = np.random.default_rng(seed)
    shown = Shown(sizes=((112, 112),))
    mistakes = itertools.cycle(
        [
            dialect.render(
                {**zoom_in((0, 0, 1, 1)), "bbox": np.array([0.5, 0.5, 0.1, 0.1])}, shown
            ),
            dialect.render({**zoom_in((0, 0, 1, 1)), "target_image": 9}, shown),
            dialect.render(select_frames([1]), shown),
            "nothing",
        ]
    )
    texts: list[str] = []
    for episode in range(n):
        observation, _ = env.reset(seed=seed + episode)
        texts += _prompt_texts(dialect, observation)
        for _ in range(2):
            x1, y1 = rng.integers(0, 17, size=2)
            box = [x1 / 20, y1 / 20, (x1 + 3) / 20, (y1 + 3) / 20]
            observation, *_ = env.step(dialect.render(zoom_in(box), shown))
            texts += _prompt_texts(dialect, observation)
        observation, *_ = env.step(next(mistakes))
        texts += _prompt_texts(dialect, observation)
        texts += [str(choice) for choice in observation["choices"]]
    return texts


def clip_texts(env: gym.Env[Any, Any], dialect: Dialect, n: int, seed: int = 0) -> list[str]:
    """Plays episodes of selections, right ones and refused ones, and returns the prompts' texts.

    Args:
        env: an environment of text actions on questions about clips.
        dialect: of the environment.
        n: episodes.
        seed: of samples and frames.
    """
    rng = np.random.default_rng(seed)
    shown = Shown(sizes=((112, 112),), n_frames=99)
    texts: list[str] = []
    for episode in range(n):
        observation, _ = env.reset(seed=seed + episode)
        texts += _prompt_texts(dialect, observation)
        first = 1 + int(rng.integers(15))
        for frames in ([first, first + 1], [first], [first, 17 + int(rng.integers(9))]):
            observation, *_ = env.step(dialect.render(select_frames(frames, 99), shown))
            texts += _prompt_texts(dialect, observation)
        texts += [str(choice) for choice in observation["choices"]]
    return texts


def _prompt_texts(dialect: Dialect, observation: Observation) -> list[str]:
    return [part for part in dialect.tell(observation) if isinstance(part, str)]
