"""Teaches the tiny policy all four synthetic twins: makes the weights in agents/base_weights.

    python scripts/dev/pretrain_twins.py --out agents/base_weights
    python scripts/dev/pretrain_twins.py --out agents/base_weights --device cuda --workers 12

starts from the weights that `pretrain_tiny.py` makes of scenes, with a tokenizer that has the texts
of all twins, and teaches lessons of scenes, boards, pages and clips together. The folder --work
gets a curve with the lessons' accuracy by twin, and checkpoints: the same call goes on after a
stop, and may name more --steps, or fewer.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from rich.console import Console

from pixel_env.agents.model.device import checked_device
from pixel_env.agents.model.loading import load
from pixel_env.agents.model.vision_tower import use_fast_tower
from pixel_env.agents.run.config import tiny_defaults
from pixel_env.agents.run.progress import StageBars
from pixel_env.agents.tiny import model as tiny
from pixel_env.agents.tiny.carried_over import carry_over
from pixel_env.agents.tiny.joint import JointConfig, JointTraining
from pixel_env.agents.tiny.lesson_batches import Taught
from pixel_env.agents.tiny.pretraining import as_trajectory
from pixel_env.agents.tiny.texts import clip_texts, dialect_texts, episode_texts
from pixel_env.agents.tokens.encoder import Encoder
from pixel_env.dialects import get_dialect
from pixel_env.tasks.synthetic.clip import lessons as clip
from pixel_env.tasks.synthetic.counting import lessons as counting
from pixel_env.tasks.synthetic.infographic import lessons as infographic
from pixel_env.tasks.synthetic.lessons import HEADS, Exhibit
from pixel_env.tasks.synthetic.search import exhibits as search
from pixel_env.tasks.synthetic.search.lessons import vocabulary
from pixel_env.wrappers import TextAction

CONSOLE = Console()
IDS = {
    "Search": "PixelReason-SyntheticSearch-v0",
    "Counting": "PixelReason-SmallCounting-v0",
    "Infographic": "PixelReason-SmallInfographic-v0",
    "Clip": "PixelReason-SmallClip-v0",
}
EXHIBITS: Mapping[str, Callable[[Any, int], list[Exhibit]]] = {
    "Search": search.exhibits,
    "Counting": counting.exhibits,
    "Infographic": infographic.exhibits,
    "Clip": clip.exhibits,
}
SHARES = {"Search": 0.3, "Counting": 0.25, "Infographic": 0.2, "Clip": 0.25}
START = "runs/pretrain_tiny/model"
"""Where `make pretrain` puts the weights of `pretrain_tiny.py`."""
CLASSES = 48
"""Into so many classes contents are divided; steps take them in turn."""
FIRST_UNSEEN = 500_000
"""Contents of samples from here on are never taught."""


class TwinTeacher:
    """Draws lessons on contents of the twins' training splits.

    Attributes:
        heads: what is known of a token.
        twins: names of the twins.
    """

    heads: Mapping[str, Sequence[str]] = HEADS
    twins: Sequence[str] = tuple(IDS)

    def __init__(
        self, encoder: Encoder, shares: Mapping[str, float], n_contents: int, seed: int = 0
    ) -> None:
        """Takes the encoder, the share of each twin, and how many contents of each are taught."""
        self._seed = seed
        self._encoder = encoder
        self._tasks = {twin: gym.make(IDS[twin]).unwrapped.task for twin in IDS}  # type: ignore[attr-defined]
        weights = np.array([shares[twin] for twin in IDS])
        self._ends = weights.cumsum() / weights.sum()
        self._n_contents = n_contents
        self._exhibits = lru_cache(maxsize=None)(self._drawn)
        self._unseen = lru_cache(maxsize=None)(self._all_unseen)

    def lessons(self, step: int, n: int) -> list[Taught]:
        """Draws the lessons of a step, on every `CLASSES`-th content.

        A process that draws every k-th step, where k divides `CLASSES`, needs only its own share.
        """
        rng = np.random.default_rng([self._seed, step])
        contents = range(step % CLASSES, self._n_contents, CLASSES) or range(self._n_contents)
        return [self._lesson(rng, contents) for _ in range(n)]

    def _lesson(self, rng: np.random.Generator, contents: Sequence[int]) -> Taught:
        """Draws a lesson of any twin."""
        twin = self.twins[int(np.searchsorted(self._ends[:-1], rng.random(), side="right"))]
        shown = self._exhibits(twin, contents[int(rng.integers(len(contents)))])
        return self._taught(shown[int(rng.integers(len(shown)))], rng)

    def unseen(self, twin: str, n: int) -> list[Taught]:
        """Returns lessons on contents that are never taught, always the same."""
        return self._unseen(twin, n)

    def _all_unseen(self, twin: str, n: int) -> list[Taught]:
        rng = np.random.default_rng(0)
        taught: list[Taught] = []
        while len(taught) < n:
            shown = self._drawn(twin, FIRST_UNSEEN + len(taught))
            chosen = rng.permutation(len(shown))[:4]
            taught += [self._taught(shown[place], rng) for place in chosen]
        return taught[:n]

    def _drawn(self, twin: str, index: int) -> list[Exhibit]:
        return EXHIBITS[twin](self._tasks[twin], index)

    def _taught(self, exhibit: Exhibit, rng: np.random.Generator) -> Taught:
        """Draws a lesson of an exhibit and finds the labels of the pictures that it shows."""
        drawn = exhibit.lesson(rng)
        labels = {id(p): each for p, each in zip(exhibit.pictures, exhibit.labels, strict=True)}
        return Taught(
            drawn.kind,
            as_trajectory(self._encoder, drawn.observation, drawn.response),
            tuple(labels[id(picture)] for picture in drawn.pictures),
        )


def main(arguments: list[str] | None = None) -> None:
    """Trains what is missing, then writes the checkpoint."""
    args = parse_arguments(arguments)
    torch.set_num_threads(args.threads)
    encoder, model = start(args.start, args.episodes, args.seed)
    model.to(checked_device(args.device))
    teacher = TwinTeacher(encoder, {**SHARES, **args.shares}, args.contents, args.seed)
    config = JointConfig(
        steps=args.steps,
        minutes=args.minutes,
        batch_size=args.batch_size,
        learning_rate=args.learning_rate,
        exam_every=args.exam_every,
        exam=args.exam,
        seed=args.seed,
    )
    training = JointTraining(model, teacher, config, args.work, args.workers)
    with StageBars(CONSOLE) as bars:

        def report(step: int, loss: float) -> None:
            bars("lessons", step, training.config.steps, f"loss {loss:.3f}")

        training.train(report)
    CONSOLE.print("unseen lessons answered right:", json.dumps(training.examine(), indent=1))
    tiny.save(args.out, model.cpu(), encoder.tokenizer)
    tiny_defaults().trained_with().write(args.out)
    CONSOLE.print(f"wrote {args.out}")


def start(weights: str, n_episodes: int, seed: int) -> tuple[Encoder, Any]:
    """Returns an encoder whose tokenizer has the texts of all twins, and a model that knows scenes.

    Args:
        weights: "tiny", or a folder in the hub's layout, of the same sizes.
        n_episodes: episodes of each twin that are read for the tokenizer.
        seed: of the embeddings of new tokens.
    """
    dialect = get_dialect("pixel-reasoner")
    tokenizer = tiny.train_tokenizer(2 * twin_texts(n_episodes, seed))
    encoder = Encoder(tokenizer, tiny.image_processor(), dialect, "none")
    model = use_fast_tower(tiny.blank_model(tokenizer, seed=seed))
    old = load(weights)
    kept = carry_over(old.model, old.tokenizer, model, tokenizer)
    known = f"{len(tokenizer)} tokens, {kept} of them carried over"
    CONSOLE.print(f"{model.num_parameters():,} parameters, {known}")
    return encoder, model


def twin_texts(n_episodes: int, seed: int) -> list[str]:
    """Returns what the policy reads and writes on all twins."""
    dialect = get_dialect("pixel-reasoner")
    texts = dialect_texts(dialect)
    for twin, env_id in IDS.items():
        read = clip_texts if twin == "Clip" else episode_texts
        for has_options in (True, False):
            env = TextAction(gym.make(env_id, options=has_options), dialect)
            texts += read(env, dialect, n_episodes, seed)
    difficulty = gym.make(IDS["Search"]).unwrapped.task.difficulty  # type: ignore[attr-defined]
    texts += vocabulary(np.random.default_rng(seed), difficulty, 30)
    return texts + counting.vocabulary() + infographic.vocabulary() + clip.vocabulary()


def parse_arguments(arguments: list[str] | None) -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--out", type=Path, required=True, metavar="DIR", help="folder of the checkpoint")
    add("--work", type=Path, default=Path("runs/pretrain_twins"), metavar="DIR", help="its course")
    add("--start", default=START, metavar="DIR", help="where it begins (default: %(default)s)")
    add("--steps", type=int, default=1259, help="(default: %(default)s)")
    add("--minutes", type=float, default=0.0, help="ends in time; 0 for no limit")
    add("--batch-size", type=int, default=128, help="lessons a step (default: %(default)s)")
    add("--learning-rate", type=float, default=1.5e-3, help="its peak (default: %(default)s)")
    add("--shares", type=json.loads, default={}, help=f"of the twins, as JSON (default: {SHARES})")
    add("--contents", type=int, default=4000, help="of each twin (default: %(default)s)")
    add("--episodes", type=int, default=40, help="read for the tokenizer (default: %(default)s)")
    add("--exam-every", type=int, default=250, help="steps (default: %(default)s)")
    add("--exam", type=int, default=256, help="lessons of each twin (default: %(default)s)")
    add("--device", default="cpu", help="of the training (default: %(default)s)")
    add("--workers", type=int, default=0, help="processes that draw (default: %(default)s)")
    add("--threads", type=int, default=1, help="torch threads (default: %(default)s)")
    add("--seed", type=int, default=0, help="of everything drawn (default: %(default)s)")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
