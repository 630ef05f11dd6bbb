"""HR-Bench: questions about pictures of 4k and 8k pixels a side.

Wenbin Wang and others, "Divide, Conquer and Combine: A Training-Free Framework for High-Resolution
Image Perception in Multimodal Large Language Models", AAAI 2025. Read from the published parquets;
nothing is downloaded here.
"""

from __future__ import annotations

from pixel_env.errors import unknown_name
from pixel_env.types import Grade, Sample

from .grading import grade_choice
from .rows.folders import FolderName, find_rows
from .rows.options import checked_choices, right_choice
from .rows.parquet_files import read_parquets
from .rows.pictures import embedded_picture
from .rows.row import Row
from .rows.row_task import RowTask

CATEGORIES = ("single", "cross")
SPLITS = {"hrbench_4k": "hr_bench_4k", "hrbench_8k": "hr_bench_8k"}
"""The splits, and the names of their files."""

OPTIONS = ("A", "B", "C", "D")
COLUMNS = ("index", "question", "answer", "category", *OPTIONS, "cycle_category", "image")


class HRBench(RowTask):
    """HR-Bench: each question stands in it once for every order of its options.

    `Sample.cycle` names the order; the published score is the mean over orders of the accuracy in
    each. So that the orders stay as published, `gym.make` doesn't shuffle the options of this task
    set by default. The pictures are base64 in the parquet, and each is decoded when its sample is
    reset.
    """

    name = "hrbench"
    categories = CATEGORIES

    def __init__(
        self,
        data_dir: FolderName | None = None,
        split: str = "hrbench_4k",
        category: str | None = None,
    ) -> None:
        """Reads the questions; pictures are opened sample by sample.

        Args:
            data_dir: the folder of `hr_bench_4k.parquet` and `hr_bench_8k.parquet`. None searches
                `data/hrbench` under the current folder, then in the Hugging Face cache.
            split: "hrbench_4k" or "hrbench_8k".
            category: "single" or "cross" (about one thing, or about several); None for both.

        Raises:
            ConfigError: the data isn't there, or an argument isn't known.
            DataError: the file of questions can't be read.
        """
        if split not in SPLITS:
            raise unknown_name("split", split, SPLITS)
        layouts = (
            f"{SPLITS[split]}.parquet",
            f"data/{SPLITS[split]}.parquet",
            f"{split}-*.parquet",
            f"data/{split}-*.parquet",
        )
        found = find_rows("HRBench", data_dir, layouts)
        self._folder = found.folder
        super().__init__(read_parquets(found.files, COLUMNS, late=("image",)), split, category)

    def grade(self, sample: Sample, answer: str) -> Grade:
        """Grades by option letter or option text; see `grading.declared_letter`."""
        return grade_choice(sample, answer)

    def _sample(self, row: Row) -> Sample:
        options = [row.value(letter) for letter in OPTIONS]
        choices = checked_choices(row, options, "A, B, C, D")
        right = right_choice(row, "answer", choices)
        return Sample(
            id=self._id(row),
            question=row.sentence("question"),
            media=(embedded_picture(row, "image", self._folder),),
            answers=(choices[right],),
            choices=choices,
            right_choice=right,
            category=self._category(row),
            origin=row.origin,
            cycle=row.name("cycle_category"),
        )

    def _id(self, row: Row) -> str:
        return f"{self.split}/{row.name('index')}"

    def _category(self, row: Row) -> str:
        category = row.text("category").strip()
        if category not in CATEGORIES:
            raise row.fault(f"expected a category of {' or '.join(CATEGORIES)}, got {category!r}")
        return category
