"""Lessons about clips: how shapes move, in which frames one shows its letter, and which letter.

Frames are drawn, not decoded: what the file of a clip changes in a pixel teaches nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from pixel_env.media.geometry import Box
from pixel_env.media.pictures import ImageSource
from pixel_env.media.rgb import Image

from ..lessons import Exhibit, Lesson, TokenLabels, quiz
from ..stickers import COLOURS, SHAPES
from .drawing import frames
from .motion import (
    SAMPLED,
    STILL,
    WAYS,
    ClipContent,
    ClipDifficulty,
    Mover,
    box_of,
    frames_of,
    sampled_frames,
)
from .task import SyntheticClip

OVERVIEW_PX, FRAME_PX = 56, 168
N_FRAMES = 4
"""Frames of each clip that are shown large."""

_WHOLE: Box = (0.0, 0.0, 1.0, 1.0)


class Frames(Exhibit):
    """The sampled frames of a clip, small."""

    def __init__(
        self, content: ClipContent, difficulty: ClipDifficulty, pictures: tuple[Image, ...]
    ) -> None:
        """Labels the frames.

        Args:
            content: what happens.
            difficulty: the knobs.
            pictures: the sampled frames.
        """
        self.pictures = pictures
        self.labels = tuple(
            _labels(content, difficulty, number) for number in sampled_frames(difficulty)
        )
        self._content = content
        self._difficulty = difficulty

    def lesson(self, rng: np.random.Generator) -> Lesson:
        """Draws a lesson: when a letter is shown most of the time, else what moves how."""
        chance = rng.random()
        content = self._content
        moving = [mover for mover in content.movers if mover.way != STILL]
        if chance < 0.25:
            mover = moving[rng.integers(len(moving))]
            question = f"Which way does the {_name(mover)} move?"
            return self._quiz(rng, question, mover.way, tuple(WAYS))
        if chance < 0.45:
            question = "What colour is the shape that stands still?"
            return self._quiz(rng, question, content.still.colour, tuple(COLOURS))
        movers = [content.movers[i] for i in rng.permutation(len(content.movers))]
        if chance < 0.7:
            question = f"In which frames does the {_name(movers[0])} show its letter?"
            response = f'Here: {{"target_frames": {self._when(movers[0])}}}'
            return Lesson(self.pictures, question, (), response, len(self.pictures))
        question = f"When is a letter on {', '.join(_name(mover) for mover in movers)}?"
        response = "\n".join(f"{_name(mover)} {self._when(mover)}" for mover in movers)
        return Lesson(self.pictures, question, (), response, len(self.pictures))

    def _when(self, mover: Mover) -> list[int]:
        """Returns in which of the sampled frames, from 1, a letter is shown."""
        return shown_in(mover, self._difficulty)

    def _quiz(
        self, rng: np.random.Generator, question: str, right: str, pool: tuple[str, ...]
    ) -> Lesson:
        return quiz(rng, self.pictures, question, right, pool, len(self.pictures))


class LargeFrame(Exhibit):
    """Large frames, which all of them small may stand before."""

    def __init__(
        self,
        overview: Frames,
        content: ClipContent,
        difficulty: ClipDifficulty,
        large: tuple[tuple[int, Image], ...],
    ) -> None:
        """Takes the frames.

        Args:
            overview: the small ones.
            content: what happens.
            difficulty: the knobs.
            large: number, from 1, in the clip, and picture of each large one.
        """
        self._n_small = len(overview.pictures)
        self.pictures = (*overview.pictures, *(picture for _, picture in large))
        close = (_labels(content, difficulty, number, is_close=True) for number, _ in large)
        self.labels = (*overview.labels, *close)
        self._content = content
        self._seen = [
            mover
            for mover in content.movers
            if any(number in frames_of(mover, difficulty) for number, _ in large)
        ]
        self._letters = tuple(difficulty.letters)

    def lesson(self, rng: np.random.Generator) -> Lesson:
        """Draws a lesson: a letter that is shown most of the time, else what there is."""
        is_after = rng.random() < 0.3
        pictures = self.pictures if is_after else self.pictures[self._n_small :]
        n_frames = self._n_small if is_after else 0
        if not self._seen or rng.random() < 0.25:
            letters = {mover.colour: f" {mover.letter}" for mover in self._seen}
            movers = sorted(self._content.movers, key=lambda mover: mover.cell)
            names = [f"{_name(mover)}{letters.get(mover.colour, '')}" for mover in movers]
            return Lesson(pictures, "What is this?", (), ", ".join(names), n_frames)
        mover = self._seen[rng.integers(len(self._seen))]
        question = f"Which letter does the {_name(mover)} show for a moment?"
        return quiz(rng, pictures, question, mover.letter, self._letters, n_frames)


def exhibits(task: SyntheticClip, index: int) -> list[Exhibit]:
    """Returns the clip behind a sample, and large frames of it; the clip as often as those."""
    rng = np.random.default_rng(index)
    content, difficulty = task.content(index), task.difficulty
    drawn = [ImageSource(frame) for frame in frames(content, difficulty)]
    sampled = sampled_frames(difficulty)
    small = tuple(
        drawn[number - 1].region(_WHOLE, (OVERVIEW_PX, OVERVIEW_PX)) for number in sampled
    )
    overview = Frames(content, difficulty, small)
    large: list[Exhibit] = []
    for places in _chosen(rng, content, difficulty):
        shown = tuple(
            (sampled[k], drawn[sampled[k] - 1].region(_WHOLE, (FRAME_PX, FRAME_PX))) for k in places
        )
        large.append(LargeFrame(overview, content, difficulty, shown))
    return [*[overview] * len(large), *large]


def shown_in(mover: Mover, difficulty: ClipDifficulty) -> list[int]:
    """Returns in which of the sampled frames, from 1, a shape shows its letter."""
    shown = set(frames_of(mover, difficulty))
    return [k for k, number in enumerate(sampled_frames(difficulty), start=1) if number in shown]


def vocabulary() -> list[str]:
    """Returns every name of a shape, to train a tokenizer on."""
    return [f"the {colour} {shape}" for colour in COLOURS for shape in SHAPES]


def _chosen(
    rng: np.random.Generator, content: ClipContent, difficulty: ClipDifficulty
) -> Iterator[list[int]]:
    """Draws which sampled frames, from 0, are shown large: an event's, one or both; any one."""
    for number in range(N_FRAMES):
        mover = content.movers[number % len(content.movers)]
        places = [k - 1 for k in shown_in(mover, difficulty)]
        if number == N_FRAMES - 1:
            yield [int(rng.integers(SAMPLED))]
        elif rng.random() < 0.5:
            yield places
        else:
            yield [places[rng.integers(len(places))]]


def _labels(
    content: ClipContent, difficulty: ClipDifficulty, number: int, is_close: bool = False
) -> NDArray[np.int64]:
    """Labels the tokens of frame `number`, from 1."""
    side = FRAME_PX if is_close else OVERVIEW_PX
    labels = TokenLabels((side, side), "colour", "shape", "badge")
    for mover in content.movers:
        box = box_of(mover, number, difficulty)
        is_shown = number in frames_of(mover, difficulty)
        known = {"colour": mover.colour, "shape": mover.shape}
        if not is_close:
            gone = (number - 1) / (difficulty.clip_frames - 1)
            known |= {"badge": "yes" if is_shown else "no"}
            known |= {
                head: str(min(int(((gone - 0.5) * way + 0.5) * 3), 2))
                for head, way in zip(("right", "down"), WAYS.get(mover.way, (0, 0)), strict=True)
            }
        labels.put(box, **known)
        if is_close:
            middle = _shrunk(box, 0.35)
            labels.put(middle, badge="yes" if is_shown else "no")
            if is_shown:
                labels.put(middle, letter=mover.letter)
    return labels.values


def _shrunk(box: Box, share: float) -> Box:
    """Returns the middle of a box."""
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    across, along = (box[2] - box[0]) * share / 2, (box[3] - box[1]) * share / 2
    return (x - across, y - along, x + across, y + along)


def _name(mover: Mover) -> str:
    return f"{mover.colour} {mover.shape}"
