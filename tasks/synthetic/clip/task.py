"""SyntheticClip: a procedural twin of MVBench.

Shapes move across a clip, and each shows a letter for a moment. Which way one moves can be seen in
the sampled frames; the letter can be seen in two of them, and read only when those are selected
at a higher resolution. The clips are real mp4 files, if only in memory, and are read by the decoder
that reads MVBench's.
"""

from __future__ import annotations

from functools import lru_cache, partial

import numpy as np

from pixel_env.media.clips import ClipSource
from pixel_env.types import Evidence, Grade, Sample

from ...grading import grade_choice, grade_text
from ..endless import N_KEPT, Asked, EndlessTask
from ..stickers import COLOURS
from .drawing import frames
from .encoding import encoded
from .motion import (
    SAMPLED,
    WAYS,
    ClipContent,
    ClipDifficulty,
    box_of,
    frames_of,
    random_clip,
    sampled_frames,
)


class SyntheticClip(EndlessTask[ClipContent]):
    """Endless seeded clips with one question each; the twin of MVBench.

    Categories are "easy" (which way a shape moves, which one stands still) and "hard" (the letter
    that a shape shows for a moment). The evidence is the box of the shape in every frame that
    shows the letter; of an easy question, in the first and in the last one that is sampled.

    Needs PyAV to encode: `pixel-reason[video]`. A clip is encoded at its first use.

    >>> task = SyntheticClip(split="test")
    >>> task[7].question, task[7].answers, task[7].category
    ('Which letter does the orange square show for a moment?', ('C',), 'hard')
    >>> [evidence.image for evidence in task[7].evidence]
    [13, 14, 15, 16, 17, 18]
    """

    name = "SyntheticClip"
    prefix = "clip"
    knobs = ClipDifficulty

    def grade(self, sample: Sample, answer: str) -> Grade:
        """Grades the option's letter or text, or the exact text of a free answer."""
        return grade_choice(sample, answer) if sample.choices else grade_text(sample, answer)

    def _random(self, rng: np.random.Generator) -> ClipContent:
        return random_clip(rng, self.difficulty)

    def _essence(self, content: ClipContent) -> str:
        return repr(sorted(map(repr, content.movers)))

    def _ask(self, content: ClipContent, is_easy: bool, rng: np.random.Generator) -> Asked:
        subject, knobs = content.movers[0], self.difficulty
        when = sampled_frames(knobs)[:: SAMPLED - 1]
        if not is_easy:
            when = frames_of(subject, knobs)
            named = f"{subject.colour} {subject.shape}"
            question = f"Which letter does the {named} show for a moment?"
            answers, pool = [subject.letter], tuple(knobs.letters)
        elif rng.random() < 0.5:
            question = f"Which way does the {subject.colour} {subject.shape} move?"
            way = subject.way
            towards = f"{way}wards" if way in ("up", "down") else f"to the {way}"
            answers, pool = [way, towards], tuple(WAYS)
        else:
            subject = content.still
            question = "What colour is the shape that stands still?"
            answers, pool = [subject.colour], tuple(COLOURS)
        evidence = tuple(Evidence(box_of(subject, number, knobs), number) for number in when)
        return Asked(question, tuple(answers), pool, evidence)

    def _media(self, content: ClipContent, name: str) -> tuple[ClipSource]:
        return (ClipSource(partial(clip_file, content, self.difficulty), name),)


@lru_cache(maxsize=N_KEPT)
def clip_file(content: ClipContent, difficulty: ClipDifficulty) -> bytes:
    """Draws and encodes a clip.

    Returns:
        The bytes of an mp4 file; the same at every call. Recent ones are kept.

    Raises:
        ConfigError: PyAV is not installed, or can't encode.
    """
    return encoded(frames(content, difficulty))
