"""The questions that Pixel Reasoner was trained on by reinforcement learning.

`TIGER-Lab/PixelReasoner-RL-Data`: `release.parquet` beside the unpacked `images.zip` and
`videos.zip`. A mixture of several benchmarks' training questions.
"""

from __future__ import annotations

from pixel_env.errors import unknown_name
from pixel_env.types import Grade, Sample

from .folders import FolderName, find_rows
from .grading import grade_anls, grade_choice, grade_count, grade_text
from .parquet_rows import read_parquets
from .released import RELEASED_COLUMNS, benchmark, released_sample
from .row_task import RowTask
from .rows import Row


class PixelReasonerRL(RowTask):
    """The released questions for RL; the category is the benchmark that `qid` names.

    Questions with options are graded by their option, numbers as numbers, questions of
    InfographicsVQA by ANLS, and the rest as text.
    """

    name = "pixel_reasoner_rl"

    def __init__(
        self,
        data_dir: FolderName | None = None,
        split: str = "train",
        category: str | None = None,
    ) -> None:
        """Reads the questions; pictures and clips are opened sample by sample.

        Args:
            data_dir: the folder of `release.parquet`. None looks in `data/pixel-reasoner-rl` under
                the current folder, then in the Hugging Face cache.
            split: there is one, "train".
            category: the benchmark that `qid` begins with; None for all.

        Raises:
            ConfigError: the data isn't there, or an argument isn't known.
            DataError: the file of questions can't be read.
        """
        if split != "train":
            raise unknown_name("split", split, ("train",))
        found = find_rows("PixelReasonerRL", data_dir, ("release.parquet",))
        self._folder = found.folder
        super().__init__(read_parquets(found.files, RELEASED_COLUMNS), split, category)

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

    def _id(self, row: Row) -> str:
        return row.name("qid")

    def _category(self, row: Row) -> str:
        return benchmark(row)
