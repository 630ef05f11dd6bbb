"""Makes the base weights of the tiny policy, which ship in agents/base_weights.

    python scripts/pretrain_tiny.py --out agents/base_weights

draws scenes of SyntheticSearch's training split, teaches the vision tower what stands under each
token, then the language model to describe, locate, name and answer, then both together. Every
stage leaves its weights in --work, and a second run goes on after the last one that is there.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import Progress, TextColumn, TimeRemainingColumn
from safetensors.torch import load_file, save_file

from pixel_env.agents import pretraining, tiny
from pixel_env.agents.conversation import Encoder
from pixel_env.agents.models import use_matrix_patch_embedding
from pixel_env.agents.rollout import EncodedImage, TokenTrajectory, TrajectoryBuilder
from pixel_env.agents.tiny_texts import dialect_texts, episode_texts
from pixel_env.dialects import get_dialect
from pixel_env.tasks.synthetic import lessons
from pixel_env.tasks.synthetic.layout import Difficulty
from pixel_env.types import Observation
from pixel_env.wrappers import TextAction

CONSOLE = Console()


@dataclass
class School:
    """What every stage needs: pictures, how to encode them, and the model."""

    exhibits: list[lessons.Exhibit]
    marks: str
    encoder: Encoder
    model: Any

    def labelled(self, rng: np.random.Generator) -> tuple[EncodedImage, NDArray[np.int64]]:
        """Draws a picture with the labels of its tokens."""
        exhibit = self.exhibits[rng.integers(len(self.exhibits))]
        (image,) = self.encoder.images([exhibit.picture])
        return image, lessons.token_labels(exhibit, self.marks)

    def spoken(self, rng: np.random.Generator) -> TokenTrajectory:
        """Draws a lesson."""
        return self._lesson(rng, int(rng.integers(len(self.exhibits))), None)

    def spoken_of(self, images: list[EncodedImage]) -> Callable[..., TokenTrajectory]:
        """Returns a drawer of lessons whose pictures are these, one for each exhibit."""

        def draw(rng: np.random.Generator) -> TokenTrajectory:
            index = int(rng.integers(len(self.exhibits)))
            return self._lesson(rng, index, images[index])

        return draw

    def _lesson(
        self, rng: np.random.Generator, index: int, image: EncodedImage | None
    ) -> TokenTrajectory:
        lesson = lessons.lesson(rng, self.exhibits[index], self.marks)
        observation = Observation(
            question=lesson.question,
            choices=lesson.choices,
            images=(lesson.picture,),
            first_image=1,
            n_frames=0,
            feedback="",
            turn=0,
            turns_left=5,
        )
        piece = self.encoder.open(observation)
        builder = TrajectoryBuilder()
        builder.hear(piece if image is None else replace(piece, images=(image,)))
        builder.say(self.encoder.says(lesson.says))
        return builder.build()


def main() -> None:
    """Runs the stages that are missing, then writes the checkpoint."""
    args = parse_arguments()
    torch.set_num_threads(args.threads)
    difficulty = Difficulty()
    dialect = get_dialect("pixel-reasoner")
    env = TextAction(gym.make("PixelReason-SyntheticSearch-v0"), dialect)
    texts = dialect_texts(dialect) + episode_texts(env, dialect, 60)
    texts += lessons.vocabulary(np.random.default_rng(args.seed), difficulty, 30)
    tokenizer = tiny.train_tokenizer(2 * texts)
    encoder = Encoder(tokenizer, tiny.image_processor(), dialect, "none")
    model = use_matrix_patch_embedding(tiny.blank_model(tokenizer, seed=args.seed))
    marks = difficulty.marks
    CONSOLE.print(f"{model.num_parameters():,} parameters, {len(tokenizer)} tokens")
    args.work.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(args.seed)
    school = School([], marks, encoder, model)
    with progress() as bar:
        task = bar.add_task("drawing scenes", total=args.scenes, loss="")
        for _ in range(args.scenes):
            school.exhibits += lessons.exhibits(rng, difficulty, args.crops)
            bar.advance(task)
    heads = {**lessons.HEADS, "mark": len(marks)}
    stages: list[tuple[str, int, Callable[[int, pretraining.Report], None]]] = [
        ("eyes", args.eye_steps, lambda n, report: eyes(school, heads, args, n, report)),
        ("speech", args.speech_steps, lambda n, report: speech(school, args, n, report)),
        ("both", args.joint_steps, lambda n, report: both(school, args, n, report)),
    ]
    for name, steps, teach in stages:
        run_stage(name, steps, teach, model, args.work)
    unseen = [lessons.exhibits(rng, difficulty, args.crops) for _ in range(100)]
    CONSOLE.print(json.dumps(examine(replace(school, exhibits=sum(unseen, []))), indent=2))
    tiny.save(args.out, model, tokenizer)
    CONSOLE.print(f"wrote {args.out}")


def eyes(school: School, heads: dict[str, int], args: Any, steps: int, report: Any) -> None:
    """The vision tower alone."""
    config = pretraining.PretrainingConfig(steps=steps, seed=args.seed)
    pretraining.teach_eyes(
        school.model, school.encoder, school.labelled, heads, config, report
    )


def speech(school: School, args: Any, steps: int, report: Any) -> None:
    """The language model alone, on features that are computed once."""
    config = pretraining.PretrainingConfig(steps=steps, seed=args.seed + 1)
    light, parts = pretraining.see_pictures(
        school.model, school.encoder, [exhibit.picture for exhibit in school.exhibits]
    )
    labels = [lessons.token_labels(exhibit, school.marks) for exhibit in school.exhibits]
    words = [
        [[each for text in (name, f" {name}") for each in one_token(school.encoder, text)]
         for name in names]
        for names in (lessons.COLOURS, lessons.SHAPES, school.marks)
    ]
    turning = pretraining.PretrainingConfig(steps=args.align_steps, seed=args.seed)
    parts, found = pretraining.align(
        school.model, parts, np.stack(labels), words, turning, lambda *_: None
    )
    CONSOLE.print(f"aligned: a word finds what it names in {found:.1%} of pictures")
    pretraining.attend_by_likeness(school.model)
    pretraining.teach_speech(school.model, school.spoken_of(light), config, report, parts)


def one_token(encoder: Encoder, text: str) -> list[int]:
    """Returns the id of a text that is one token, else nothing."""
    ids = encoder.tokenizer.encode(text, add_special_tokens=False)
    return ids if len(ids) == 1 else []


def both(school: School, args: Any, steps: int, report: Any) -> None:
    """Vision tower and language model together, more slowly."""
    config = pretraining.PretrainingConfig(steps=steps, learning_rate=5e-4, seed=args.seed + 2)
    pretraining.teach_speech(school.model, school.spoken, config, report)


def examine(school: School, n: int = 600) -> dict[str, float]:
    """Share of unseen lessons that are said right to the last token, by the first word asked."""
    rng = np.random.default_rng(0)
    drawn = [school.spoken(rng) for _ in range(n)]
    right = pretraining.speech_accuracy(school.model, drawn)
    kinds: dict[str, list[bool]] = {}
    for lesson, is_right in zip(drawn, right, strict=True):
        words = school.encoder.texts([lesson.ids[lesson.image_starts[0] + 17 :]])[0].split()
        kinds.setdefault(" ".join(words[:3]), []).append(bool(is_right))
    return {kind: round(float(np.mean(rights)), 3) for kind, rights in sorted(kinds.items())}


def run_stage(name: str, steps: int, teach: Any, model: Any, work: Path) -> None:
    """Runs one stage, or takes its weights where an earlier run left them."""
    path = work / f"{name}.safetensors"
    if path.exists():
        model.load_state_dict(load_file(path), strict=False)
        CONSOLE.print(f"{name}: taken from {path}")
        return
    with progress() as bar:
        task = bar.add_task(name, total=steps, loss="")

        def report(step: int, loss: float) -> None:
            bar.update(task, completed=step, loss=f"loss {loss:.3f}")
            if step % 100 == 0:
                CONSOLE.print(f"{name} {step}: loss {loss:.3f}")

        teach(steps, report)
    save_file({k: v.contiguous() for k, v in model.state_dict().items() if "lm_head" not in k}, path)


def progress() -> Progress:
    """Returns a bar with time left and, where given, the loss."""
    return Progress(
        *Progress.get_default_columns()[:-1], TimeRemainingColumn(), TextColumn("{task.fields[loss]}")
    )


def parse_arguments() -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True, help="folder of the checkpoint")
    parser.add_argument("--work", type=Path, default=Path("runs/pretrain_tiny"), help="stages")
    parser.add_argument("--scenes", type=int, default=4000, help="scenes to draw")
    parser.add_argument("--crops", type=int, default=4, help="crops of each scene")
    parser.add_argument("--eye-steps", type=int, default=2600, help="steps, vision tower alone")
    parser.add_argument("--align-steps", type=int, default=800, help="steps, turning the tower")
    parser.add_argument("--speech-steps", type=int, default=2000, help="steps, language alone")
    parser.add_argument("--joint-steps", type=int, default=500, help="steps, both together")
    parser.add_argument("--threads", type=int, default=1, help="torch threads")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


if __name__ == "__main__":
    main()
