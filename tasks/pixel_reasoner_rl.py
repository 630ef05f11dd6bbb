"""The questions that Pixel Reasoner was trained on by reinforcement learning.

`TIGER-Lab/PixelReasoner-RL-Data`: `release.parquet` beside the unpacked `images.zip` and
`videos.zip`. A mixture of several benchmarks' training questions.
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from pixel_env.types import Grade, Sample

from .grading import grade_anls, grade_choice, grade_count, grade_text
from .rows.parquet_files import read_parquets
from .rows.released import RELEASED_COLUMNS, TrainingRelease, released_sample
from .rows.row import Row, Rows


class PixelReasonerRL(TrainingRelease):
    """The released questions for RL; the category is the benchmark that `qid` names.

    Questions with options are graded by their option, numbers as numbers, questions of
    InfographicsVQA by ANLS, and the rest as text.
    """

    name = "pixel_reasoner_rl"
    file: ClassVar[str] = "release.parquet"

    def grade(self, sample: Sample, answer: str) -> Grade:
        """Grades by the kind of question; see the class."""
        if sample.choices:
            return grade_choice(sample, answer)
        if all(gold.isdecimal() for gold in sample.answers):
            return grade_count(sample, answer)
        if sample.category.lower().startswith("info"):
            return grade_anls(sample, answer)
        return grade_text(sample, answer)

    def _sample(self, row: Row) -> Sample:
        return released_sample(row, self._folder, category=self._category(row))

    def _read(self, files: tuple[Path, ...]) -> Rows:
        return read_parquets(files, RELEASED_COLUMNS)
