"""Makes weights of the tiny policy that know scenes; `pretrain_twins.py` goes on from them.

    python scripts/dev/pretrain_tiny.py --out runs/pretrain_tiny/model

draws scenes of SyntheticSearch's training split, teaches the vision tower what stands under each
token, then the language model to find what a word names, then to describe, ground, name and answer
on one picture and on two, then both together. Every stage leaves its weights in --work, and a
second run goes on after the last one that is there.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console
from safetensors.torch import load_file, save_file

from pixel_env.agents.model.vision_tower import use_fast_tower
from pixel_env.agents.run.config import tiny_defaults
from pixel_env.agents.run.progress import StageBars
from pixel_env.agents.tiny import model as tiny
from pixel_env.agents.tiny.alignment import align, attend_by_likeness
from pixel_env.agents.tiny.pretraining import (
    PretrainingConfig,
    Report,
    as_trajectory,
    see_pictures,
    speech_accuracy,
    teach_eyes,
    teach_speech,
)
from pixel_env.agents.tiny.texts import dialect_texts, episode_texts
from pixel_env.agents.tokens.encoder import Encoder
from pixel_env.agents.tokens.trajectory import EncodedImage, TokenTrajectory
from pixel_env.dialects import get_dialect
from pixel_env.tasks.synthetic.search import lessons
from pixel_env.tasks.synthetic.search.layout import Difficulty
from pixel_env.tasks.synthetic.search.scene import COLOURS, SHAPES
from pixel_env.types import Observation
from pixel_env.wrappers import TextAction

CONSOLE = Console()
STAGES = ("eyes", "look_up", "speech", "both")
ENV = "PixelReason-SyntheticSearch-v0"


@dataclass
class School:
    """The model, how pictures are encoded, the pictures, and the command line."""

    model: Any
    encoder: Encoder
    exhibits: list[lessons.Exhibit]
    marks: str
    args: argparse.Namespace

    def eyes(self, report: Report) -> None:
        """The vision tower alone."""

        def labelled(rng: np.random.Generator) -> tuple[EncodedImage, NDArray[np.int64]]:
            exhibit = self.exhibits[rng.integers(len(self.exhibits))]
            (image,) = self.encoder.images([exhibit.picture])
            return image, lessons.token_labels(exhibit, self.marks)

        config = self.stage(self.args.eyes, 0)
        heads = {**lessons.HEADS, "mark": len(self.marks)}
        teach_eyes(self.model, self.encoder, labelled, heads, config, report)

    def look_up(self, report: Report) -> None:
        """The language model on features turned to words, one picture and many questions each."""
        pictures = [exhibit.picture for exhibit in self.exhibits]
        stand_ins, features = see_pictures(self.model, self.encoder, pictures)
        labels = np.stack([lessons.token_labels(each, self.marks) for each in self.exhibits])
        kinds = (COLOURS, SHAPES, self.marks)
        words = [[self.word_ids(name) for name in names] for names in kinds]
        turning = self.stage(self.args.align, 0)
        features, hits = align(self.model, features, labels, words, turning, lambda *_: None)
        CONSOLE.print(f"aligned: a word finds what it names in {hits:.1%} of pictures")
        attend_by_likeness(self.model)

        def drawn_lesson(rng: np.random.Generator) -> TokenTrajectory:
            return self.drawn_lesson(rng, stand_ins, is_first=True)[1]

        config = self.stage(self.args.look_up, 1)
        teach_speech(self.model, drawn_lesson, config, report, features)

    def speech(self, report: Report) -> None:
        """The language model on every lesson."""
        pictures = [exhibit.picture for exhibit in self.exhibits]
        stand_ins, features = see_pictures(self.model, self.encoder, pictures)

        def drawn_lesson(rng: np.random.Generator) -> TokenTrajectory:
            return self.drawn_lesson(rng, stand_ins)[1]

        config = replace(self.stage(self.args.speech, 2), learning_rate=self.args.speech_rate)
        teach_speech(self.model, drawn_lesson, config, report, features)

    def both(self, report: Report) -> None:
        """Vision tower and language model together, more slowly."""
        config = replace(self.stage(self.args.both, 3), learning_rate=self.args.both_rate)
        teach_speech(self.model, lambda rng: self.drawn_lesson(rng)[1], config, report)

    def stage(self, steps: int, number: int) -> PretrainingConfig:
        """Returns how the stage of a number is trained; each has a seed of its own."""
        return PretrainingConfig(
            steps=steps, batch_size=self.args.batch_size, seed=self.args.seed + number
        )

    def drawn_lesson(
        self,
        rng: np.random.Generator,
        stand_ins: Sequence[EncodedImage] = (),
        is_first: bool = False,
    ) -> tuple[str, TokenTrajectory]:
        """Draws a lesson; half of those on a crop show the whole scene before it.

        Args:
            rng: draws it.
            stand_ins: one for each picture, where features are known.
            is_first: whether it is one of the first lessons, which show one picture each.

        Returns:
            The first words of its request, and the lesson.
        """
        index = self.pick(rng)
        lesson = lessons.lesson(rng, self.exhibits[index], self.marks, is_first)
        shown = [index]
        is_crop = not self.exhibits[index].is_overview
        if is_crop and not is_first and rng.random() < 0.5:
            shown = [index - index % (self.args.crops + 1), index]
        pictures = tuple(self.exhibits[each].picture for each in shown)
        observation: Observation = {**lesson.observation, "images": pictures}
        stood = tuple(stand_ins[each] for each in shown) if stand_ins else ()
        kind = " ".join(lesson.question.split()[:2])
        return kind, as_trajectory(self.encoder, observation, lesson.response, stood)

    def pick(self, rng: np.random.Generator) -> int:
        """Draws the index of a picture: an overview half of the time, as it has more to teach."""
        shown: int = self.args.crops + 1
        scene = int(rng.integers(len(self.exhibits) // shown))
        return scene * shown + (int(rng.integers(1, shown)) if rng.random() < 0.5 else 0)

    def examine(self, n: int) -> dict[str, float]:
        """Returns the share of lessons that are answered right to the last token, by request."""
        rng = np.random.default_rng(0)
        kinds, drawn = zip(*(self.drawn_lesson(rng) for _ in range(n)), strict=True)
        right = speech_accuracy(self.model, drawn)
        return {
            kind: round(float(right[np.array(kinds) == kind].mean()), 3)
            for kind in sorted(set(kinds))
        }

    def word_ids(self, name: str) -> list[int]:
        """Returns the ids of a name, at a text's beginning and inside it, where one token."""
        encode = self.encoder.tokenizer.encode
        written = [encode(text, add_special_tokens=False) for text in (name, f" {name}")]
        return [ids[0] for ids in written if len(ids) == 1]


def main(arguments: list[str] | None = None) -> None:
    """Runs the stages that are missing, then writes the checkpoint."""
    args = parse_arguments(arguments)
    torch.set_num_threads(args.threads)
    args.work.mkdir(parents=True, exist_ok=True)
    difficulty, dialect = Difficulty(), get_dialect("pixel-reasoner")
    texts = dialect_texts(dialect)
    texts += episode_texts(TextAction(gym.make(ENV, options=True), dialect), dialect, args.episodes)
    texts += lessons.vocabulary(np.random.default_rng(args.seed), difficulty, 30)
    tokenizer = tiny.train_tokenizer(2 * texts)
    encoder = Encoder(tokenizer, tiny.image_processor(), dialect, "none")
    model = use_fast_tower(tiny.blank_model(tokenizer, seed=args.seed))
    CONSOLE.print(f"{model.num_parameters():,} parameters, {len(tokenizer)} tokens")
    rng = np.random.default_rng(args.seed)
    exhibits = draw(rng, difficulty, args.scenes, args.crops)
    school = School(model, encoder, exhibits, difficulty.marks, args)
    for name in STAGES:
        run_stage(name, getattr(args, name), school)
    school.exhibits = draw(rng, difficulty, args.exam // 6 + 1, args.crops)
    CONSOLE.print("unseen lessons answered right:", json.dumps(school.examine(args.exam), indent=1))
    tiny.save(args.out, model, tokenizer)
    tiny_defaults().trained_with().write(args.out)
    CONSOLE.print(f"wrote {args.out}")


def draw(
    rng: np.random.Generator, difficulty: Difficulty, n_scenes: int, n_crops: int
) -> list[lessons.Exhibit]:
    """Draws scenes, with a bar."""
    with StageBars(CONSOLE) as bars:
        drawn = []
        for _ in bars.each("scenes", range(n_scenes), n_scenes):
            drawn += lessons.exhibits(rng, difficulty, n_crops)
    return drawn


def run_stage(name: str, steps: int, school: School) -> None:
    """Runs one stage, or takes its weights where an earlier run left them."""
    path = school.args.work / f"{name}.safetensors"
    if path.exists():
        school.model.load_state_dict(load_file(path), strict=False)
        CONSOLE.print(f"{name}: taken from {path}")
        return
    with StageBars(CONSOLE) as bars:

        def report(step: int, loss: float) -> None:
            bars(name, step, steps, f"loss {loss:.3f}")

        getattr(school, name)(report)
    weights = school.model.state_dict()
    save_file({k: v.contiguous() for k, v in weights.items() if "lm_head" not in k}, path)


def parse_arguments(arguments: list[str] | None) -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--out", type=Path, required=True, metavar="DIR", help="folder of the checkpoint")
    add("--work", type=Path, default=Path("runs/pretrain_tiny"), metavar="DIR", help="of stages")
    add("--scenes", type=int, default=4000, help="scenes to draw (default: %(default)s)")
    add("--crops", type=int, default=4, help="crops of each scene (default: %(default)s)")
    add("--episodes", type=int, default=60, help="read for the tokenizer (default: %(default)s)")
    add("--batch-size", type=int, default=64, help="pictures a step (default: %(default)s)")
    add("--eyes", type=int, default=2600, help="steps, vision tower (default: %(default)s)")
    add("--align", type=int, default=800, help="steps, turning it to words (default: %(default)s)")
    add("--look-up", type=int, default=1000, help="steps, finding things (default: %(default)s)")
    add("--speech", type=int, default=700, help="steps, every lesson (default: %(default)s)")
    add("--speech-rate", type=float, default=1e-3, help="learning rate of those")
    add("--both", type=int, default=300, help="steps, both together (default: %(default)s)")
    add("--both-rate", type=float, default=5e-4, help="learning rate of those")
    add("--exam", type=int, default=600, help="unseen lessons at the end (default: %(default)s)")
    add("--threads", type=int, default=1, help="torch threads (default: %(default)s)")
    add("--seed", type=int, default=0, help="of everything drawn (default: %(default)s)")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
